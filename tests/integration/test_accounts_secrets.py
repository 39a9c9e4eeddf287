"""Secrets are unreadable in the database, survive a change of keys, and are gone with their keys."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.db import connection, models
from django.test.utils import isolate_apps

from qunce.accounts.errors import SecretUnreadable
from qunce.accounts.models import AuditEntry
from qunce.accounts.secret_field import EncryptedTextField, rotate_keys
from qunce.config.data_folder import prepare
from qunce.runtime.cli.main import main

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def keys(tmp_path: Path, settings: Any) -> Path:
    settings.FIELD_KEYS_FILE = prepare(tmp_path) / "secrets" / "field_keys"
    return Path(settings.FIELD_KEYS_FILE)


@pytest.fixture
def connections_table(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with isolate_apps("qunce.accounts"):

        class Link(models.Model):
            token = EncryptedTextField(blank=True, null=True)

            class Meta:
                app_label = "accounts"

        with connection.schema_editor() as editor:
            editor.create_model(Link)
        monkeypatch.setattr(apps, "get_models", lambda: [Link])
        yield Link
        with connection.schema_editor() as editor:
            editor.delete_model(Link)


def _stored(model: Any) -> list[str | None]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT token FROM {model._meta.db_table} ORDER BY id")
        return [row[0] for row in cursor.fetchall()]


@pytest.mark.usefixtures("keys")
def test_a_secret_comes_back_and_is_unreadable_in_the_table(connections_table: Any) -> None:
    for value in ("企业 secret", "企业 secret", "", None):
        connections_table.objects.create(token=value)
    first, second, empty, nothing = _stored(connections_table)
    assert first
    assert first != second
    assert "secret" not in first
    assert (empty, nothing) == ("", None)
    assert list(connections_table.objects.order_by("id").values_list("token", flat=True)) == ["企业 secret"] * 2 + ["", None]


def test_rotation_encrypts_anew_and_old_keys_can_go(connections_table: Any, keys: Path) -> None:
    connections_table.objects.create(token="one")
    connections_table.objects.create(token="")
    old_row, old_key = _stored(connections_table)[0], keys.read_text().split()
    assert rotate_keys() == 1
    assert keys.read_text().split()[1:] == old_key
    assert _stored(connections_table)[0] != old_row
    assert rotate_keys(drop_old=True) == 1
    assert len(keys.read_text().split()) == 1
    assert keys.stat().st_mode & 0o777 == 0o600
    assert connections_table.objects.earliest("id").token == "one"


def test_without_its_key_a_secret_says_so(connections_table: Any, keys: Path) -> None:
    connections_table.objects.create(token="one")
    keys.unlink()
    prepare(keys.parents[1])
    with pytest.raises(SecretUnreadable, match=r"Link\.token"):
        connections_table.objects.get()


def _run(words: list[str], monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("qunce.runtime.cli.main.make_ready", lambda: None)
    return main(["secrets", *words])


def test_the_command_gives_secrets_a_new_key_and_says_so_in_the_audit(
    keys: Path, connections_table: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    connections_table.objects.create(token="one")
    before, old = _stored(connections_table), keys.read_text("ascii").split()
    assert _run(["check"], monkeypatch) == 0
    assert "1 stored secrets can be read; keys in the data folder: 1" in capsys.readouterr().out
    assert _run(["rotate"], monkeypatch) == 0
    assert "older keys are kept" in capsys.readouterr().out
    assert keys.read_text("ascii").split()[1:] == old
    assert _stored(connections_table) != before
    assert _run(["rotate", "--drop-old"], monkeypatch) == 0
    assert len(keys.read_text("ascii").split()) == 1
    assert connections_table.objects.get().token == "one"
    assert AuditEntry.objects.filter(action="secrets.rotate").count() == 2


def test_without_the_key_of_a_secret_nothing_is_changed_and_the_mend_is_said(
    keys: Path, connections_table: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    connections_table.objects.create(token="one")
    keys.write_text(Fernet.generate_key().decode("ascii"), "ascii")
    foreign = keys.read_text("ascii")
    for words in (["check"], ["rotate"], ["rotate", "--drop-old"]):
        assert _run(words, monkeypatch) == 2
        assert "from a backup" in capsys.readouterr().err
    assert keys.read_text("ascii") == foreign
    assert _run(["check", "--drop-old"], monkeypatch) == 2
