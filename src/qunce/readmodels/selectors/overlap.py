"""Find persons who are in several groups (群去重), by any of their accounts, across platforms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db.models import Count, Min

from qunce.readmodels.models import Member, Membership

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.db.models import QuerySet

    from qunce.readmodels.selectors.days import Visible

PAGE: Final = 50
NOT_MEMBERS: Final = ("staff", "bot", "house_persona", "system")


@dataclass(frozen=True, slots=True, kw_only=True)
class SeveralRow:
    """A person in several groups."""

    member_id: int
    name: str
    kind: str
    accounts: int
    connectors: tuple[str, ...]
    groups: tuple[tuple[int, str], ...]
    """Ids and names, most messages first."""
    last_message_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeveralPage:
    """One page, with how many there are in all, and of how many persons who are in a group now."""

    rows: tuple[SeveralRow, ...]
    total: int
    persons: int
    page: int
    pages: int


def persons_of(group_ids: Collection[int], *, present: bool = True) -> dict[int, int]:
    """Return the members of these groups, each once however many accounts and groups, with an account of theirs in them.

    Staff, bots, house personas and system accounts are left out; `present=False` takes in who left. For prizes, lists and
    fatigue: a person counts once. One query.
    """
    rows = _memberships(None, present=present).filter(group_id__in=group_ids)
    return dict(rows.values_list("identity__member_id").annotate(Min("identity_id")).order_by("identity__member_id"))


def in_several(
    visible: Visible, *, at_least: int = 2, group_id: int | None = None, page: int = 1, size: int = PAGE
) -> SeveralPage:
    """Return the members who are in at least so many groups now, most groups first; `group_id` = one of them is this.

    Five queries.
    """
    present = _memberships(visible)
    counted = present.values("identity__member_id").annotate(groups=Count("group_id", distinct=True))
    several = counted.filter(groups__gte=at_least)
    if group_id is not None:
        several = several.filter(identity__member_id__in=present.filter(group_id=group_id).values("identity__member_id"))
    total = several.count()
    pages = max(1, -(-total // size))
    page = min(max(1, page), pages)
    ids = [
        row["identity__member_id"]
        for row in several.order_by("-groups", "identity__member_id")[(page - 1) * size : page * size]
    ]
    return SeveralPage(
        rows=_rows(ids, present), total=total, persons=counted.count(), page=page, pages=pages,
    )  # fmt: skip


def present_members(visible: Visible) -> QuerySet[Membership]:
    """Return who is in a visible group now: members only, a row for each account and group."""
    return _memberships(visible)


def _memberships(visible: Visible, *, present: bool = True) -> QuerySet[Membership]:
    rows = Membership.objects.filter(group__kind="group").exclude(identity__kind__in=NOT_MEMBERS)
    rows = rows.exclude(identity__member__kind__in=NOT_MEMBERS)
    if present:
        rows = rows.filter(left_ms=None)
    return rows if visible is None else rows.filter(group_id__in=visible)


def _rows(ids: list[int], present: QuerySet[Membership]) -> tuple[SeveralRow, ...]:
    groups: dict[int, dict[int, str]] = {pk: {} for pk in ids}
    accounts: dict[int, set[int]] = {pk: set() for pk in ids}
    connectors: dict[int, dict[str, None]] = {pk: {} for pk in ids}
    rows = present.filter(identity__member_id__in=ids).order_by("-message_count", "group_id")
    for member_id, account, connector, group_id, name in rows.values_list(
        "identity__member_id", "identity_id", "identity__connector", "group_id", "group__name"
    ):
        groups[member_id][group_id] = name
        accounts[member_id].add(account)
        connectors[member_id][connector] = None
    people = {row.pk: row for row in Member.objects.filter(pk__in=ids)}
    return tuple(
        SeveralRow(
            member_id=pk, name=people[pk].name, kind=people[pk].kind, accounts=len(accounts[pk]),
            connectors=tuple(connectors[pk]), groups=tuple(groups[pk].items()), last_message_ms=people[pk].last_message_ms,
        )
        for pk in ids
    )  # fmt: skip
