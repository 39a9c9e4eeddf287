"""Read what is known of members and groups: their tags and attributes, each with its source."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.db.models import BigIntegerField, Count, F, OuterRef, Q, Subquery, TextField, Value
from django.db.models.functions import Coalesce, Concat

from qunce.readmodels.models import AttributeValue, Identity, TagHolding

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from qunce.readmodels.selectors.days import Visible

RANKS: Final = {"manual": 0, "import": 1, "connector": 1, "chat": 2}
"""Whose value counts: the smaller the better; others are 3. As in analytics/sql/profiles.sql."""
_LAST: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A tag that stands, by one who put it."""

    id: int
    target: str
    identity_id: int
    group_id: int
    tag: str
    kept: str
    rule_id: str
    version: str
    reason: str
    confidence: float
    evidence: tuple[int, ...]
    put_ms: int
    until_ms: int | None
    colleague: str
    batch_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A value of an attribute, from one source."""

    id: int
    identity_id: int
    attribute: str
    kept: str
    value: str | int | float | bool
    confidence: float
    evidence: tuple[int, ...]
    set_ms: int
    colleague: str
    batch_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributed:
    """An attribute of a member: the value that counts first, then what other sources say."""

    attribute: str
    values: tuple[Known, ...]

    @property
    def best(self) -> Known:
        """The value that counts."""
        return self.values[0]

    @property
    def differs(self) -> bool:
        """Whether sources contradict each other."""
        return any(value.value != self.best.value for value in self.values)


def standing(now_ms: int) -> Q:
    """Return the test that a holding counts at a moment."""
    begun = Q(put_ms__lte=now_ms) & (Q(taken_ms=None) | Q(taken_ms__gt=now_ms))
    return begun & (Q(until_ms=None) | Q(until_ms__gt=now_ms))


def tags_of(identity_ids: Iterable[int], now_ms: int, visible: Visible = None) -> tuple[Holding, ...]:
    """Return the tags that count of a person and of its memberships in visible groups, in order of tag and time."""
    rows = TagHolding.objects.filter(standing(now_ms), identity_id__in=list(identity_ids))
    if visible is not None:
        rows = rows.filter(Q(group_id=0) | Q(group_id__in=visible))
    return _holdings(rows.order_by("tag", "put_ms", "pk"))


def tags_of_group(group_id: int, now_ms: int) -> tuple[Holding, ...]:
    """Return the tags of a group that count."""
    rows = TagHolding.objects.filter(standing(now_ms), identity_id=0, group_id=group_id)
    return _holdings(rows.order_by("tag", "put_ms", "pk"))


def tags_in_group(group_id: int, identity_ids: Iterable[int], now_ms: int) -> tuple[Holding, ...]:
    """Return the tags that accounts have in one group only, as far as they count."""
    rows = TagHolding.objects.filter(
        standing(now_ms), target="membership", group_id=group_id, identity_id__in=list(identity_ids)
    )
    return _holdings(rows.order_by("tag", "put_ms", "pk"))


def attributes_of(identity_ids: Iterable[int]) -> tuple[Attributed, ...]:
    """Return the attributes of a person that have a value, by id."""
    rows = AttributeValue.objects.filter(identity_id__in=list(identity_ids)).exclude(value=None).order_by("attribute", "pk")
    found: dict[str, list[tuple[Known, int]]] = {}
    for row in rows:
        found.setdefault(row.attribute, []).append((_known(row), row.seq))
    return tuple(
        Attributed(
            attribute=name,
            values=tuple(
                value for value, _ in sorted(values, key=lambda at: (RANKS.get(at[0].kept, _LAST), -at[0].set_ms, -at[1]))
            ),
        )
        for name, values in found.items()
    )


def values_of_members(member_ids: list[int]) -> Mapping[int, Mapping[str, str | int | float | bool]]:
    """Return the values that count of each member, by attribute, with two queries."""
    owners = dict(Identity.objects.filter(member_id__in=member_ids).values_list("pk", "member_id"))
    rows = AttributeValue.objects.filter(identity_id__in=list(owners)).exclude(value=None)
    ordered = sorted(rows, key=lambda row: (RANKS.get(row.kept, _LAST), -row.set_ms, -row.seq))
    found: dict[int, dict[str, str | int | float | bool]] = {}
    for row in ordered:
        found.setdefault(owners[row.identity_id], {}).setdefault(row.attribute, json.loads(row.value or "null"))
    return found


def tags_of_members(member_ids: list[int], now_ms: int) -> Mapping[int, tuple[str, ...]]:
    """Return the tags of each member, each once, with two queries; members without tags are left out."""
    owners = dict(Identity.objects.filter(member_id__in=member_ids).values_list("pk", "member_id"))
    rows = TagHolding.objects.filter(standing(now_ms), identity_id__in=list(owners), target="member")
    found: dict[int, dict[str, None]] = {}
    for identity_id, tag in rows.order_by("tag", "pk").values_list("identity_id", "tag"):
        found.setdefault(owners[identity_id], {})[tag] = None
    return {member: tuple(tags) for member, tags in found.items()}


def holders(tag: str, now_ms: int) -> QuerySet[TagHolding, Any]:
    """Return the ids of the accounts that have a tag, as a subquery."""
    return TagHolding.objects.filter(standing(now_ms), tag=tag, target="member").values("identity_id")


def with_word(attribute: str, word: str) -> QuerySet[AttributeValue, Any]:
    """Return the ids of the accounts of which some source says this of an attribute, as a subquery."""
    return AttributeValue.objects.filter(attribute=attribute, word=word).values("identity_id")


def counts(now_ms: int) -> Mapping[tuple[str, str], int]:
    """Return how many subjects have each (tag, target), each counted once however many put it, a person once. One query."""
    person = Subquery(Identity.objects.filter(pk=OuterRef("identity_id")).values("member_id"))
    subject = Concat(Coalesce(person, 0, output_field=BigIntegerField()), Value("/"), F("group_id"), output_field=TextField())
    rows = TagHolding.objects.filter(standing(now_ms)).order_by().values_list("tag", "target")
    return {(tag, target): number for tag, target, number in rows.annotate(number=Count(subject, distinct=True))}


def count_by_source(tag: str, now_ms: int) -> Mapping[str, int]:
    """Return how many holdings of a tag each source has."""
    rows = TagHolding.objects.filter(standing(now_ms), tag=tag).order_by().values_list("kept").annotate(Count("pk"))
    return dict(rows)


def holdings_of_tag(tag: str, now_ms: int, limit: int, visible: Visible = None) -> tuple[tuple[Holding, int], ...]:
    """Return the newest holdings of a tag, each with its member (0 = it is a group's)."""
    rows = TagHolding.objects.filter(standing(now_ms), tag=tag)
    if visible is not None:
        seen = Identity.objects.filter(membership__group_id__in=visible).values("pk")
        rows = rows.filter(Q(identity_id__in=seen) | Q(identity_id=0, group_id__in=visible))
    found = _holdings(rows.order_by(F("put_ms").desc(), "pk")[:limit])
    owners = dict(Identity.objects.filter(pk__in=[row.identity_id for row in found]).values_list("pk", "member_id"))
    return tuple((row, owners.get(row.identity_id, 0)) for row in found)


def _holdings(rows: QuerySet[TagHolding]) -> tuple[Holding, ...]:
    return tuple(
        Holding(
            id=row.pk, target=row.target, identity_id=row.identity_id, group_id=row.group_id, tag=row.tag, kept=row.kept,
            rule_id=row.rule_id, version=row.version, reason=row.reason, confidence=row.confidence,
            evidence=_positions(row.evidence), put_ms=row.put_ms or 0, until_ms=row.until_ms, colleague=row.colleague,
            batch_id=row.batch_id,
        )
        for row in rows
    )  # fmt: skip


def _known(row: AttributeValue) -> Known:
    return Known(
        id=row.pk, identity_id=row.identity_id, attribute=row.attribute, kept=row.kept, value=json.loads(row.value or "null"),
        confidence=row.confidence, evidence=_positions(row.evidence), set_ms=row.set_ms, colleague=row.colleague,
        batch_id=row.batch_id,
    )  # fmt: skip


def _positions(evidence: str) -> tuple[int, ...]:
    return tuple(json.loads(evidence)) if evidence else ()
