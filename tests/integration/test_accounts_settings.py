"""The settings boot, and every piece of an installation fits."""

import pytest
from django.core.management import call_command
from django.db import connection


def test_system_checks_are_clean() -> None:
    call_command("check", fail_level="WARNING")


@pytest.mark.django_db
def test_models_and_migrations_agree() -> None:
    call_command("makemigrations", "accounts", check=True, dry_run=True)


@pytest.mark.django_db
def test_sqlite_is_durable_and_has_one_writer_queue() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("SQLite only")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        assert cursor.fetchone() == ("wal",)
        cursor.execute("PRAGMA synchronous")
        assert cursor.fetchone() == (2,)  # FULL
        cursor.execute("PRAGMA busy_timeout")
        assert cursor.fetchone() == (20_000,)
