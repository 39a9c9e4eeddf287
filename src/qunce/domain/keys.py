"""Make dedupe keys: the same happening must always get the same key, however often and from wherever it is read.

A native id makes the key where the platform gives one. Otherwise the key is a fingerprint of what was said, by whom, when and
where, with an ordinal that tells equal neighbours apart (two people may say 好的 in the same second, one may say it twice).
"""

from __future__ import annotations

from hashlib import blake2b


def message_key(conv_id: str, message_id: str) -> str:
    """Return the key of a `message.created`; replies, edits and reactions find their message through it."""
    return f"m:{conv_id}:{message_id}"


def native_key(kind: str, *ids: str) -> str:
    """Return the key of any other event that has a native id; `kind` keeps the families apart."""
    return ":".join((kind, *ids))


class Fingerprints:
    """Make keys for events without native ids, in the order of one conversation's file.

    The key starts with the time, so that the unique index grows at its end instead of everywhere. Equal happenings (same time,
    sender, type and text in one conversation) are told apart by an ordinal, counted per file: a second import counts alike.
    Holds one small entry for each distinct happening of the newest `window_ms` only, so memory stays flat on sorted files.
    """

    def __init__(self, window_ms: int = 3_600_000) -> None:
        self._window_ms = window_ms
        self._seen: dict[bytes, int] = {}
        self._older: dict[bytes, int] = {}
        self._bucket: int | None = None

    def key(self, ts_ms: int, *parts: str) -> str:
        """Return the key of a happening at `ts_ms`; `parts` are conversation, sender, type, text."""
        bucket = ts_ms // self._window_ms
        if bucket != self._bucket:
            self._older, self._seen, self._bucket = self._seen, {}, bucket
        digest = blake2b("\x1f".join((str(ts_ms), *parts)).encode("utf-8", "surrogatepass"), digest_size=12).digest()
        ordinal = self._seen.get(digest, self._older.get(digest, -1)) + 1
        self._seen[digest] = ordinal
        suffix = f"-{ordinal}" if ordinal else ""
        return f"f:{ts_ms:x}-{digest.hex()}{suffix}"
