"""Static files: plain before they are collected, hashed, compressed and cached for ever afterwards."""

import gzip
import os
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.templatetags.static import static
from django.test import AsyncClient, Client
from django.test.utils import override_settings

from qunce.config.static_files import collect

STYLE = "body { color: green }\n" * 50


@pytest.fixture
def site(tmp_path: Path) -> Any:
    """An installation with one style sheet, nothing collected."""
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "app.css").write_text(STYLE)
    (tmp_path / "static").mkdir()
    changed = override_settings(
        STATIC_ROOT=tmp_path / "static",
        STATICFILES_DIRS=[tmp_path / "source"],
        STATICFILES_FINDERS=["django.contrib.staticfiles.finders.FileSystemFinder"],
    )
    with changed:
        yield tmp_path


@pytest.mark.usefixtures("site")
def test_before_collecting_a_file_keeps_its_name() -> None:
    assert static("app.css") == "/static/app.css"
    response = Client().get("/static/app.css")
    assert (response.status_code, response.content) == (200, STYLE.encode())
    assert "Access-Control-Allow-Origin" not in response.headers


def test_collected_files_are_hashed_compressed_and_cached_for_ever(site: Path) -> None:
    assert collect()
    storage: Any = staticfiles_storage
    storage.hashed_files = storage.load_manifest()[0]
    address = static("app.css")
    assert address != "/static/app.css"
    response = Client().get(address, headers={"accept-encoding": "gzip, br"})
    assert gzip.decompress(response.content) == STYLE.encode()
    assert "immutable" in response.headers["Cache-Control"]
    assert Client().get(address, headers={"if-none-match": response.headers["ETag"]}).status_code == 304
    part = Client().get(address, headers={"range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, b"body")
    assert Client().head(address).content == b""
    assert Client().post(address).status_code == 405


def test_collecting_again_does_something_only_after_a_change(site: Path) -> None:
    assert collect()
    assert not collect()
    later = (site / "static" / "staticfiles.json").stat().st_mtime + 10
    os.utime(site / "source" / "app.css", (later, later))
    assert collect()


@pytest.mark.usefixtures("site")
async def test_a_server_sends_it_without_a_warning() -> None:
    response = await AsyncClient().get("/static/app.css")
    assert response.content == STYLE.encode()
