"""Read a group's conversation as people saw it: page by page, up and down, from any moment."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from django.db.models import Q

from qunce.domain.events import (
    TYPE_BY_CODE,
    TYPE_CODES,
    TYPE_NAMES,
    GroupDismissed,
    GroupUpdated,
    MemberJoined,
    MemberLeft,
    MemberRestricted,
    MemberUnrestricted,
    MemberUpdated,
)  # fmt: skip
from qunce.readmodels.contents import CONTENT_NAMES
from qunce.readmodels.models import Happening, Message, Reaction
from qunce.readmodels.selectors.people import Person, persons

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from django.db.models import QuerySet

PAGE: Final = 60
MAX_LINES_BETWEEN: Final = 200
"""Happenings shown between the messages of one page; a raid of joins must not make a page endless."""

Place = tuple[int, int]
"""Where a message stands in its group: (ts_ms, seq)."""

_SHOWN: Final = tuple(
    TYPE_CODES[body]
    for body in (MemberJoined, MemberLeft, MemberRestricted, MemberUnrestricted, MemberUpdated, GroupUpdated, GroupDismissed)
)
"""What people in a group could see happen; clicks and contacts they could not."""


class _Row(NamedTuple):
    """The columns of a message that a line is made of."""

    seq: int
    ts_ms: int
    identity_id: int | None
    content: int
    text: str
    parts: str
    reply_to: int | None
    is_question: bool
    edited_ms: int | None
    deleted_ms: int | None
    deleted_by: str
    reaction_count: int
    group_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One part of a message beyond plain text."""

    type: str
    text: str
    """Caption, title or file name; empty = none."""
    url: str
    size_bytes: int | None
    duration_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The message a message answers, shortened."""

    seq: int
    author: str
    text: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a transcript: a message, or something that happened between messages (`happening` is its event type)."""

    seq: int
    ts_ms: int
    author: Person | None
    content: str = "text"
    text: str = ""
    pieces: tuple[Piece, ...] = ()
    quote: Quote | None = None
    is_question: bool = False
    edited_ms: int | None = None
    deleted_ms: int | None = None
    deleted_by: str = ""
    reactions: tuple[tuple[str, int], ...] = ()
    happening: str = ""
    detail: Mapping[str, object] | None = None
    actor: Person | None = None
    """Who did what happened, where that is somebody else than `author`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """A stretch of a conversation, oldest line first. `older` and `newer` are where to go on; None = that is the end."""

    lines: tuple[Line, ...]
    older: Place | None
    newer: Place | None


def newest(group_id: int) -> Transcript:
    """Return the end of a group's conversation."""
    return before(group_id, None)


def before(group_id: int, place: Place | None) -> Transcript:
    """Return the messages before a place; None = the newest ones. Six queries."""
    rows = _in_group(group_id)
    if place is not None:
        rows = rows.filter(_older(place))
    found = _rows(rows.order_by("-ts_ms", "-seq")[: PAGE + 1])
    more = len(found) > PAGE
    shown = found[:PAGE][::-1]
    return _transcript(group_id, shown, older=more, newer=place is not None)


def after(group_id: int, place: Place) -> Transcript:
    """Return the messages after a place. Six queries."""
    found = _rows(_in_group(group_id).filter(_newer(place)).order_by("ts_ms", "seq")[: PAGE + 1])
    more = len(found) > PAGE
    return _transcript(group_id, found[:PAGE], older=True, newer=more)


