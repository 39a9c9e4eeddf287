"""What a start needs from the machine: a port and a folder."""

import socket
from pathlib import Path

import pytest

from scripts.setup.environment import SetupError
from scripts.setup.preflight import HOST, check_port, check_writable


def test_a_taken_port_is_named_with_a_free_one() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SetupError, match=rf"port {port} is taken.*--port \d+"):
            check_port(port)
    check_port(port)


@pytest.mark.parametrize("port", [-1, 65536])
def test_an_impossible_port_is_refused(port: int) -> None:
    with pytest.raises(SetupError, match="mend"):
        check_port(port)


def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    check_writable(tmp_path / "a" / "b")
    assert not list((tmp_path / "a" / "b").iterdir())


def test_a_folder_that_cannot_be_made_is_named_with_the_mend(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match="--data DIR"):
        check_writable(tmp_path / "file" / "data")
