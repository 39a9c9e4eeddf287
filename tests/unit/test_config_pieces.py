"""Small pieces of the settings: database addresses, the data folder, logs."""

import logging
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from qunce.config.data_folder import once, prepare
from qunce.config.database import database
from qunce.config.logs import FieldsFormatter, logging_config


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "postgresql://ann:p%40ss@db.example:5433/qunce",
            {"NAME": "qunce", "USER": "ann", "PASSWORD": "p@ss", "HOST": "db.example", "PORT": "5433", "OPTIONS": {}},
        ),
        (
            "postgres:///qunce?host=/run/postgresql&user=ann&sslmode=disable",
            {
                "NAME": "qunce",
                "USER": "ann",
                "PASSWORD": "",
                "HOST": "/run/postgresql",
                "PORT": "",
                "OPTIONS": {"sslmode": "disable"},
            },
        ),
        (
            "postgresql://ann@%2Frun%2Fpostgresql/qunce",
            {"NAME": "qunce", "USER": "ann", "PASSWORD": "", "HOST": "/run/postgresql", "PORT": "", "OPTIONS": {}},
        ),
    ],
    ids=["a server", "a Unix socket as a parameter", "a Unix socket as a host"],
)
def test_postgresql_addresses(url: str, expected: dict[str, Any], tmp_path: Path) -> None:
    assert database(url, tmp_path) == {"ENGINE": "django.db.backends.postgresql", **expected}


@pytest.mark.parametrize("url", ["mysql://a/b", "postgresql://host/", "qunce.sqlite3"])
def test_other_addresses_are_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="DATABASE_URL must read"):
        database(url, tmp_path)


def test_no_address_means_sqlite_in_the_data_folder(tmp_path: Path) -> None:
    assert database("", tmp_path)["NAME"] == tmp_path / "qunce.sqlite3"


def test_secrets_are_made_once_and_belong_to_their_owner(tmp_path: Path) -> None:
    root = prepare(tmp_path / "new" / "data")
    first = {path.name: path.read_text() for path in (root / "secrets").iterdir()}
    assert set(first) == {"secret_key", "field_keys", "identity_key"}
    assert stat.S_IMODE(root.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (root / "secrets").iterdir()} == {0o600}
    prepare(root)
    assert {path.name: path.read_text() for path in (root / "secrets").iterdir()} == first


def test_processes_that_start_together_agree_on_a_secret(tmp_path: Path) -> None:
    gate = threading.Barrier(8)
    answers = []

    def start(number: int) -> None:
        gate.wait()
        answers.append(once(tmp_path / "key", lambda: f"secret {number}"))

    threads = [threading.Thread(target=start, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(answers)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_a_log_line_ends_with_its_fields() -> None:
    record = logging.makeLogRecord({"msg": "took %s", "args": ("off",), "action": "x.y", "group_id": 7})
    assert FieldsFormatter("%(message)s").format(record) == "took off action=x.y group_id=7"


def test_addresses_with_search_words_and_typed_names_stay_out_of_the_logs() -> None:
    loggers = logging_config("INFO")["loggers"]
    assert loggers["uvicorn.access"] == {"handlers": [], "propagate": False}
    assert loggers["axes"]["level"] == "CRITICAL"