def around(group_id: int, ts_ms: int) -> Transcript:
    """Return the messages from shortly before a moment on. Seven queries."""
    earlier = _rows(_in_group(group_id).filter(ts_ms__lt=ts_ms).order_by("-ts_ms", "-seq")[: PAGE // 4 + 1])
    later = _rows(_in_group(group_id).filter(ts_ms__gte=ts_ms).order_by("ts_ms", "seq")[: PAGE + 1])
    more_before, more_after = len(earlier) > PAGE // 4, len(later) > PAGE
    shown = [*earlier[: PAGE // 4][::-1], *later[:PAGE]]
    return _transcript(group_id, shown, older=more_before, newer=more_after)


def moment_of(group_id: int, seq: int) -> int | None:
    """Return when a message of this group was sent; None = there is no such message."""
    return Message.objects.filter(seq=seq, group_id=group_id).values_list("ts_ms", flat=True).first()


def messages(seqs: Sequence[int]) -> tuple[tuple[Line, int], ...]:
    """Return messages with their groups, in the order of `seqs`. Four queries."""
    rows = _rows(Message.objects.filter(seq__in=seqs))
    lines = {line.seq: line for line in _lines(rows)}
    groups = {row.seq: row.group_id for row in rows}
    return tuple((lines[seq], groups[seq]) for seq in seqs if seq in lines)


def pieces_of(parts: str) -> tuple[Piece, ...]:
    """Return the parts of a message as stored in `Message.parts`."""
    return tuple(
        Piece(
            type=part.get("type", "text"), text=part.get("text") or part.get("name") or "", url=part.get("url") or "",
            size_bytes=part.get("size_bytes"), duration_s=part.get("duration_s"),
        )
        for part in (json.loads(parts) if parts else ())
    )  # fmt: skip


def _in_group(group_id: int) -> QuerySet[Message]:
    return Message.objects.filter(group_id=group_id)


def _rows(messages: QuerySet[Message]) -> list[_Row]:
    return [_Row._make(row) for row in messages.values_list(*_Row._fields)]


def _older(place: Place) -> Q:
    # Written so that the index on (group, ts_ms, seq) bounds the scan on both databases.
    return Q(ts_ms__lte=place[0]) & (Q(ts_ms__lt=place[0]) | Q(seq__lt=place[1]))


def _newer(place: Place) -> Q:
    return Q(ts_ms__gte=place[0]) & (Q(ts_ms__gt=place[0]) | Q(seq__gt=place[1]))


def _transcript(group_id: int, rows: list[_Row], *, older: bool, newer: bool) -> Transcript:
    if not rows:
        return Transcript(lines=(), older=None, newer=None)
    spoken = _lines(rows)
    first, last = spoken[0], spoken[-1]
    between = _happenings(group_id, first.ts_ms if older else 0, last.ts_ms if newer else 2**62)
    lines = sorted((*spoken, *between), key=lambda line: (line.ts_ms, line.seq))
    return Transcript(
        lines=tuple(lines),
        older=(first.ts_ms, first.seq) if older else None,
        newer=(last.ts_ms, last.seq) if newer else None,
    )


def _lines(rows: Collection[_Row]) -> list[Line]:
    answered = {row.reply_to for row in rows if row.reply_to is not None}
    quoted = {row.seq: row for row in _rows(Message.objects.filter(seq__in=answered))} if answered else {}
    names = persons([row.identity_id for row in (*rows, *quoted.values())])
    reactions = _reactions([row.seq for row in rows if row.reaction_count])
    return [_line(row, names, quoted.get(row.reply_to or 0), reactions.get(row.seq, ())) for row in rows]


def _line(row: _Row, names: Mapping[int, Person], answered: _Row | None, reactions: tuple[tuple[str, int], ...]) -> Line:
    return Line(
        seq=row.seq,
        ts_ms=row.ts_ms,
        author=names.get(row.identity_id or 0),
        content=CONTENT_NAMES.get(row.content, "other"),
        text=row.text,
        pieces=pieces_of(row.parts),
        quote=_quote(answered, names) if answered else None,
        is_question=row.is_question,
        edited_ms=row.edited_ms,
        deleted_ms=row.deleted_ms,
        deleted_by=row.deleted_by,
        reactions=reactions,
    )


def _quote(row: _Row, names: Mapping[int, Person]) -> Quote:
    author = names.get(row.identity_id or 0)
    return Quote(
        seq=row.seq,
        author=author.name if author else "",
        text="" if row.deleted_ms is not None else row.text[:120],
        content=CONTENT_NAMES.get(row.content, "other"),
    )


def _reactions(seqs: Collection[int]) -> dict[int, tuple[tuple[str, int], ...]]:
    if not seqs:
        return {}
    counts: dict[int, dict[str, int]] = {}
    rows = Reaction.objects.filter(message_seq__in=seqs).order_by("seq").values_list("message_seq", "emoji")
    for seq, emoji in rows[:5_000]:
        of_message = counts.setdefault(seq, {})
        of_message[emoji] = of_message.get(emoji, 0) + 1
    return {seq: tuple(of_message.items()) for seq, of_message in counts.items()}


def _happenings(group_id: int, from_ms: int, until_ms: int) -> list[Line]:
    """Return what happened between two moments, the newest `MAX_LINES_BETWEEN` of it."""
    rows = list(
        Happening.objects.filter(group_id=group_id, type__in=_SHOWN, ts_ms__gte=from_ms, ts_ms__lte=until_ms)
        .order_by("-ts_ms", "-seq")
        .values_list("seq", "ts_ms", "type", "identity_id", "actor_id", "detail")[:MAX_LINES_BETWEEN]
    )
    names = persons([pk for row in rows for pk in (row[3], row[4])])
    return [
        Line(
            seq=seq, ts_ms=ts_ms, author=names.get(identity or 0), happening=TYPE_NAMES[TYPE_BY_CODE[code]],
            detail=json.loads(detail) if detail else {}, actor=names.get(actor or 0),
        )
        for seq, ts_ms, code, identity, actor, detail in rows
    ]  # fmt: skip
