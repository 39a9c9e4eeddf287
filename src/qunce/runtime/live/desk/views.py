"""Show the desk: what waits for an answer in the groups somebody may see, most urgent first, and one matter with its talk."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Case as SqlCase
from django.db.models import Count, F, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce

from qunce.accounts.models import Staff
from qunce.readmodels.contents import CONTENT_NAMES
from qunce.readmodels.models import Group, Identity, Message, TagHolding
from qunce.readmodels.selectors import transcript
from qunce.readmodels.selectors.people import Person, persons
from qunce.readmodels.selectors.transcript import Line
from qunce.runtime.live.desk import duty
from qunce.runtime.models import DeskThread, ThreadState

FILTERS: Final = ("all", "mine", "late", "ended")
MOST: Final = 100
"""So many matters stand in the list; the most urgent ones."""
MOST_LINES: Final = 3_000
"""So many messages of those who wait are looked at for what they said since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadRow:
    """A matter in the list."""

    seq: int
    group_id: int
    group: str
    group_platform_id: str
    connector: str
    person: Person | None
    need: str
    stage: str
    state: str
    """`waiting`, `answered`, `released`, `expired`; `closed` = a colleague said it needs no answer."""
    late: bool
    due_ms: int
    asked_ms: int
    asked_seq: int
    level: int
    mode: str
    rule_id: str
    peer_seen: bool
    text: str
    """What was asked; empty = taken back, or no text."""
    content: str
    more: int
    """Messages they sent since."""
    owner_id: int | None
    owner: str
    snoozed_until_ms: int | None
    """None = it is not put aside now."""
    on_duty: tuple[str, ...]
    ended_ms: int | None
    waited_s: int
    reason: str
    answered_by: str
    """Who answered or ended it; empty = nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How much waits. Nothing that is put aside is in it but in `snoozed`."""

    waiting: int
    late: int
    mine: int
    snoozed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """A matter with the conversation round it."""

    row: ThreadRow
    lines: tuple[Line, ...]
    asks: frozenset[int]
    """Those of the lines that wait for the answer."""
    newer: bool
    """Whether the conversation goes on beyond the lines."""


def counts(staff_id: int, group_ids: Collection[int] | None, now_ms: int) -> Counts:
    """Return how much waits in the groups somebody may see; None = all. One query."""
    aside = Q(snoozed_until_ms__gt=now_ms)
    found = _waiting(group_ids).aggregate(
        waiting=Count("seq", filter=~aside | Q(snoozed_until_ms=None)),
        late=Count("seq", filter=Q(due_ms__lt=now_ms) & (~aside | Q(snoozed_until_ms=None))),
        mine=Count("seq", filter=Q(owner_id=staff_id)),
        snoozed=Count("seq", filter=aside),
    )
    return Counts(**found)


def thread_list(
    show: str, *, staff_id: int, group_ids: Collection[int] | None, now_ms: int, limit: int = MOST
) -> tuple[ThreadRow, ...]:
    """Return the matters of one of FILTERS: those that wait by when they are due, ended ones newest first. Eight queries."""
    if show == "ended":
        ended = _scoped(DeskThread.objects.exclude(state=ThreadState.WAITING, closed_ms=None), group_ids)
        found = list(ended.annotate(at=Coalesce("closed_ms", "ended_ms")).order_by("-at", "-seq")[:limit])
        return _rows(found, now_ms)
    rows = _waiting(group_ids)
    if show == "mine":
        rows = rows.filter(owner_id=staff_id)
    elif show == "late":
        rows = rows.filter(due_ms__lt=now_ms)
    last = SqlCase(When(snoozed_until_ms__gt=now_ms, then=Value(1)), default=Value(0))
    return _rows(list(rows.annotate(last=last).order_by("last", "due_ms", "seq")[:limit]), now_ms)


def access_thread(seq: int, group_ids: Collection[int] | None, now_ms: int) -> ThreadRow | None:
    """Return a matter; None = there is none of that name that may be seen."""
    found = _scoped(DeskThread.objects.filter(pk=seq), group_ids).first()
    return _rows([found], now_ms)[0] if found is not None else None


def talk(row: ThreadRow) -> Talk:
    """Return the conversation round a matter: shortly before the question, and what was said since. Seven queries."""
    around = transcript.around(row.group_id, transcript.moment_of(row.group_id, row.asked_seq) or row.asked_ms)
    asker = row.person.identity_id if row.person else None
    until = row.ended_ms or 2**62
    asks = frozenset(
        line.seq
        for line in around.lines
        if not line.happening
        and line.author is not None
        and line.author.identity_id == asker
        and (line.seq == row.asked_seq or row.asked_ms <= line.ts_ms <= until)
    )
    return Talk(row=row, lines=around.lines, asks=asks, newer=around.newer is not None)


def tags_of(identity_ids: Collection[int], group_id: int, now_ms: int) -> tuple[str, ...]:
    """Return the tags that stand on somebody, and on their membership of a group. One query."""
    rows = TagHolding.objects.filter(Q(until_ms=None) | Q(until_ms__gt=now_ms), identity_id__in=identity_ids, taken_ms=None)
    standing = rows.exclude(put_ms=None).filter(Q(target="member") | Q(target="membership", group_id=group_id))
    return tuple(standing.order_by("tag").values_list("tag", flat=True).distinct())


def colleagues(role_may: Collection[str]) -> tuple[Staff, ...]:
    """Return active staff with one of the roles, by name."""
    return tuple(Staff.objects.filter(is_active=True, role__in=role_may).order_by("display_name", "username"))


