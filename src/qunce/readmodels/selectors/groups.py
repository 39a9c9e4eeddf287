"""List groups the way operators look for them: by who needs them, by size, by movement."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from django.db.models import Count, Min, Sum

from qunce.domain.text import contains
from qunce.readmodels.models import Community, Group, GroupDay, Membership, Question

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from django.db.models import QuerySet

    from qunce.readmodels.selectors.days import Visible

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
    member_count: int | None
    """Who is there now; None = not counted for this row."""
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
) -> GroupPage:
    """Return one page of groups; sums cover `days` local days up to and including `until`.

    All groups are sorted in memory, since any order needs every group's sums; an installation has thousands of groups, not
    millions. Members are counted for the rows shown, and for all only where they are the order. Five queries.
    """
    rows = _with_questions(_with_days(_base(visible, narrow), until, days), until)
    scores = health or {}
    rows = [replace(row, health=scores.get(row.id)) for row in rows]
    if sort == "members":
        rows = _with_members(rows)
    rows = _sorted(rows, sort, descending)
    pages = max(1, -(-len(rows) // PAGE))
    page = min(max(page, 1), pages)
    shown = rows[(page - 1) * PAGE : page * PAGE]
    if sort != "members":
        shown = _with_members(shown)
    return GroupPage(rows=tuple(shown), total=len(rows), page=page, pages=pages)


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
    return Group.objects.all() if visible is None else Group.objects.filter(pk__in=visible)


def _base(visible: Visible, narrow: GroupFilter) -> list[GroupRow]:
    groups = _groups(visible)
    if narrow.community_id is not None:
        groups = groups.filter(community_id=narrow.community_id)
    if narrow.connector:
        groups = groups.filter(connector=narrow.connector)
    columns = ("pk", "name", "connector", "kind", "community__name", "last_message_ms", "dismissed_ms")
    return [
        GroupRow(
            id=pk, name=name, connector=connector, kind=kind, community=community or "", last_message_ms=last,
            dismissed_ms=dismissed, member_count=None, messages=0, joined=0, left=0, open_questions=0, oldest_open_ms=None,
            health=None,
        )
        for pk, name, connector, kind, community, last, dismissed in groups.order_by("pk").values_list(*columns)
        if not narrow.text or contains(name, narrow.text)
    ]  # fmt: skip


def _with_days(rows: list[GroupRow], until: int, days: int) -> list[GroupRow]:
    sums = {
        group: (messages, joined, left)
        for group, messages, joined, left in GroupDay.objects.filter(day__range=(until - days + 1, until))
        .order_by()
        .values_list("group_id")
        .annotate(Sum("messages"), Sum("joined"), Sum("left"))
    }
    return [
        replace(row, messages=messages, joined=joined, left=left)
        for row in rows
        for messages, joined, left in (sums.get(row.id, (0, 0, 0)),)
    ]


def _with_questions(rows: list[GroupRow], until: int) -> list[GroupRow]:
    found = {
        group: (count, oldest)
        for group, count, oldest in Question.objects.filter(answer_seq=None, ts_ms__gte=open_since(until))
        .order_by()
        .values_list("group_id")
        .annotate(Count("seq"), Min("ts_ms"))
    }
    return [
        replace(row, open_questions=count, oldest_open_ms=oldest)
        for row in rows
        for count, oldest in (found.get(row.id, (0, None)),)
    ]


def open_since(until: int) -> int:
    """Return the moment before which an unanswered question no longer counts as open.

    Taken in UTC days, so up to a day wide of the local day: this is a cut-off for attention, not a figure.
    """
    return (until - OPEN_WINDOW_DAYS) * DAY_MS


def _with_members(rows: list[GroupRow]) -> list[GroupRow]:
    counts = dict(
        Membership.objects.filter(group_id__in=[row.id for row in rows], left_ms=None)
        .order_by()
        .values_list("group_id")
        .annotate(Count("pk"))
    )
    return [replace(row, member_count=counts.get(row.id, 0)) for row in rows]


def _sorted(rows: list[GroupRow], sort: str, descending: bool) -> list[GroupRow]:
    if sort == "needs":
        # Many open questions first; among equals the one that has waited longest. Then the busiest.
        return sorted(rows, key=lambda row: (-row.open_questions, row.oldest_open_ms or 0, -row.messages, row.id))
    keys = {
        "health": lambda row: row.health,
        "members": lambda row: row.member_count,
        "messages": lambda row: row.messages,
        "joined": lambda row: row.joined,
        "left": lambda row: row.left,
        "last": lambda row: row.last_message_ms,
        "name": lambda row: row.name.casefold(),
    }
    key = keys[sort]
    known = sorted((row for row in rows if key(row) is not None), key=lambda row: (key(row), row.id), reverse=descending)
    return known + [row for row in rows if key(row) is None]


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
