"""Count and list members by their tiers, and the moves between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from django.db.models import Count, Exists, Model, OuterRef

from qunce.readmodels.models import Identity, Member, TierHolding, TierMove

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from qunce.readmodels.selectors.days import Visible

Row = TypeVar("Row", bound=Model)
PAGE: Final = 50
COUNTED: Final = ("member", "unknown")
"""Kinds of people who are sorted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnLevel:
    """One member on a level. `since_ms` None = there from the beginning."""

    member_id: int
    name: str
    kind: str
    since_ms: int | None
    message_count: int
    order_count: int
    paid_minor: int
    last_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One move of one member; `old` empty = was not sorted before."""

    seq: int
    member_id: int
    name: str
    old: str
    new: str
    ts_ms: int


def members(visible: Visible) -> int:
    """Return how many members there are to be sorted."""
    return _seen(Member.objects.filter(kind__in=COUNTED), "pk", visible).count()


def counts(visible: Visible) -> dict[tuple[str, str], int]:
    """Return how many members are on each (scheme, level) they ever moved to."""
    people = _seen(Member.objects.filter(kind__in=COUNTED), "pk", visible).values("pk")
    rows = TierHolding.objects.filter(identity_id__in=people).values_list("scheme_id", "level_id").annotate(n=Count("id"))
    return {(scheme, level): number for scheme, level, number in rows.order_by("scheme_id", "level_id")}


def on_level(
    scheme_id: str, level_id: str, visible: Visible, *, lowest: bool, after: int = 0, size: int = PAGE
) -> tuple[tuple[OnLevel, ...], int | None]:
    """Return a page of the members of a level in order of ids, and the id to go on after (None = the end).

    `lowest`: the level holds everybody who is on no other one.
    """
    holding = TierHolding.objects.filter(identity_id=OuterRef("pk"), scheme_id=scheme_id)
    rows = Member.objects.filter(kind__in=COUNTED, pk__gt=after)
    rows = rows.filter(~Exists(holding.exclude(level_id=level_id))) if lowest else rows.filter(
        pk__in=TierHolding.objects.filter(scheme_id=scheme_id, level_id=level_id).values("identity_id")
    )  # fmt: skip
    found = list(_seen(rows, "pk", visible).order_by("pk")[: size + 1])
    more, found = len(found) > size, found[:size]
    since = dict(
        TierHolding.objects.filter(scheme_id=scheme_id, identity_id__in=[row.pk for row in found]).values_list(
            "identity_id", "since_ms"
        )
    )
    page = tuple(
        OnLevel(
            member_id=row.pk, name=row.name, kind=row.kind, since_ms=since.get(row.pk), message_count=row.message_count,
            order_count=row.order_count, paid_minor=row.paid_minor, last_ms=row.last_ms,
        )
        for row in found
    )  # fmt: skip
    return page, page[-1].member_id if more else None


def flows(scheme_id: str, since_ms: int, visible: Visible) -> tuple[tuple[str, str, int], ...]:
    """Return how many moved from which level to which since a moment, most first; first sortings are left out."""
    rows = _seen(TierMove.objects.filter(scheme_id=scheme_id, ts_ms__gte=since_ms).exclude(old=""), "identity_id", visible)
    found = rows.values_list("old", "new").annotate(n=Count("seq")).order_by("-n", "old", "new")
    return tuple((old, new, number) for old, new, number in found)


def moves(scheme_id: str, visible: Visible, limit: int = 30) -> tuple[Move, ...]:
    """Return the newest moves of a scheme, newest first, without first sortings."""
    rows = list(
        _seen(TierMove.objects.filter(scheme_id=scheme_id).exclude(old=""), "identity_id", visible).order_by("-ts_ms", "-seq")[
            :limit
        ]
    )
    names = dict(Member.objects.filter(pk__in={row.identity_id for row in rows}).values_list("pk", "name"))
    return tuple(
        Move(seq=row.seq, member_id=row.identity_id, name=names[row.identity_id], old=row.old, new=row.new, ts_ms=row.ts_ms)
        for row in rows if row.identity_id in names
    )  # fmt: skip


def of_member(member_id: int) -> dict[str, tuple[str, int]]:
    """Return the level of a member in each scheme, and since when; schemes in which they never moved are left out."""
    rows = TierHolding.objects.filter(identity_id=member_id).values_list("scheme_id", "level_id", "since_ms")
    return {scheme: (level, since) for scheme, level, since in rows}


def _seen(rows: QuerySet[Row], column: str, visible: Visible) -> QuerySet[Row]:
    if visible is None:
        return rows
    return rows.filter(**{f"{column}__in": Identity.objects.filter(membership__group_id__in=visible).values("member_id")})
