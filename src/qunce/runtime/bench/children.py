"""Start child processes, each with a data folder and a database of the benchmark's own; never with the user's."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import qunce

NO_PARAMS: Final[Mapping[str, Any]] = MappingProxyType({})


class BenchError(Exception):
    """Something broke; the text says what."""


class Unavailable(Exception):
    """A case cannot be measured on this machine; the text says why."""


class Workshop:
    """The place of one run: a folder for everything, and a PostgreSQL server when one is asked for."""

    def __init__(self, keep: Path | None, postgres: str | None, say: Callable[[str], None]) -> None:
        """Keep data made for measuring in `keep`; None = nothing stays. `postgres` is a server's URL; None = start one."""
        self._temporary = Path(tempfile.mkdtemp(prefix="qunce-bench-"))
        self.say = say
        self.keep = keep if keep is not None else self._temporary / "kept"
        self.keep.mkdir(parents=True, exist_ok=True)
        self._postgres_url = postgres
        self._server: Any = None
        self._databases: list[str] = []
        self._made = 0

    @property
    def folder(self) -> Path:
        """Where the data folders are made; its disk is the one measured."""
        return self._temporary

    def new_folder(self) -> Path:
        """Return an empty folder, removed at the end of the run."""
        return Path(tempfile.mkdtemp(dir=self._temporary))

    def run(
        self, target: str, params: Mapping[str, Any] = NO_PARAMS, *, data: Path | None = None, url: str = ""
    ) -> dict[str, Any]:
        """Call `work.MODULE:FUNCTION` in a child; with `data`, Django is ready there. Raises BenchError when it fails."""
        self._made += 1
        result = self._temporary / f"result-{self._made}.json"
        command = [sys.executable, "-m", "qunce.runtime.bench.child", target, json.dumps(dict(params)), str(result)]
        if data is not None:
            command.append("database")
        done = subprocess.run(
            command, env=environment(data or self._temporary / "unused", url), stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise BenchError(f"{target}: " + " | ".join(said[-3:]))
        figures: dict[str, Any] = json.loads(result.read_text("utf-8"))
        result.unlink()
        return figures

    def new_postgres(self) -> str:
        """Return the URL of a new, empty database. Raises Unavailable without a server."""
        server = self._postgres_url or self._start_postgres()
        name = f"qunce_bench_{os.getpid()}_{len(self._databases) + 1}"
        _admin(server, f"CREATE DATABASE {name}")
        self._databases.append(name)
        return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))

    def close(self) -> None:
        """Remove everything that was not asked to be kept."""
        if self._server is not None:
            self._server.stop()
        elif self._postgres_url:
            for name in self._databases:
                _admin(self._postgres_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        shutil.rmtree(self._temporary, ignore_errors=True)

    def _start_postgres(self) -> str:
        """Start the server that tests use, but as careful with the disk as any: a benchmark must wait for it."""
        try:
            self._server = import_module("qunce.testing.pytest_database").TemporaryPostgres()
        except ImportError as error:
            raise Unavailable(
                f"no PostgreSQL: give one with --postgres URL, or install requirements/test.txt ({error})"
            ) from error
        self._postgres_url = str(self._server.url)
        _admin(self._postgres_url, "ALTER SYSTEM RESET ALL")
        _admin(self._postgres_url, "SELECT pg_reload_conf()")
        return self._postgres_url


def environment(data: Path, url: str) -> dict[str, str]:
    """Return the environment of a child: this one's, with that data folder and that database."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("QUNCE_") and name != "DATABASE_URL"}
    paths = [str(Path(qunce.__file__).parents[1]), own.get("PYTHONPATH", "")]
    return own | {
        "PYTHONPATH": os.pathsep.join(filter(None, paths)), "DJANGO_SETTINGS_MODULE": "qunce.config.settings",
        "QUNCE_DATA": str(data), "DATABASE_URL": url, "QUNCE_LOG_LEVEL": "ERROR",
    }  # fmt: skip


def _admin(url: str, sql: str) -> None:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.encode())
