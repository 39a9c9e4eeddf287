"""Find members, and show one across all groups."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Count, F, Q

from qunce.domain.events import TYPE_BY_CODE, TYPE_NAMES
from qunce.domain.text import fold
from qunce.readmodels.contents import CONTENT_NAMES
from qunce.readmodels.models import PLAYED, Happening, Identity, Member, Membership, Message, Order
from qunce.readmodels.selectors.profiles import holders, with_word

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import QuerySet

    from qunce.readmodels.selectors.days import Visible

PAGE: Final = 50
TIMELINE_PAGE: Final = 40
FEW_GROUPS: Final = 64
SORTS: Final = {"recent": "last_ms", "messages": "message_count", "orders": "order_count", "spend": "paid_minor"}
KINDS: Final = ("", "member", "staff", "bot", "house_persona")

_COLUMNS: Final = (
    "id", "name", "kind", "first_ms", "last_ms", "last_message_ms", "message_count", "order_count", "paid_minor",
)  # fmt: skip

Place = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRow:
    """One member in a list."""

    id: int
    name: str
    kind: str
    first_ms: int | None
    last_ms: int | None
    last_message_ms: int | None
    message_count: int
    order_count: int
    paid_minor: int
    groups: int
    """Visible groups the member is in now."""
    connectors: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberPage:
    """One page; `next` is where to go on, None = the end."""

    rows: tuple[MemberRow, ...]
    next: Place | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityRow:
    """One account of a member."""

    id: int
    connector: str
    account: str
    platform_id: str
    name: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipRow:
    """One group of a member, by all accounts that are or were there."""

    group_id: int
    group_name: str
    connector: str
    nickname: str
    role: str
    joined_ms: int | None
    first_ms: int
    left_ms: int | None
    leave_reason: str
    scene: str
    message_count: int
    last_message_ms: int | None
    accounts: int
    """By which the member is or was there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRow:
    """One order of a member."""

    id: int
    order_id: str
    status: str
    created_ms: int
    paid_ms: int | None
    amount_minor: int
    refunded_minor: int
    currency: str
    items: tuple[Mapping[str, object], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineRow:
    """Something a member did: `what` is `message`, `order`, or the type of an event."""

    seq: int
    ts_ms: int
    what: str
    group_id: int | None
    group: str
    text: str
    content: str
    detail: Mapping[str, object]
    order: OrderRow | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFilter:
    """What is asked for of what is known of members; empty = nothing."""

    now_ms: int = 0
    tag: str = ""
    attribute: str = ""
    word: str = ""

    def __bool__(self) -> bool:
        return bool(self.tag or (self.attribute and self.word))


NOTHING_KNOWN: Final = KnownFilter()


def list_members(
    visible: Visible, *, text: str, kind: str, sort: str, after: Place | None, size: int = PAGE,
    known: KnownFilter = NOTHING_KNOWN,
) -> MemberPage:  # fmt: skip
    """Return one page of members, largest first in the order of `sort`.

    `text` is the beginning of a name, or an id of a platform. `after` is the place of the last row of the page before. Two
    queries; a reader who sees many groups but not all costs two for each stretch of the list that is looked through.
    """
    column = SORTS[sort]
    rows = _narrow(_with_known(known), text, kind).annotate(place=F(column))
    if column == "last_ms":
        rows = rows.exclude(last_ms=None)
    if after is not None:
        rows = rows.filter(Q(**{f"{column}__lte": after[0]}) & (Q(**{f"{column}__lt": after[0]}) | Q(pk__gt=after[1])))
    found = _first(rows.order_by(F(column).desc(), "id").values(*_COLUMNS, "place"), visible, size)
    more, found = len(found) > size, found[:size]
    places = [row.pop("place") for row in found]
    extra = _groups_and_platforms([row["id"] for row in found], visible)
    page = tuple(MemberRow(**row, groups=extra[row["id"]][0], connectors=extra[row["id"]][1]) for row in found)
    return MemberPage(rows=page, next=(places[-1], page[-1].id) if more else None)


def member_ids(visible: Visible, *, text: str, kind: str, known: KnownFilter = NOTHING_KNOWN) -> list[int]:
    """Return all members of a list as `list_members` narrows it, by id. One query."""
    rows = _narrow(_with_known(known), text, kind).exclude(last_ms=None)
    if visible is not None:
        rows = rows.filter(pk__in=Identity.objects.filter(membership__group_id__in=visible).values("member_id"))
    return list(rows.order_by("pk").values_list("pk", flat=True))


def _with_known(known: KnownFilter) -> QuerySet[Member]:
    rows = Member.objects.all()
    if known.tag:
        rows = rows.filter(pk__in=Identity.objects.filter(pk__in=holders(known.tag, known.now_ms)).values("member_id"))
    if known.attribute and known.word:
        rows = rows.filter(pk__in=Identity.objects.filter(pk__in=with_word(known.attribute, known.word)).values("member_id"))
    return rows


def _first(rows: QuerySet[Member, dict[str, Any]], visible: Visible, size: int) -> list[dict[str, Any]]:
    """Return the first rows that the reader may see, one more than a page.

    For few groups the database is given their members. For many that would be most members there are, so the list is looked
    through from its beginning instead, in stretches that grow.
    """
    if visible is None:
        return list(rows[: size + 1])
    if len(visible) <= FEW_GROUPS:
        seen = Identity.objects.filter(membership__group_id__in=visible)
        return list(rows.filter(pk__in=seen.values("member_id"))[: size + 1])
    found: list[dict[str, Any]] = []
    start, stretch_size = 0, 8 * PAGE
    while len(found) <= size:
        stretch = list(rows[start : start + stretch_size])
        allowed = _among([row["id"] for row in stretch], visible)
        found += [row for row in stretch if row["id"] in allowed]
        if len(stretch) < stretch_size:
            break
        start, stretch_size = start + stretch_size, 2 * stretch_size
    return found[: size + 1]


def _among(member_ids: list[int], visible: frozenset[int]) -> set[int]:
    """Return those of the members who are in one of the groups."""
    rows = Membership.objects.filter(identity__member_id__in=member_ids).values_list("identity__member_id", "group_id")
    return {member for member, group in rows if group in visible}


def _narrow(rows: QuerySet[Member], text: str, kind: str) -> QuerySet[Member]:
    rows = rows.exclude(pk__in=Identity.objects.filter(connector=PLAYED).values("member_id"))
    if kind == "member":
        rows = rows.filter(kind__in=("member", "unknown"))
    elif kind:
        rows = rows.filter(kind=kind)
    if text:
        found = Identity.objects.filter(Q(folded_name__startswith=fold(text)) | Q(platform_id=text))
        rows = rows.filter(pk__in=found.values("member_id"))
    return rows


def _groups_and_platforms(member_ids: list[int], visible: Visible) -> dict[int, tuple[int, tuple[str, ...]]]:
    rows = (
        Identity.objects.filter(member_id__in=member_ids)
        .order_by("member_id", "connector")
        .values_list("member_id", "connector", "membership__group_id", "membership__left_ms")
    )
    groups: dict[int, set[int]] = {pk: set() for pk in member_ids}
    connectors: dict[int, dict[str, None]] = {pk: {} for pk in member_ids}
    for pk, connector, group, left_ms in rows:
        connectors[pk][connector] = None
        if group is not None and left_ms is None and (visible is None or group in visible):
            groups[pk].add(group)
    return {pk: (len(groups[pk]), tuple(connectors[pk])) for pk in member_ids}


def may_see(member_id: int, visible: Visible) -> bool:
    """Tell whether somebody who sees the groups `visible` may see this member."""
    return visible is None or member_id in _among([member_id], visible)


def member(member_id: int) -> MemberRow | None:
    """Return one member without counting groups; None = there is none."""
    row = Member.objects.filter(pk=member_id).values(*_COLUMNS).first()
    return MemberRow(**row, groups=0, connectors=()) if row else None


def successor(member_id: int) -> int | None:
    """Return the member that the account of this number belongs to now; None = there is no such account."""
    return Identity.objects.filter(pk=member_id).values_list("member_id", flat=True).first()


def identities(member_id: int) -> tuple[IdentityRow, ...]:
    """Return the accounts of a member."""
    columns = ("id", "connector", "account", "platform_id", "name", "kind")
    return tuple(IdentityRow(**row) for row in Identity.objects.filter(member_id=member_id).order_by("id").values(*columns))


def memberships(identity_ids: list[int], visible: Visible) -> tuple[MembershipRow, ...]:
    """Return the visible groups of a member: present ones first, then by messages. Of the newest 200 memberships.

    Where several accounts are in one group, what the first of these tells stands, with the messages of all.
    """
    rows = Membership.objects.filter(identity_id__in=identity_ids)
    if visible is not None:
        rows = rows.filter(group_id__in=visible)
    columns = (
        "group_id", "nickname", "role", "joined_ms", "first_ms", "left_ms", "leave_reason", "scene", "message_count",
        "last_message_ms",
    )  # fmt: skip
    ordered = rows.order_by(F("left_ms").asc(nulls_first=True), "-message_count", "group_id")
    found: dict[int, MembershipRow] = {}
    for row in ordered.values(*columns, group_name=F("group__name"), connector=F("group__connector"))[:200]:
        known = found.get(row["group_id"])
        found[row["group_id"]] = MembershipRow(**row, accounts=1) if known is None else _with(known, row)
    return tuple(found.values())


def _with(known: MembershipRow, row: dict[str, Any]) -> MembershipRow:
    """Return a group of a member with what a further account did there."""
    spoke = [ms for ms in (known.last_message_ms, row["last_message_ms"]) if ms is not None]
    return replace(
        known, accounts=known.accounts + 1, message_count=known.message_count + row["message_count"],
        first_ms=min(known.first_ms, row["first_ms"]), last_message_ms=max(spoke, default=None),
    )  # fmt: skip


def orders(identity_ids: list[int], limit: int = 50) -> tuple[OrderRow, ...]:
    """Return the newest orders of a member."""
    return _order_rows(Order.objects.filter(identity_id__in=identity_ids), limit)


def daily_messages(identity_ids: list[int], since: int, visible: Visible) -> dict[int, int]:
    """Return how many messages a member sent on each day from `since` on; days without one are left out."""
    rows = Message.objects.filter(identity_id__in=identity_ids, day__gte=since)
    if visible is not None:
        rows = rows.filter(group_id__in=visible)
    return dict(rows.order_by().values_list("day").annotate(Count("seq")))


def timeline(identity_ids: list[int], visible: Visible, before: Place | None) -> tuple[tuple[TimelineRow, ...], Place | None]:
    """Return what a member did, newest first, and where to go on (None = the end). Three queries and one for group names.

    Takes the newest of three kinds and merges them, so a page costs three index ranges however long the life of a member.
    """
    rows = [
        *_said(identity_ids, visible, before),
        *_happened(identity_ids, visible, before),
        *_ordered(identity_ids, before),
    ]
    rows.sort(key=lambda row: (row.ts_ms, row.seq), reverse=True)
    page = tuple(rows[:TIMELINE_PAGE])
    return page, (page[-1].ts_ms, page[-1].seq) if len(rows) > TIMELINE_PAGE else None


def _earlier(before: Place | None, column: str, key: str) -> Q:
    if before is None:
        return Q()
    return Q(**{f"{column}__lte": before[0]}) & (Q(**{f"{column}__lt": before[0]}) | Q(**{f"{key}__lt": before[1]}))


def _said(identity_ids: list[int], visible: Visible, before: Place | None) -> list[TimelineRow]:
    rows = Message.objects.filter(_earlier(before, "ts_ms", "seq"), identity_id__in=identity_ids)
    if visible is not None:
        rows = rows.filter(group_id__in=visible)
    found = rows.order_by("-ts_ms", "-seq").values_list(
        "seq", "ts_ms", "group_id", "group__name", "text", "content", "deleted_ms"
    )
    return [
        TimelineRow(
            seq=seq, ts_ms=ts_ms, what="message", group_id=group_id, group=group, text="" if deleted else text,
            content="deleted" if deleted else CONTENT_NAMES.get(content, "other"), detail={}, order=None,
        )
        for seq, ts_ms, group_id, group, text, content, deleted in found[: TIMELINE_PAGE + 1]
    ]  # fmt: skip


def _happened(identity_ids: list[int], visible: Visible, before: Place | None) -> list[TimelineRow]:
    rows = Happening.objects.filter(_earlier(before, "ts_ms", "seq"), identity_id__in=identity_ids)
    if visible is not None:
        rows = rows.filter(Q(group_id=None) | Q(group_id__in=visible))
    found = rows.order_by("-ts_ms", "-seq").values_list("seq", "ts_ms", "type", "group_id", "group__name", "detail")
    return [
        TimelineRow(
            seq=seq, ts_ms=ts_ms, what=TYPE_NAMES[TYPE_BY_CODE[code]], group_id=group_id, group=group or "", text="",
            content="", detail=json.loads(detail) if detail else {}, order=None,
        )
        for seq, ts_ms, code, group_id, group, detail in found[: TIMELINE_PAGE + 1]
    ]  # fmt: skip


def _ordered(identity_ids: list[int], before: Place | None) -> list[TimelineRow]:
    rows = Order.objects.filter(_earlier(before, "created_ms", "id"), identity_id__in=identity_ids)
    return [
        TimelineRow(
            seq=order.id, ts_ms=order.created_ms, what="order", group_id=None, group="", text="", content="", detail={},
            order=order,
        )
        for order in _order_rows(rows, TIMELINE_PAGE + 1)
    ]  # fmt: skip


def _order_rows(rows: QuerySet[Order], limit: int) -> tuple[OrderRow, ...]:
    columns = ("id", "order_id", "status", "created_ms", "paid_ms", "amount_minor", "refunded_minor", "currency", "items")
    return tuple(
        OrderRow(
            id=pk, order_id=order_id, status=status, created_ms=created, paid_ms=paid, amount_minor=amount,
            refunded_minor=refunded, currency=currency, items=tuple(json.loads(items)) if items else (),
        )
        for pk, order_id, status, created, paid, amount, refunded, currency, items in rows.order_by(
            "-created_ms", "-id"
        ).values_list(*columns)[:limit]
    )  # fmt: skip
