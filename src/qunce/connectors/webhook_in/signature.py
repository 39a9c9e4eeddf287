"""Sign requests, and tell whether one is signed by somebody who has the secret.

X-Qunce-Timestamp: seconds since 1970-01-01 UTC
X-Qunce-Signature: sha256=<hex of HMAC-SHA256(secret, timestamp + "." + body)>
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from typing import Final

from qunce.connectors.errors import AuthFailed

WINDOW_S: Final = 300
"""How far the two clocks may differ, and how old a request may be."""
TIMESTAMP: Final = "x-qunce-timestamp"
SIGNATURE: Final = "x-qunce-signature"


def sign(secret: str, timestamp_s: int, body: bytes) -> str:
    """Return the value of the signature header."""
    return "sha256=" + hmac.new(secret.encode(), f"{timestamp_s}.".encode() + body, "sha256").hexdigest()


def check(secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now_ms: int) -> None:
    """Raise AuthFailed unless the request is signed with one of the secrets and fresh. Header names are in lower case."""
    written = headers.get(TIMESTAMP, "").strip()
    if not written.isascii() or not written.isdigit() or len(written) > 12:
        raise AuthFailed("no_timestamp", "X-Qunce-Timestamp must be seconds since 1970")
    timestamp_s = int(written)
    given = headers.get(SIGNATURE, "").strip().encode()
    # Every secret is tried, so that the time taken tells nothing.
    matches = [hmac.compare_digest(sign(secret, timestamp_s, body).encode(), given) for secret in secrets]
    if not any(matches):
        raise AuthFailed("bad_signature", "X-Qunce-Signature does not match the body")
    if abs(now_ms // 1000 - timestamp_s) > WINDOW_S:
        raise AuthFailed("stale", "the request is too old, or a clock is wrong")
