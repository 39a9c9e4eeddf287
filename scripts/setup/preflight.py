"""What a start needs from the machine, checked before anything is begun; each lack is one line with its mend."""

import socket
import tempfile
from pathlib import Path

from scripts.setup.environment import SetupError

HOST = "127.0.0.1"


def check_port(port: int) -> None:
    """Raise SetupError when the port cannot be listened on, with one that can."""
    if _is_free(port):
        return
    other = next((candidate for candidate in range(port + 1, port + 100) if candidate < 65536 and _is_free(candidate)), 0)
    raise SetupError(f"port {port} is taken or not allowed; mend: python3 bootstrap.py run --port {other or 8000}")


def check_writable(folder: Path) -> None:
    """Make the folder when it is missing, and raise SetupError when nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise SetupError(f"cannot write to {folder} ({error.strerror}); mend: choose another folder with --data DIR") from error


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: a port in TIME_WAIT after the last stop is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError):
            return False
    return True
