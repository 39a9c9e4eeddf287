"""Find who is not a contact (好友) of any employee: whoever is not is lost when their group goes (沉淀到私域).

Counted by person: one contact by any account of a person is enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db.models import Count, Exists, Max, OuterRef, Q

from qunce.readmodels.models import ContactMove, Group, Identity, Member
from qunce.readmodels.selectors.overlap import present_members

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.db.models import QuerySet

    from qunce.readmodels.selectors.days import Visible

PAGE: Final = 50
STATES: Final = ("no", "pending", "removed", "added")
"""`no` = neither a contact nor waiting to be one; those who were one and are no longer (`removed`) are among them."""
MOST_GROUPS: Final = 200
_STRONGER: Final = {"added": (), "pending": ("added",), "removed": ("added", "pending")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """How one account stands to one employee."""

    identity_id: int
    staff: str
    """Name of the employee where we know it, else as the source names them; empty = somebody."""
    state: str
    way: str
    origin: str
    ts_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRow:
    """A person in the list."""

    member_id: int
    name: str
    message_count: int
    paid_minor: int
    last_message_ms: int | None
    groups: tuple[tuple[int, str], ...]
    """Visible groups the person is in now."""
    contacts: tuple[Contact, ...]
    """Newest first; empty = never was a contact as far as we know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactSums:
    """Of the people who are in the groups now."""

    people: int
    added: int
    pending: int
    removed: int
    """Were a contact and are no longer."""

    @property
    def no(self) -> int:
        """Who is no contact and is not waiting to be one."""
        return self.people - self.added - self.pending


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactPage:
    """One page of people."""

    rows: tuple[ContactRow, ...]
    total: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupContacts:
    """How many of a group's people are contacts."""

    group_id: int
    name: str
    people: int
    added: int


def known_until() -> int | None:
    """Return the moment of the newest change we know of; None = no source ever told of contacts."""
    found: int | None = ContactMove.objects.aggregate(Max("ts_ms"))["ts_ms__max"]
    return found


def sums(visible: Visible, group_id: int | None = None) -> ContactSums:
    """Count the people of a group, None = of all visible groups. One query."""
    found = _people(visible, group_id).aggregate(
        people=Count("pk"), added=Count("pk", _is("added")), pending=Count("pk", _is("pending")),
        removed=Count("pk", _is("removed")),
    )  # fmt: skip
    return ContactSums(**found)


