"""Draw stable shares of people: the same unit falls into the same bucket each time, and another salt is another draw."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

BUCKETS: Final = 10_000


def bucket(salt: str, unit: int) -> int:
    """Return the bucket of a unit, 0 to 9,999: SHA-256 of `salt:unit`, first 8 bytes, modulo 10,000."""
    return int.from_bytes(sha256(f"{salt}:{unit}".encode()).digest()[:8]) % BUCKETS
