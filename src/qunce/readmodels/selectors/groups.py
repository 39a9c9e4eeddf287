"""List groups the way operators look for them: by who needs them, by size, by movement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from django.db.models import Count, Min, Model, Sum

from qunce.domain.text import contains
from qunce.readmodels.models import PLAYED, Community, Group, GroupChart, GroupDay, Membership, Question

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from django.db.models import QuerySet

    from qunce.readmodels.selectors.days import Visible

_M = TypeVar("_M", bound=Model)

PAGE: Final = 50
SORTS: Final = ("needs", "health", "members", "messages", "joined", "left", "last", "name")
OPEN_WINDOW_DAYS: Final = 7
"""Unanswered questions older than this no longer call for anybody."""
DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRow:
    """One group in a list."""

    id: int
    name: str
    connector: str
    kind: str
    community: str
    """Empty = belongs to no community."""
    last_message_ms: int | None
    dismissed_ms: int | None
    member_count: int
    """People who are there now, each once however many accounts; staff, bots and house personas too."""
    account_count: int
    """Accounts that are there now."""
    messages: int
    """Within the window, like `joined` and `left`."""
    joined: int
    left: int
    open_questions: int
    oldest_open_ms: int | None
    health: float | None
    """Score of 0 to 100; None = not computed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFilter:
    """What a list of groups is narrowed to; empty = everything."""

    text: str = ""
    community_id: int | None = None
    connector: str = ""
    group_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPage:
    """One page of the list."""

    rows: tuple[GroupRow, ...]
    total: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the filters of a list of groups offer."""

    communities: tuple[tuple[int, str], ...]
    connectors: tuple[str, ...]


def list_groups(
    visible: Visible,
    *,
    narrow: GroupFilter,
    sort: str,
    descending: bool,
    page: int,
    until: int,
    days: int = 7,
    health: Mapping[int, float] | None = None,
    size: int = PAGE,
) -> GroupPage:
    """Return one page of groups; sums cover `days` local days up to and including `until`.

    All groups are sorted in memory, since any order needs every group's sums; an installation has thousands of groups, not
    millions. Members are counted for the rows shown, and for all only where they are the order. Six queries.
    """
    found = _base(visible, narrow)
    sums = _Sums(
        days=_days(until, days, visible),
        questions=_questions(until, visible),
        health=health or {},
        members=_members(None) if sort == "members" else {},
    )
    found.sort(key=lambda row: _key(sort, row, sums, descending))
    pages = max(1, -(-len(found) // size))
    page = min(max(page, 1), pages)
    shown = found[(page - 1) * size : page * size]
    members = sums.members or _members([row[0] for row in shown])
    rows = tuple(_group_row(row, sums, members) for row in shown)
    return GroupPage(rows=rows, total=len(found), page=page, pages=pages)


def choices(visible: Visible) -> Choices:
    """Return the communities and platforms of the visible groups."""
    groups = _groups(visible)
    communities = Community.objects.filter(pk__in=groups.exclude(community=None).values("community")).order_by("name")
    connectors = groups.order_by("connector").values_list("connector", flat=True).distinct()
    return Choices(communities=tuple(communities.values_list("pk", "name")), connectors=tuple(connectors))


def any_group(visible: Visible) -> bool:
    """Tell whether there is anything to show at all."""
    return _groups(visible).exists()


def _groups(visible: Visible) -> QuerySet[Group]:
    groups = Group.objects.exclude(connector=PLAYED)
    return groups if visible is None else groups.filter(pk__in=visible)


_Row = tuple[int, str, str, str, str | None, int | None, int | None]
"""Id, name, connector, kind, community, newest message, dismissed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sums:
    """What groups are sorted by, by group id; a group without an entry has nothing of it."""

    days: Mapping[int, tuple[int, int, int]]
    questions: Mapping[int, tuple[int, int]]
    health: Mapping[int, float]
    members: Mapping[int, tuple[int, int]]
    """People and accounts."""


def _base(visible: Visible, narrow: GroupFilter) -> list[_Row]:
    groups = _groups(visible)
    if narrow.community_id is not None:
        groups = groups.filter(community_id=narrow.community_id)
    if narrow.connector:
        groups = groups.filter(connector=narrow.connector)
    if narrow.group_type:
        charted = GroupChart.objects.filter(field="group_type", value=narrow.group_type)
        groups = groups.filter(pk__in=charted.values("group_id"))
    rows: Iterable[_Row] = groups.order_by("pk").values_list(
        "pk", "name", "connector", "kind", "community__name", "last_message_ms", "dismissed_ms"
    )
    return [row for row in rows if not narrow.text or contains(row[1], narrow.text)]


