"""Show suggestions, links and the accounts of a member to screens and the command line."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from qunce.readmodels.models import AccountTotal, Identity, IdentityLink, Member, Membership, Message
from qunce.readmodels.selectors.days import Visible
from qunce.runtime.models import Job, MergeSuggestion, SuggestionState

PAGE = 20
MAX_DIGITS = 15
FEW_WORDS = 3
FEW_GROUPS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of two accounts, side by side."""

    identity_id: int
    member_id: int
    name: str
    connector: str
    platform_id: str
    groups: tuple[tuple[int, str], ...]
    """Ids and names of the groups it is or was in, visible ones, most messages first; the first FEW_GROUPS."""
    group_count: int
    message_count: int
    first_ms: int | None
    last_ms: int | None
    words: tuple[str, ...]
    """Its newest texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """Two accounts that may be one person's."""

    id: int
    score: float
    evidence: tuple[tuple[str, str], ...]
    """Codes and their values, such as ("groups", "3")."""
    left: Side
    right: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link between two accounts."""

    link_id: str
    by: str
    reason: str
    score: float
    evidence: tuple[tuple[str, str], ...]
    ts_ms: int
    undone_ms: int | None
    a_id: int
    b_id: int
    names: tuple[str, str]
    connectors: tuple[str, str]
    platform_ids: tuple[str, str]
    member_id: int
    """The member of the first account."""


def parts(evidence: str) -> tuple[tuple[str, str], ...]:
    """Return evidence codes taken apart: `key:phone groups:3` → (("key", "phone"), ("groups", "3"))."""
    cut = (code.partition(":") for code in evidence.split())
    return tuple((name, value) for name, _, value in cut)


def suggestions(visible: Visible, *, offset: int = 0, limit: int = PAGE) -> tuple[tuple[Suggestion, ...], bool]:
    """Return open suggestions, the surest first, and whether there are more. Both members must be visible; six queries."""
    rows = list(MergeSuggestion.objects.filter(state=SuggestionState.OPEN).order_by("-score", "pk"))
    ids = {pk for row in rows for pk in (row.a_id, row.b_id)}
    members = dict(Identity.objects.filter(pk__in=ids).values_list("pk", "member_id"))
    allowed = _visible_members(members.values(), visible)
    shown = [
        row
        for row in rows
        if row.a_id in members and row.b_id in members and members[row.a_id] != members[row.b_id]
        and {members[row.a_id], members[row.b_id]} <= allowed
    ]  # fmt: skip
    page = shown[offset : offset + limit]
    sides = _sides({pk for row in page for pk in (row.a_id, row.b_id)}, visible)
    found = tuple(
        Suggestion(id=row.pk, score=row.score, evidence=parts(row.evidence), left=sides[row.a_id], right=sides[row.b_id])
        for row in page
    )
    return found, len(shown) > offset + limit


def suggestion_members(suggestion_id: int) -> tuple[int, int] | None:
    """Return the members of a suggestion's accounts; None = there is no such suggestion."""
    row = MergeSuggestion.objects.filter(pk=suggestion_id).first()
    if row is None:
        return None
    members = dict(Identity.objects.filter(pk__in=(row.a_id, row.b_id)).values_list("pk", "member_id"))
    return (members[row.a_id], members[row.b_id]) if len(members) == 2 else None


def find_account(text: str) -> tuple[int, int] | None:
    """Return the account, and its member, named by its number (`#12`, `12`) or its id on a platform.

    None = there is none, or several platforms have one of that id.
    """
    number = text.removeprefix("#")
    if text.startswith("#") or (number.isascii() and number.isdecimal() and len(number) <= MAX_DIGITS):
        found = Identity.objects.filter(pk=int(number) if number.isdecimal() else 0).values_list("pk", "member_id").first()
        if found is not None:
            return found
    rows = list(Identity.objects.filter(platform_id=text).values_list("pk", "member_id")[:2]) if text else []
    return rows[0] if len(rows) == 1 else None


def links(visible: Visible, *, limit: int = 50) -> tuple[Link, ...]:
    """Return the newest links, taken back ones too, of visible members."""
    rows = list(IdentityLink.objects.order_by("-seq")[: limit * 4 if visible is not None else limit])
    return _links(rows, visible)[:limit]


def links_of(identity_ids: Collection[int]) -> tuple[Link, ...]:
    """Return all links of these accounts, newest first."""
    return _links(list(IdentityLink.objects.filter(Q(a_id__in=identity_ids) | Q(b_id__in=identity_ids)).order_by("-seq")), None)


