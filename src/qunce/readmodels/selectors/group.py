"""Show one group: what it is, who is in it, what was asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db.models import Count, F, Q, Sum

from qunce.domain.text import fold
from qunce.playbook.segments.catalogue import SCENES
from qunce.readmodels.models import Community, Group, Member, Membership, Message, Question
from qunce.readmodels.selectors.groups import open_since
from qunce.readmodels.selectors.overlap import NOT_MEMBERS
from qunce.readmodels.selectors.people import Person, persons

if TYPE_CHECKING:
    from django.db.models import QuerySet

PAGE: Final = 50
PEOPLE_SORTS: Final = ("messages", "spoke", "joined", "name")
WAYS: Final = SCENES
"""Ways into a group that lists can be narrowed by."""
PEOPLE_FILTERS: Final = ("", "lurking", "left", "new", "staff")
QUESTION_FILTERS: Final = ("open", "answered", "all")


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupHead:
    """A group's own facts."""

    id: int
    name: str
    connector: str
    account: str
    platform_id: str
    kind: str
    notice: str
    community_id: int | None
    community: str
    owner: Person | None
    created_ms: int | None
    dismissed_ms: int | None
    first_ms: int | None
    last_ms: int | None
    last_message_ms: int | None
    message_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """How many people of which kind are in a group now; each once however many accounts."""

    present: int
    accounts: int
    """Accounts that are there; more than `present` where somebody is there by several."""
    lurking: int
    """Present, never said a word that we know of."""
    left: int
    staff: int
    bots: int
    personas: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRow:
    """One membership in the list of a group's people."""

    person: Person
    nickname: str
    role: str
    joined_ms: int | None
    first_ms: int
    left_ms: int | None
    leave_reason: str
    scene: str
    channel_code: str
    """Code of the way in, such as of a group QR; empty = none is known."""
    last_message_ms: int | None
    message_count: int
    muted_until_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """A person with what all their accounts wrote in a group."""

    member_id: int
    name: str
    kind: str
    message_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PeoplePage:
    """One page of people; the list of one group is short enough to be counted and paged by number."""

    rows: tuple[PersonRow, ...]
    total: int
    """Accounts, a row each."""
    persons: int
    """Whose accounts these are."""
    page: int
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """How many people came into a group which way; whoever came in by two accounts on two ways is counted for both."""

    known: tuple[tuple[str, int], ...]
    """Ways with how many came so, the most frequent first."""
    told: int
    """Of how many a way is known."""
    total: int
    """All people of the list, those of whom nobody knows the way included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionRow:
    """A question with its first answer, if there is one."""

    seq: int
    ts_ms: int
    group_id: int
    group: str
    asker: Person | None
    text: str
    answer_seq: int | None
    answer: str
    responder: Person | None
    response_s: int | None
    staff: str
    """Login name of the colleague who answered from the desk; empty = nobody did, or in the group itself."""


def head(group_id: int) -> GroupHead | None:
    """Return a group; None = there is none. Two queries."""
    row = (
        Group.objects.filter(pk=group_id)
        .values_list(
            "pk", "name", "connector", "account", "platform_id", "kind", "notice", "community_id", "community__name",
            "owner_id", "created_ms", "dismissed_ms", "first_ms", "last_ms", "last_message_ms", "message_count",
        )
        .first()
    )  # fmt: skip
    if row is None:
        return None
    pk, name, connector, account, platform_id, kind, notice, community_id, community, owner, *moments, message_count = row
    created_ms, dismissed_ms, first_ms, last_ms, last_message_ms = moments
    return GroupHead(
        id=pk, name=name, connector=connector, account=account, platform_id=platform_id, kind=kind, notice=notice,
        community_id=community_id, community=community or "", owner=persons([owner]).get(owner or 0), created_ms=created_ms,
        dismissed_ms=dismissed_ms, first_ms=first_ms, last_ms=last_ms, last_message_ms=last_message_ms,
        message_count=message_count,
    )  # fmt: skip


def crowd(group_id: int) -> Crowd:
    """Count the people of one group, each once however many accounts they are there with. One query."""
    there = Q(left_ms=None)
    members = there & ~Q(identity__kind__in=NOT_MEMBERS)

    def persons(which: Q) -> Count:
        return Count("identity__member_id", which, distinct=True)

    found = Membership.objects.filter(group_id=group_id).aggregate(
        present=persons(there), accounts=Count("pk", there),
        members=persons(members), spoke=persons(members & Q(message_count__gt=0)),
        everybody=Count("identity__member_id", distinct=True), staff=persons(there & Q(identity__kind="staff")),
        bots=persons(there & Q(identity__kind="bot")), personas=persons(there & Q(identity__kind="house_persona")),
    )  # fmt: skip
    return Crowd(
        present=found["present"], accounts=found["accounts"],
        lurking=found["members"] - found["spoke"], left=found["everybody"] - found["present"],
        staff=found["staff"], bots=found["bots"], personas=found["personas"],
    )  # fmt: skip


def ways(group_id: int, *, show: str, since_ms: int) -> Ways:
    """Count which way a group's people came, of those a list shows. Two queries."""
    rows = _shown(Membership.objects.filter(group_id=group_id), show, since_ms).order_by()
    person = Count("identity__member_id", distinct=True)
    known = ~Q(scene__in=("", "unknown"))
    counted = dict(rows.filter(known).values_list("scene").annotate(person))
    order = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    sums = rows.aggregate(total=person, told=Count("identity__member_id", known, distinct=True))
    return Ways(known=tuple(order), told=sums["told"], total=sums["total"])