def _days(until: int, days: int, visible: Visible) -> dict[int, tuple[int, int, int]]:
    rows = _of(GroupDay.objects.filter(day__range=(until - days + 1, until)), visible).order_by().values_list("group_id")
    return {
        group: (said, joined, left) for group, said, joined, left in rows.annotate(Sum("messages"), Sum("joined"), Sum("left"))
    }


def _questions(until: int, visible: Visible) -> dict[int, tuple[int, int]]:
    rows = (
        _of(Question.objects.filter(answer_seq=None, ts_ms__gte=open_since(until)), visible).order_by().values_list("group_id")
    )
    return {group: (count, oldest) for group, count, oldest in rows.annotate(Count("seq"), Min("ts_ms"))}


def _of(rows: QuerySet[_M], visible: Visible) -> QuerySet[_M]:
    return rows if visible is None else rows.filter(group_id__in=visible)


def _members(group_ids: Collection[int] | None) -> dict[int, tuple[int, int]]:
    """Return people and accounts of groups. Few accounts are linked, so only these are compared: the rest counts as it is."""
    rows = Membership.objects.filter(left_ms=None)
    if group_ids is not None:
        rows = rows.filter(group_id__in=group_ids)
    accounts = dict(rows.order_by().values_list("group_id").annotate(Count("pk")))
    linked = rows.filter(identity__linked=True).order_by().values_list("group_id")
    spare = linked.annotate(spare=Count("pk") - Count("identity__member_id", distinct=True)).filter(spare__gt=0)
    spares = dict(spare)
    return {group: (count - spares.get(group, 0), count) for group, count in accounts.items()}


def open_since(until: int) -> int:
    """Return the moment before which an unanswered question no longer counts as open.

    Taken in UTC days, so up to a day wide of the local day: this is a cut-off for attention, not a figure.
    """
    return (until - OPEN_WINDOW_DAYS) * DAY_MS


def _key(sort: str, row: _Row, sums: _Sums, descending: bool) -> tuple[object, ...]:
    """Return the sort key of a group; groups of which the value is not known come last either way."""
    group = row[0]
    if sort == "needs":
        # Many open questions first; among equals the one that has waited longest. Then the busiest.
        count, oldest = sums.questions.get(group, (0, 0))
        return (-count, oldest, -sums.days.get(group, _NO_DAYS)[0], group)
    if sort == "name":
        codes = [-ord(char) if descending else ord(char) for char in row[1].casefold()]
        return (0, codes, group)
    values = {
        "health": sums.health.get(group), "members": sums.members.get(group, _NOBODY)[0], "last": row[5],
        "messages": sums.days.get(group, _NO_DAYS)[0], "joined": sums.days.get(group, _NO_DAYS)[1],
        "left": sums.days.get(group, _NO_DAYS)[2],
    }  # fmt: skip
    value = values[sort]
    if value is None:
        return (1, 0, group)
    return (0, -value if descending else value, group)


_NO_DAYS: Final = (0, 0, 0)
_NOBODY: Final = (0, 0)


def _group_row(row: _Row, sums: _Sums, members: Mapping[int, tuple[int, int]]) -> GroupRow:
    group, name, connector, kind, community, last, dismissed = row
    messages, joined, left = sums.days.get(group, _NO_DAYS)
    count, oldest = sums.questions.get(group, (0, None))
    people, accounts = members.get(group, _NOBODY)
    return GroupRow(
        id=group, name=name, connector=connector, kind=kind, community=community or "", last_message_ms=last,
        dismissed_ms=dismissed, member_count=people, account_count=accounts, messages=messages, joined=joined, left=left,
        open_questions=count, oldest_open_ms=oldest, health=sums.health.get(group),
    )  # fmt: skip


def names(group_ids: Collection[int]) -> dict[int, str]:
    """Return the names of groups by id."""
    return dict(Group.objects.filter(pk__in=group_ids).values_list("pk", "name"))


def name_of(group_id: int | None) -> str:
    """Return the name of one group; empty = there is none."""
    return names((group_id,)).get(group_id, "") if group_id is not None else ""


def all_names() -> tuple[tuple[int, str], ...]:
    """Return all groups by name, for choosing among them."""
    return tuple(Group.objects.order_by("name", "pk").values_list("pk", "name"))


def community_names() -> dict[int, str]:
    """Return the names of communities by id."""
    return dict(Community.objects.values_list("pk", "name"))


def charted(group_ids: Collection[int], field: str) -> dict[int, str]:
    """Return what was set down about groups in one field, by group id; groups without it are left out."""
    rows = GroupChart.objects.filter(group_id__in=group_ids, field=field).exclude(value="")
    return dict(rows.values_list("group_id", "value"))