def listed(
    visible: Visible, *, state: str, group_id: int | None = None, page: int = 1, size: int = PAGE
) -> ContactPage:  # fmt: skip
    """Return people in one of `STATES`, those who spent most first, then those who wrote most. Five queries."""
    rows = _people(visible, group_id)
    rows = rows.exclude(_is("added") | _is("pending")) if state == "no" else rows.filter(_is(state))
    total = rows.count()
    pages = max(1, -(-total // size))
    page = min(max(1, page), pages)
    columns = ("pk", "name", "message_count", "paid_minor", "last_message_ms")
    ordered = rows.order_by("-paid_minor", "-message_count", "pk").values_list(*columns)
    found = list(ordered[(page - 1) * size : page * size])
    ids = [row[0] for row in found]
    groups: dict[int, dict[int, str]] = {pk: {} for pk in ids}
    there = present_members(visible).filter(identity__member_id__in=ids).order_by("-message_count", "group_id")
    for member_id, pk, name in there.values_list("identity__member_id", "group_id", "group__name"):
        groups[member_id][pk] = name
    contacts = of_members(ids)
    return ContactPage(
        rows=tuple(
            ContactRow(
                member_id=pk, name=name, message_count=messages, paid_minor=paid, last_message_ms=last,
                groups=tuple(groups[pk].items()), contacts=contacts.get(pk, ()),
            )
            for pk, name, messages, paid, last in found
        ),
        total=total, page=page, pages=pages,
    )  # fmt: skip


def by_group(visible: Visible) -> tuple[GroupContacts, ...]:
    """Return the groups with most people who are no contacts first, at most `MOST_GROUPS`. Two queries."""
    present = present_members(visible).order_by().values_list("group_id")
    friends = Q(identity__member_id__in=_members_in("added"))
    person = "identity__member_id"
    counted = present.annotate(people=Count(person, distinct=True), added=Count(person, friends, distinct=True))
    ordered = sorted(counted, key=lambda row: (row[2] - row[1], row[0]))[:MOST_GROUPS]
    names = dict(Group.objects.filter(pk__in=[row[0] for row in ordered]).values_list("pk", "name"))
    return tuple(GroupContacts(group_id=pk, name=names[pk], people=people, added=added) for pk, people, added in ordered)


def of_members(member_ids: Collection[int]) -> dict[int, tuple[Contact, ...]]:
    """Return how members stand to employees, the newest change first; who never was a contact is left out. Two queries."""
    accounts = dict(Identity.objects.filter(member_id__in=member_ids).values_list("pk", "member_id"))
    rows = list(_newest().filter(identity_id__in=accounts).exclude(state="none").order_by("-ts_ms", "-id"))
    names = _names({row.staff for row in rows})
    found: dict[int, list[Contact]] = {}
    for row in rows:
        contact = Contact(
            identity_id=row.identity_id, staff=names.get(row.staff, row.staff), state=row.state, way=row.way,
            origin=row.origin, ts_ms=row.ts_ms,
        )  # fmt: skip
        found.setdefault(accounts[row.identity_id], []).append(contact)
    return {pk: tuple(contacts) for pk, contacts in found.items()}


def standing(identity_ids: Collection[int]) -> dict[int, tuple[str, ...]]:
    """Return the employees, as the sources name them, whose contacts these accounts are or wait to be. One query."""
    rows = _newest().filter(identity_id__in=identity_ids, state__in=("added", "pending")).order_by("identity_id", "staff")
    found: dict[int, tuple[str, ...]] = {}
    for identity_id, staff in rows.values_list("identity_id", "staff"):
        found[identity_id] = (*found.get(identity_id, ()), staff)
    return found


def of_batch(batch_id: str) -> QuerySet[ContactMove]:
    """Return the changes of an imported list that nothing newer has replaced."""
    return _newest().filter(batch_id=batch_id)


def _newest() -> QuerySet[ContactMove]:
    later = ContactMove.objects.filter(identity_id=OuterRef("identity_id"), staff=OuterRef("staff")).filter(
        Q(ts_ms__gt=OuterRef("ts_ms")) | Q(ts_ms=OuterRef("ts_ms"), id__gt=OuterRef("id"))
    )
    return ContactMove.objects.filter(~Exists(later))


def _members_in(state: str) -> QuerySet[Identity, int]:
    accounts = _newest().filter(state=state).values("identity_id")
    return Identity.objects.filter(pk__in=accounts).values_list("member_id", flat=True)


def _is(state: str) -> Q:
    """Return the test of a state; each person is in one only: a contact of one employee is a contact, whatever others say."""
    test = Q(pk__in=_members_in(state))
    for stronger in _STRONGER[state]:
        test &= ~Q(pk__in=_members_in(stronger))
    return test


def _people(visible: Visible, group_id: int | None) -> QuerySet[Member]:
    present = present_members(visible)
    if group_id is not None:
        present = present.filter(group_id=group_id)
    return Member.objects.filter(pk__in=present.values("identity__member_id"))


def _names(staff: Collection[str]) -> dict[str, str]:
    """Return the names of employees by their id on a platform; an id that several platforms have keeps it."""
    rows = Identity.objects.filter(platform_id__in=[name for name in staff if name]).values_list("platform_id", "name")
    found: dict[str, set[str]] = {}
    for platform_id, name in rows:
        found.setdefault(platform_id, set()).add(name)
    return {platform_id: next(iter(names)) for platform_id, names in found.items() if len(names) == 1}