def _scoped(rows: QuerySet[DeskThread], group_ids: Collection[int] | None) -> QuerySet[DeskThread]:
    return rows if group_ids is None else rows.filter(group_id__in=group_ids)


def _waiting(group_ids: Collection[int] | None) -> QuerySet[DeskThread]:
    return _scoped(DeskThread.objects.filter(state=ThreadState.WAITING, closed_ms=None), group_ids)


def _rows(found: Sequence[DeskThread], now_ms: int) -> tuple[ThreadRow, ...]:
    if not found:
        return ()
    groups = {
        pk: (name, connector, account, platform_id)
        for pk, name, connector, account, platform_id in Group.objects.filter(
            pk__in={row.group_id for row in found}
        ).values_list("pk", "name", "connector", "account", "platform_id")
    }
    people = persons([pk for row in found for pk in (row.identity_id, row.responder_id)])
    said = _said(found)
    staff = _staff_names([pk for row in found for pk in (row.owner_id, row.closed_by)], [row.staff for row in found])
    on_duty = duty.on_duty({pk: (platform_id, name) for pk, (name, _, _, platform_id) in groups.items()}, now_ms)
    names = _roster_names({name for rostered in on_duty.values() for name in rostered})
    return tuple(
        _row(row, groups.get(row.group_id), people, said, staff, _named(on_duty.get(row.group_id, ()), names), now_ms)
        for row in found
    )


def _row(
    row: DeskThread, group: tuple[str, str, str, str] | None, people: dict[int, Person],
    said: dict[int, tuple[str, str, int]], staff: dict[int | str | None, str], on_duty: tuple[str, ...], now_ms: int,
) -> ThreadRow:  # fmt: skip
    closed = row.state == ThreadState.WAITING and row.closed_ms is not None
    text, content, more = said.get(row.seq, ("", "text", 0))
    responder = people.get(row.responder_id or 0)
    by_us = staff.get(row.staff or None) or row.staff
    return ThreadRow(
        seq=row.seq, group_id=row.group_id, group=group[0] if group else "",
        group_platform_id=group[3] if group else "", connector=group[1] if group else "",
        person=people.get(row.identity_id), need=row.need, stage=row.stage, state="closed" if closed else row.state,
        late=row.late or (row.state == ThreadState.WAITING and not closed and row.due_ms < now_ms),
        due_ms=row.due_ms, asked_ms=row.asked_ms, asked_seq=row.asked_seq, level=row.level, mode=row.mode,
        rule_id=row.rule_id, peer_seen=row.peer_seen, text=text, content=content, more=more, owner_id=row.owner_id,
        owner=staff.get(row.owner_id, ""),
        snoozed_until_ms=row.snoozed_until_ms if (row.snoozed_until_ms or 0) > now_ms else None, on_duty=on_duty,
        ended_ms=row.closed_ms if closed else row.ended_ms, waited_s=row.waited_s, reason=row.reason,
        answered_by=by_us or (responder.name if responder else "") or staff.get(row.closed_by, ""),
    )  # fmt: skip


def _said(found: Sequence[DeskThread]) -> dict[int, tuple[str, str, int]]:
    """Return what each matter's question says, its kind of content, and how many messages came after it."""
    rows = Message.objects.filter(pk__in=[row.asked_seq for row in found]).values_list("pk", "text", "content", "deleted_ms")
    texts = {
        pk: ("" if deleted_ms else text, "deleted" if deleted_ms else CONTENT_NAMES.get(content, "other"))
        for pk, text, content, deleted_ms in rows
    }
    more = _more([row for row in found if row.state == ThreadState.WAITING])
    return {row.seq: (*texts.get(row.asked_seq, ("", "deleted")), more.get(row.seq, 0)) for row in found}


def _more(waiting: list[DeskThread]) -> dict[int, int]:
    """Return how many messages each of those who wait has sent since they asked; none is left out."""
    if not waiting:
        return {}
    of_person = {(row.group_id, row.identity_id): row for row in waiting}
    since = min(row.asked_ms for row in waiting)
    later = Message.objects.filter(identity_id__in={pk for _, pk in of_person}, ts_ms__gte=since, deleted_ms=None)
    more: dict[int, int] = {}
    for seq, group_id, identity_id, ts_ms in later.order_by("-seq").values_list("seq", "group_id", "identity_id", "ts_ms")[
        :MOST_LINES
    ]:
        row = of_person.get((group_id, identity_id or 0))
        if row is not None and ts_ms >= row.asked_ms and seq != row.asked_seq:
            more[row.seq] = more.get(row.seq, 0) + 1
    return more


def _staff_names(ids: Iterable[int | None], logins: Iterable[str]) -> dict[int | str | None, str]:
    wanted, named = {pk for pk in ids if pk}, {login for login in logins if login}
    if not wanted and not named:
        return {}
    found: dict[int | str | None, str] = {}
    for staff in Staff.objects.filter(Q(pk__in=wanted) | Q(username__in=named)):
        found[staff.pk] = found[staff.username] = str(staff)
    return found


def _roster_names(rostered: Collection[str]) -> dict[str, str]:
    """Return the names of who is on duty: a roster names people by login name here, or by platform id."""
    if not rostered:
        return {}
    names = dict(Identity.objects.filter(platform_id__in=rostered).values_list("platform_id", "name"))
    return names | {login: name or login for login, name in _logins(rostered)}


def _logins(rostered: Collection[str]) -> list[tuple[str, str]]:
    return list(Staff.objects.filter(username__in=rostered).annotate(at=F("display_name")).values_list("username", "at"))


def _named(rostered: tuple[str, ...], names: dict[str, str]) -> tuple[str, ...]:
    return tuple(names.get(name) or name for name in rostered)
