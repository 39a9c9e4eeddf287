"""Hash keys of persons (phone numbers, union ids) so that equal ones are found and none can be read.

The secret is a file of its own, `secrets/identity_key`: unlike the keys that encrypt (`secret_field`) it never changes, or
accounts would no longer be recognised. Numbers of phones are few enough to be tried one by one by whoever has both the file
and the database: back them up apart from each other.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

from django.conf import settings

from qunce.domain.identity_keys import normal_key


def digest_key(kind: str, value: str) -> str | None:
    """Return the keyed hash of a key's value in its one spelling; None when the value is no key of this kind."""
    normal = normal_key(kind, value)
    if normal is None:
        return None
    return blake2b(f"{kind}\x1f{normal}".encode("utf-8", "surrogatepass"), key=_secret(), digest_size=16).hexdigest()


def _secret() -> bytes:
    return _read(str(settings.IDENTITY_KEY_FILE))


@lru_cache(maxsize=4)
def _read(path: str) -> bytes:
    return Path(path).read_text("ascii").strip().encode("ascii")[:64]