def links_named(link_ids: Collection[str], visible: Visible) -> dict[str, Link]:
    """Return links by id, taken back ones too; those of members who may not be seen are left out. At most three queries."""
    if not link_ids:
        return {}
    rows = IdentityLink.objects.filter(link_id__in=link_ids).order_by("seq")
    return {link.link_id: link for link in _links(rows, visible)}


def link_member(link_id: str) -> int | None:
    """Return the member of a link's first account; None = there is no such link."""
    row = IdentityLink.objects.filter(link_id=link_id).values_list("a_id", flat=True).first()
    return None if row is None else Identity.objects.filter(pk=row).values_list("member_id", flat=True).first()


def searching() -> Job | None:
    """Return the newest search for suggestions; None = there was none."""
    return Job.objects.filter(kind="merges").order_by("-pk").first()


def open_suggestions() -> int:
    """Return how many suggestions wait."""
    return MergeSuggestion.objects.filter(state=SuggestionState.OPEN).count()


def _links(rows: Iterable[IdentityLink], visible: Visible) -> tuple[Link, ...]:
    rows = list(rows)
    ids = {pk for row in rows for pk in (row.a_id, row.b_id)}
    people = {row.pk: row for row in Identity.objects.filter(pk__in=ids)}
    allowed = _visible_members((row.member_id for row in people.values()), visible)
    found = []
    for row in rows:
        a, b = people[row.a_id], people[row.b_id]
        if {a.member_id, b.member_id} <= allowed:
            found.append(
                Link(
                    link_id=row.link_id, by=row.by, reason=row.reason, score=row.score, evidence=parts(row.evidence),
                    ts_ms=row.ts_ms, undone_ms=row.undone_ms, a_id=a.pk, b_id=b.pk, names=(a.name, b.name),
                    connectors=(a.connector, b.connector), platform_ids=(a.platform_id, b.platform_id), member_id=a.member_id,
                )
            )  # fmt: skip
    return tuple(found)


def _visible_members(member_ids: Iterable[int], visible: Visible) -> set[int]:
    """Return those of the members whom somebody who sees these groups may see."""
    wanted = set(member_ids)
    if visible is None or not wanted:
        return wanted
    rows = Membership.objects.filter(identity__member_id__in=wanted, group_id__in=visible)
    return set(rows.values_list("identity__member_id", flat=True).distinct())


def _sides(ids: Collection[int], visible: Visible) -> dict[int, Side]:
    rows = Identity.objects.filter(pk__in=ids).values_list("pk", "member_id", "name", "connector", "platform_id")
    in_groups = Membership.objects.filter(identity_id__in=ids)
    messages = Message.objects.filter(identity_id__in=ids, deleted_ms=None)
    if visible is not None:
        in_groups = in_groups.filter(group_id__in=visible)
        messages = messages.filter(group_id__in=visible)
    groups: dict[int, list[tuple[int, str]]] = {pk: [] for pk in ids}
    counts = dict.fromkeys(ids, 0)
    for pk, group_id, name, count in in_groups.order_by("-message_count", "group_id").values_list(
        "identity_id", "group_id", "group__name", "message_count"
    ):
        groups[pk].append((group_id, name))
        counts[pk] += count
    lives: dict[int, tuple[int | None, int | None]] = {
        pk: (first, last) for pk, first, last in Member.objects.filter(pk__in=ids).values_list("pk", "first_ms", "last_ms")
    }
    own = AccountTotal.objects.filter(pk__in=ids).values_list("pk", "first_ms", "last_ms")
    lives |= {pk: (first, last) for pk, first, last in own}
    words = _words(messages, ids)
    made = {}
    for pk, member_id, name, connector, platform_id in rows:
        first_ms, last_ms = lives.get(pk, (None, None))
        made[pk] = Side(
            identity_id=pk, member_id=member_id, name=name, connector=connector, platform_id=platform_id,
            groups=tuple(groups[pk][:FEW_GROUPS]), group_count=len(groups[pk]), message_count=counts[pk],
            first_ms=first_ms, last_ms=last_ms, words=tuple(words.get(pk, ())),
        )  # fmt: skip
    return made


def _words(messages: QuerySet[Message], ids: Collection[int]) -> dict[int, list[str]]:
    place = Window(RowNumber(), partition_by=F("identity_id"), order_by=(F("ts_ms").desc(), F("seq").desc()))
    rows = messages.exclude(text="").annotate(place=place).filter(place__lte=FEW_WORDS).order_by("identity_id", "place")
    found: dict[int, list[str]] = {pk: [] for pk in ids}
    for identity_id, text in rows.values_list("identity_id", "text"):
        found[identity_id].append(text)
    return found
