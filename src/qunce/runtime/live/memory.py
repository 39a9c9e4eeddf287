"""Hold the engine's state: from a checkpoint and the tail of the journal, or from the whole journal.

The tail is not decided again, because other rules were in force: the stored decisions and people's words are folded at the
positions where the engine met them. A checkpoint is a file; it may be lost, old, of another version or of another database,
and is then passed over.
"""

from __future__ import annotations

import logging
import os
from itertools import groupby
from pathlib import Path
from typing import Final

import msgspec

from qunce.domain.decisions import Approved, Decision, Undone
from qunce.domain.desk import DeskDecision
from qunce.domain.ids import GroupId
from qunce.engine import core
from qunce.journal.store import Journal
from qunce.runtime.happenings import Resolver
from qunce.runtime.models import Case, Word

logger = logging.getLogger(__name__)

REACT: Final = "react"
"""Name of the engine's cursor."""
_MAGIC: Final = b"qunce-state-2\n"
_BATCH: Final = 5_000
_AREAS: Final[dict[str, type[Decision] | type[DeskDecision]]] = {"moderation": Decision, "answers": DeskDecision}


class Mark(msgspec.Struct, frozen=True):
    """Which journal a checkpoint belongs to, and how far in it."""

    seq: int
    key: str
    """Dedupe key of the event at `seq`; a restored backup that grew differently has another."""
    case_id: int
    """Newest decision in it: moments that passed may add more at the same position."""
    words: tuple[int, ...]
    """Ids of the words at `seq` that are in it."""


def load(journal: Journal, resolver: Resolver, path: Path) -> tuple[core.State, int]:
    """Return the state at the engine's cursor, and that position."""
    upto = journal.cursor_position(REACT)
    state, mark = _read_checkpoint(journal, path, upto) or (core.State(), Mark(0, "", 0, ()))
    after = mark.seq
    _fold_rest(state, mark)
    for batch in journal.read_all(after, upto, _BATCH):
        decisions = decisions_between(batch[0].seq, batch[-1].seq)
        words = words_between(batch[0].seq, batch[-1].seq)
        for happening in resolver.happenings(batch):
            core.fold(state, happening)
            for decision in decisions.get(happening.seq, ()):
                core.fold(state, decision)
            for word in words.get(happening.seq, ()):
                core.fold(state, word)
    return state, upto


def save(journal: Journal, path: Path, state: core.State, seq: int) -> None:
    """Write a checkpoint; the earlier one stays until it is whole."""
    key = _key(journal, seq)
    if key is None:
        return
    case_id = Case.objects.order_by("-id").values_list("id", flat=True).first() or 0
    mark = Mark(seq, key, case_id, tuple(Word.objects.filter(after_seq=seq).order_by("id").values_list("id", flat=True)))
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    with open(draft, "wb") as file:
        head = msgspec.msgpack.encode(mark)
        file.write(_MAGIC + len(head).to_bytes(4, "big") + head + core.dump(state))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def decisions_between(first: int, last: int) -> dict[int, list[core.AnyDecision]]:
    """Return the stored decisions by the position after which the engine made them, in the order of deciding."""
    rows = (
        Case.objects.filter(after_seq__gte=first, after_seq__lte=last)
        .order_by("after_seq", "id")
        .values_list("after_seq", "area", "payload")
    )
    return {
        seq: [decoded(area, payload) for _, area, payload in group]
        for seq, group in groupby(rows.iterator(chunk_size=_BATCH), key=lambda row: row[0])
    }


def words_between(first: int, last: int) -> dict[int, list[Approved | Undone]]:
    """Return people's words by the position after which the engine heard them, in the order of hearing."""
    rows = Word.objects.filter(after_seq__gte=first, after_seq__lte=last).order_by("after_seq", "id")
    return {seq: [spoken(word) for word in group] for seq, group in groupby(rows, key=lambda word: word.after_seq or 0)}


def decoded(area: str, payload: str) -> core.AnyDecision:
    """Return a stored decision. Raises msgspec.ValidationError when it was written by another version."""
    return msgspec.json.decode(payload, type=_AREAS[area])


def area_of(decision: core.AnyDecision) -> str:
    """Return which part of the engine made a decision."""
    return "moderation" if isinstance(decision, Decision) else "answers"


def spoken(word: Word) -> Approved | Undone:
    """Return a stored word as the engine hears it."""
    kind = Approved if word.kind == "approved" else Undone
    return kind(decision_id=word.decision_id, group_id=GroupId(word.group_id))


def _fold_rest(state: core.State, mark: Mark) -> None:
    """Fold what came at the checkpoint's own position after it was written."""
    rows = Case.objects.filter(after_seq=mark.seq, id__gt=mark.case_id).order_by("id").values_list("area", "payload")
    for area, payload in rows:
        core.fold(state, decoded(area, payload))
    for word in Word.objects.filter(after_seq=mark.seq).exclude(pk__in=mark.words).order_by("id"):
        core.fold(state, spoken(word))


def _key(journal: Journal, seq: int) -> str | None:
    stored = journal.at([seq]).get(seq)
    return stored.event.dedupe_key if stored is not None else None


def _read_checkpoint(journal: Journal, path: Path, upto: int) -> tuple[core.State, Mark] | None:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        if not data.startswith(_MAGIC):
            raise ValueError("not a checkpoint")
        start = len(_MAGIC) + 4
        size = int.from_bytes(data[len(_MAGIC) : start], "big")
        mark = msgspec.msgpack.decode(data[start : start + size], type=Mark)
        known = Case.objects.filter(pk=mark.case_id).exists() or mark.case_id == 0
        if mark.seq > upto or not known or _key(journal, mark.seq) != mark.key:
            raise ValueError("of another journal")
        return core.load(data[start + size :]), mark
    except (ValueError, msgspec.MsgspecError) as error:
        logger.warning(
            "checkpoint passed over; folding the whole journal", extra={"action": "state.checkpoint", "reason": str(error)[:80]}
        )
        return None
