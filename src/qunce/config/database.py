"""Turn DATABASE_URL into Django's DATABASES entry: SQLite inside the data folder, or PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

if TYPE_CHECKING:
    from pathlib import Path

BUSY_TIMEOUT_S = 20
"""How long a SQLite connection waits for the one writer before it gives up."""


def database(url: str, data: Path) -> dict[str, Any]:
    """Return the settings of the database `url` names; an empty `url` means `qunce.sqlite3` in the data folder.

    Understands `postgresql://user:password@host:port/name`, and `postgresql:///name?host=/folder&user=…` for a Unix socket;
    other parameters go to libpq. Raises ValueError for any other kind of address.
    """
    return _postgresql(url) if url else _sqlite(data)


def _sqlite(data: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": data / "qunce.sqlite3",
        "OPTIONS": {
            "timeout": BUSY_TIMEOUT_S,
            # A transaction that will write takes its place in the queue at once; upgrading a read lock later fails at once.
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        },
        # Tests use a file too: an in-memory database knows neither WAL nor a second connection.
        "TEST": {"NAME": data / "test.sqlite3"},
    }


def _postgresql(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    name = unquote(parts.path.lstrip("/"))
    if parts.scheme not in {"postgres", "postgresql"} or not name:
        raise ValueError("DATABASE_URL must read postgresql://user:password@host:port/name; leave it out to use SQLite")
    options: dict[str, str] = dict(parse_qsl(parts.query))
    socket_or_host = options.pop("host", "")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": options.pop("user", "") or unquote(parts.username or ""),
        "PASSWORD": options.pop("password", "") or unquote(parts.password or ""),
        "HOST": socket_or_host or unquote(parts.hostname or ""),
        "PORT": options.pop("port", "") or str(parts.port or ""),
        "OPTIONS": options,
    }
