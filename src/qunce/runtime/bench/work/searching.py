"""Search stored messages for a word of two characters."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.db import connection

from qunce.domain.text import index_tokens
from qunce.readmodels import search
from qunce.readmodels.rows import Database
from qunce.runtime.bench.work.stopwatch import Stopwatch

_SAMPLE = 20_000
PAGE = 41


def words() -> dict[str, Any]:
    """Return a word that about every hundredth message holds, and a rare one: `frequent`, `rare`, and their messages."""
    counts: Counter[str] = Counter()
    sampled = 0
    for (text,) in Database(connection).query("SELECT text FROM message ORDER BY seq LIMIT ?", (_SAMPLE,)):
        counts.update(token for token in index_tokens(text).split() if len(token) == 2 and not token.isascii())
        sampled += 1
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    frequent = min(ranked, key=lambda word: abs(counts[word] - sampled / 100))
    return {"frequent": frequent, "rare": ranked[-1]}


def index(word: str, runs: int) -> dict[str, Any]:
    """Search as the product does: the newest page of messages that hold the word."""
    database = Database(connection)
    found: list[int] = []
    watch = Stopwatch()
    for _ in range(runs):
        with watch.lap():
            found = search.find(database, word, limit=PAGE)
    return {**watch.figures(), "found": len(found)}


def like(word: str, runs: int) -> dict[str, Any]:
    """Search with LIKE '%…%'."""
    database = Database(connection)
    found: list[Any] = []
    watch = Stopwatch()
    for _ in range(runs):
        with watch.lap():
            found = database.query("SELECT seq FROM message WHERE text LIKE ? ORDER BY seq DESC LIMIT ?", (f"%{word}%", PAGE))
    return {**watch.figures(), "found": len(found)}
