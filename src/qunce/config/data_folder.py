"""Prepare the data folder: where an installation keeps everything that is its own.

`qunce.sqlite3` (unless DATABASE_URL names a server), `secrets/`, `uploads/`, `rejects/`, `mirror/` and `static/`. Secrets are
made at the first start and never leave the folder: `secret_key` signs sessions, `field_keys` encrypts secrets at rest,
`identity_key` hashes phone numbers and the like.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDERS = ("secrets", "uploads", "rejects", "mirror", "static")


def prepare(root: Path) -> Path:
    """Make the data folder and its parts where they are missing; return it as an absolute path. Raises OSError."""
    root = root.expanduser().resolve()
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in FOLDERS:
        (root / name).mkdir(mode=0o700, exist_ok=True)
    once(root / "secrets" / "secret_key", lambda: secrets.token_urlsafe(48))
    once(root / "secrets" / "field_keys", lambda: Fernet.generate_key().decode("ascii"))
    once(root / "secrets" / "identity_key", lambda: secrets.token_urlsafe(48))
    return root


def once(path: Path, make: Callable[[], str]) -> str:
    """Return the text of `path`, made at the first call, readable by its owner only.

    Two processes that start together agree: the file appears complete, by a link that only one of them can make.
    """
    if not path.exists():
        draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(make() + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # the other process was faster: its secret counts
        finally:
            draft.unlink()
    return path.read_text("ascii").strip()
