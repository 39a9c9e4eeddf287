"""Real servers for the deep tests."""

from __future__ import annotations

import hashlib
import hmac
import socket
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import pytest

from scripts.setup.environment import ROOT, Environment, SetupError, ensure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START_LIMIT_S = 120
SERVER_NAME = "qunce.test"
CONFIGURATION = """
server_name: {name}
pid_file: {folder}/homeserver.pid
listeners: [{{port: {port}, type: http, bind_addresses: ["127.0.0.1"], resources: [{{names: [client]}}]}}]
database: {{name: sqlite3, args: {{database: "{folder}/homeserver.db"}}}}
log_config: {folder}/log.yaml
media_store_path: {folder}/media
signing_key_path: {folder}/signing.key
registration_shared_secret: {secret}
macaroon_secret_key: tests-only
form_secret: tests-only
report_stats: false
# Nobody else is asked for anything.
trusted_key_servers: []
federation_domain_whitelist: []
presence: {{enabled: false}}
bcrypt_rounds: 4
rc_message: {{per_second: 1000, burst_count: 1000}}
rc_registration: {{per_second: 1000, burst_count: 1000}}
rc_login:
  address: {{per_second: 1000, burst_count: 1000}}
  account: {{per_second: 1000, burst_count: 1000}}
rc_joins:
  local: {{per_second: 1000, burst_count: 1000}}
rc_invites:
  per_room: {{per_second: 1000, burst_count: 1000}}
  per_user: {{per_second: 1000, burst_count: 1000}}
"""
LOG_CONFIGURATION = "{version: 1, root: {level: WARNING}}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Homeserver:
    """A running Matrix server of this test run."""

    url: str
    secret: str

    def register(self, name: str) -> str:
        """Make a user and return an access token."""
        address = f"{self.url}/_synapse/admin/v1/register"
        nonce = httpx.get(address).raise_for_status().json()["nonce"]
        signed = "\0".join((nonce, name, "tests-only", "notadmin")).encode()
        mac = hmac.new(self.secret.encode(), signed, hashlib.sha1).hexdigest()
        user = {"nonce": nonce, "username": name, "password": "tests-only", "admin": False, "mac": mac}
        token: str = httpx.post(address, json=user).raise_for_status().json()["access_token"]
        return token


@pytest.fixture(scope="session")
def homeserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Homeserver]:
    """A Synapse from `requirements/synapse.txt` on a port of its own; it is installed at its first use."""
    try:
        python = ensure(Environment(folder=ROOT / ".venv-synapse", requirement="synapse"), print)
    except SetupError as error:
        pytest.fail(str(error))
    folder = tmp_path_factory.mktemp("synapse")
    server = Homeserver(url=f"http://127.0.0.1:{_free_port()}", secret="tests-only")
    command = [str(python), "-m", "synapse.app.homeserver", "-c", str(_configure(folder, server))]
    subprocess.run([*command, "--generate-keys"], cwd=folder, check=True, capture_output=True)
    with (folder / "log").open("wb") as log, subprocess.Popen(command, cwd=folder, stdout=log, stderr=log) as process:
        try:
            _wait(server, process, folder / "log")
            yield server
        finally:
            process.terminate()


def _configure(folder: Path, server: Homeserver) -> Path:
    (folder / "log.yaml").write_text(LOG_CONFIGURATION, "utf-8")
    path = folder / "homeserver.yaml"
    port = server.url.rpartition(":")[2]
    path.write_text(CONFIGURATION.format(name=SERVER_NAME, folder=folder, port=port, secret=server.secret), "utf-8")
    return path


def _wait(server: Homeserver, process: subprocess.Popen[bytes], log: Path) -> None:
    give_up = time.monotonic() + START_LIMIT_S
    while time.monotonic() < give_up and process.poll() is None:
        try:
            httpx.get(f"{server.url}/_matrix/client/versions").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.2)
        else:
            return
    pytest.fail(f"synapse did not start:\n{log.read_text('utf-8', errors='replace')[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
