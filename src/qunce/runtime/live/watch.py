"""See in one query whether anything but events is new for the loop that reacts: it asks many times a second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from qunce.readmodels.rows import Database
from qunce.runtime.live.marks import GENERATION
from qunce.runtime.live.playbooks import Standing

_SQL: Final = (
    "SELECT (SELECT max(number) FROM playbook_version), (SELECT value FROM setting WHERE name = ?), "
    "EXISTS(SELECT 1 FROM decision_word WHERE after_seq IS NULL), EXISTS(SELECT 1 FROM desk_word WHERE after_seq IS NULL)"
)


@dataclass(frozen=True, slots=True)
class News:
    """What there is."""

    standing: Standing
    """What the rules in force are made of, as `playbooks.standing`."""
    words: bool
    """People said something to decisions."""
    desk_words: bool
    """Colleagues said something to matters."""


def look(database: Database) -> News:
    """Return what is new. One small query."""
    [(number, generation, words, desk_words)] = database.query(_SQL, (GENERATION,))
    return News((number or 0, int(generation or 0)), bool(words), bool(desk_words))