def speakers(group_id: int, limit: int) -> tuple[Speaker, ...]:
    """Return who wrote most in a group and is there now, by all accounts of each. Two queries."""
    rows = Membership.objects.filter(group_id=group_id, left_ms=None, message_count__gt=0).order_by()
    counted = rows.values_list("identity__member_id").annotate(said=Sum("message_count"))
    said = dict(counted.order_by("-said", "identity__member_id")[:limit])
    names = {row.pk: row for row in Member.objects.filter(pk__in=said)}
    return tuple(
        Speaker(member_id=pk, name=names[pk].name, kind=names[pk].kind, message_count=count) for pk, count in said.items()
    )


def people(
    group_id: int, *, show: str, sort: str, descending: bool, text: str, since_ms: int, page: int, scene: str = ""
) -> PeoplePage:  # fmt: skip
    """Return one page of a group's people; `since_ms`: from when on a join is new, `scene`: the way they came. Two queries."""
    rows = _shown(Membership.objects.filter(group_id=group_id), show, since_ms)
    if scene:
        rows = rows.filter(scene=scene)
    if text:
        rows = rows.filter(identity__folded_name__startswith=fold(text))
    sums = rows.aggregate(total=Count("pk"), persons=Count("identity__member_id", distinct=True))
    total = sums["total"]
    pages = max(1, -(-total // PAGE))
    page = min(max(page, 1), pages)
    column = {"messages": "message_count", "spoke": "last_message_ms", "joined": "joined_ms", "name": "identity__folded_name"}[
        sort
    ]
    order = F(column).desc(nulls_last=True) if descending else F(column).asc(nulls_last=True)
    found = rows.order_by(order, "pk").values_list(
        "identity_id", "identity__member_id", "identity__name", "identity__kind", "nickname", "role", "joined_ms", "first_ms",
        "left_ms", "leave_reason", "scene", "channel_code", "last_message_ms", "message_count", "muted_until_ms",
    )[(page - 1) * PAGE : page * PAGE]  # fmt: skip
    return PeoplePage(
        rows=tuple(_person_row(row) for row in found), total=total, persons=sums["persons"], page=page, pages=pages
    )


def _shown(rows: QuerySet[Membership], show: str, since_ms: int) -> QuerySet[Membership]:
    if show == "left":
        return rows.exclude(left_ms=None)
    rows = rows.filter(left_ms=None)
    if show == "lurking":
        return rows.filter(message_count=0).exclude(identity__kind__in=NOT_MEMBERS)
    if show == "new":
        return rows.filter(joined_ms__gte=since_ms)
    if show == "staff":
        return rows.filter(identity__kind__in=("staff", "bot", "house_persona"))
    return rows


def _person_row(row: tuple[object, ...]) -> PersonRow:
    identity, member, name, kind, *rest = row
    keys = (
        "nickname", "role", "joined_ms", "first_ms", "left_ms", "leave_reason", "scene", "channel_code", "last_message_ms",
        "message_count", "muted_until_ms",
    )  # fmt: skip
    person = Person(identity_id=identity, member_id=member, name=name, kind=kind)  # type: ignore[arg-type]  # columns in order
    return PersonRow(person=person, **dict(zip(keys, rest, strict=True)))  # type: ignore[arg-type]


def questions(group_id: int, *, show: str, before_seq: tuple[int, int] | None) -> tuple[QuestionRow, ...]:
    """Return up to `PAGE` + 1 questions of a group, newest first; the extra one says that there are more. Four queries."""
    rows = Question.objects.filter(group_id=group_id)
    if show == "open":
        rows = rows.filter(answer_seq=None)
    elif show == "answered":
        rows = rows.exclude(answer_seq=None)
    if before_seq is not None:
        rows = rows.filter(Q(ts_ms__lte=before_seq[0]) & (Q(ts_ms__lt=before_seq[0]) | Q(seq__lt=before_seq[1])))
    return _question_rows(rows.order_by("-ts_ms", "-seq")[: PAGE + 1])


def needs_me(visible: frozenset[int] | None, *, until: int, limit: int = 8) -> tuple[QuestionRow, ...]:
    """Return open questions, the one that has waited longest first; older than a week they no longer count. Four queries."""
    rows = Question.objects.filter(answer_seq=None, ts_ms__gte=open_since(until))
    if visible is not None:
        rows = rows.filter(group_id__in=visible)
    return _question_rows(rows.order_by("ts_ms", "seq")[:limit])


def communities() -> tuple[tuple[int, str], ...]:
    """Return all communities by name."""
    return tuple(Community.objects.order_by("name").values_list("pk", "name"))


def _question_rows(rows: QuerySet[Question]) -> tuple[QuestionRow, ...]:
    found = list(
        rows.values_list(
            "seq", "ts_ms", "group_id", "group__name", "identity_id", "answer_seq", "responder_id", "response_s", "staff"
        )
    )
    texts = dict(
        Message.objects.filter(seq__in=[seq for row in found for seq in (row[0], row[5]) if seq]).values_list("seq", "text")
    )
    names = persons([pk for row in found for pk in (row[4], row[6])])
    return tuple(
        QuestionRow(
            seq=seq, ts_ms=ts_ms, group_id=group_id, group=group, asker=names.get(asker), text=texts.get(seq, ""),
            answer_seq=answer, answer=texts.get(answer or 0, ""), responder=names.get(responder or 0), response_s=response_s,
            staff=staff,
        )
        for seq, ts_ms, group_id, group, asker, answer, responder, response_s, staff in found
    )  # fmt: skip
