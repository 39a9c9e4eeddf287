"""Gather what pages show of attributes and tags: with titles, sources, people and messages behind them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from qunce.accounts.models import Staff
from qunce.domain.events import TYPE_CODES, MemberJoined
from qunce.domain.localtime import date_day
from qunce.engine.learning.lessons import MIN_EACH as MIN_EACH
from qunce.playbook.explain_profile import explain_tag_rule
from qunce.playbook.schema.profile import Attribute, Tag, TagGroup
from qunce.readmodels.models import Group, Happening, Identity, Member, Message, TagHolding
from qunce.readmodels.selectors import profiles
from qunce.readmodels.selectors.days import Visible
from qunce.runtime.clock import now_ms
from qunce.runtime.models import ChangeBatch
from qunce.runtime.profile.models import Judge, judge_of, model_name
from qunce.runtime.profile.rules import all_rules, find
from qunce.runtime.profile.vocabulary import Vocabulary, in_force
from qunce.runtime.segments import mirrors

Title = tuple[str, str]
"""In Chinese and English."""
MOST_HOLDERS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A message, or the joining of a group, behind a tag or a value."""

    seq: int
    group_id: int
    text: str
    scene: str = ""
    """How somebody came; empty = it is a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueView:
    """What one source says of an attribute."""

    kept: str
    value: str | int | float | bool
    set_ms: int
    confidence: float
    colleague: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeView:
    """An attribute of a member. `values` is empty where nothing is known; the first one counts."""

    attribute_id: str
    title: Title
    type: str
    unit: str
    choices: tuple[str, ...]
    portrait: bool
    note: str
    values: tuple[ValueView, ...]
    differs: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TagView:
    """A tag that somebody has, by one who put it."""

    holding_id: int
    tag: str
    title: Title
    group_title: Title
    colour: str
    note: str
    target: str
    group_id: int
    kept: str
    rule_id: str
    reason: str
    confidence: float
    put_ms: int
    until_ms: int | None
    colleague: str
    evidence: tuple[Evidence, ...]
    conflict: bool
    """Stands beside another tag of an exclusive group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileView:
    """What is known of a member."""

    attributes: tuple[AttributeView, ...]
    tags: tuple[TagView, ...]

    @property
    def portrait(self) -> tuple[AttributeView, ...]:
        """What the one-line portrait says, beside the tags."""
        return tuple(item for item in self.attributes if item.portrait and item.values)


def title_of(item: Attribute | Tag | TagGroup) -> Title:
    """Return how an item is called."""
    own = item.title or (item.tag_id if isinstance(item, Tag) else "")
    return own, item.title_en or own


def title_of_tag(tag: str) -> Title:
    """Return how a tag is called; one that no playbook holds is called by its id."""
    found = in_force().tags.get(tag)
    return title_of(found[1]) if found else (tag, tag)


def of_member(identity_ids: list[int], visible: Visible, now_ms: int) -> ProfileView:
    """Return the profile of a person, as somebody may see it who sees these groups."""
    words = in_force()
    known = {item.attribute: item for item in profiles.attributes_of(identity_ids)}
    held = profiles.tags_of(identity_ids, now_ms, visible)
    seqs = [seq for item in known.values() for value in item.values for seq in value.evidence]
    messages = _messages([*seqs, *(seq for row in held for seq in row.evidence)], visible)
    names = _colleagues([*(v.colleague for item in known.values() for v in item.values), *(row.colleague for row in held)])
    attributes = [_attribute(item, known.get(item.attribute_id), messages, names) for item in words.attributes.values()]
    return ProfileView(attributes=tuple(attributes), tags=_tags(words, held, messages, names))


def of_group(group_id: int, visible: Visible, now_ms: int) -> tuple[TagView, ...]:
    """Return the tags of a group."""
    held = profiles.tags_of_group(group_id, now_ms)
    messages = _messages([seq for row in held for seq in row.evidence], visible)
    return _tags(in_force(), held, messages, _colleagues(row.colleague for row in held))


def of_places(group_id: int, identity_ids: list[int], now_ms: int) -> Mapping[int, tuple[TagView, ...]]:
    """Return the tags that accounts have in one group only, by account, without the messages behind them."""
    held = profiles.tags_in_group(group_id, identity_ids, now_ms)
    found: dict[int, list[profiles.Holding]] = {}
    for row in held:
        found.setdefault(row.identity_id, []).append(row)
    words, names = in_force(), _colleagues(row.colleague for row in held)
    return {account: _tags(words, rows, {}, names) for account, rows in found.items()}


def _attribute(
    item: Attribute, known: profiles.Attributed | None, messages: Mapping[int, Evidence], names: Mapping[str, str]
) -> AttributeView:
    values = tuple(
        ValueView(
            kept=value.kept, value=value.value, set_ms=value.set_ms, confidence=value.confidence,
            colleague=names.get(value.colleague, ""),
            evidence=tuple(messages[seq] for seq in value.evidence if seq in messages),
        )
        for value in (known.values if known else ())
    )  # fmt: skip
    chosen = next((choice for choice in item.choices if values and choice.value == values[0].value), None)
    return AttributeView(
        attribute_id=item.attribute_id, title=title_of(item), type=item.type, unit=item.unit,
        choices=tuple(choice.value for choice in item.choices), portrait=item.portrait, note=chosen.note if chosen else "",
        values=values, differs=known.differs if known else False,
    )  # fmt: skip


def _tags(
    words: Vocabulary, held: Iterable[profiles.Holding], messages: Mapping[int, Evidence], names: Mapping[str, str]
) -> tuple[TagView, ...]:
    held = tuple(held)
    places = {(row.target, row.group_id, row.tag) for row in held}
    views = []
    for row in held:
        group, tag = words.tags.get(row.tag, (None, None))
        rivals = words.rivals(row.tag)
        views.append(
            TagView(
                holding_id=row.id, tag=row.tag, title=title_of(tag) if tag else (row.tag, row.tag),
                group_title=title_of(group) if group else ("", ""), colour=tag.colour if tag else "blue",
                note=tag.note if tag else "", target=row.target, group_id=row.group_id, kept=row.kept, rule_id=row.rule_id,
                reason=row.reason, confidence=row.confidence, put_ms=row.put_ms, until_ms=row.until_ms,
                colleague=names.get(row.colleague, ""),
                evidence=tuple(messages[seq] for seq in row.evidence if seq in messages),
                conflict=any((row.target, row.group_id, other) in places for other in rivals),
            )
        )  # fmt: skip
    return tuple(views)


def _messages(seqs: Iterable[int], visible: Visible) -> Mapping[int, Evidence]:
    """Return the messages and joins at these positions that the reader may see, with two queries at most."""
    wanted = set(seqs)
    rows = Message.objects.filter(seq__in=wanted, deleted_ms=None)
    if visible is not None:
        rows = rows.filter(group_id__in=visible)
    found = {
        seq: Evidence(seq=seq, group_id=group, text=text) for seq, group, text in rows.values_list("seq", "group_id", "text")
    }
    missing = wanted - found.keys()
    joins = Happening.objects.filter(seq__in=missing, type=TYPE_CODES[MemberJoined]) if missing else Happening.objects.none()
    if visible is not None:
        joins = joins.filter(group_id__in=visible)
    for seq, group, detail in joins.values_list("seq", "group_id", "detail"):
        scene = str(json.loads(detail or "{}").get("scene", ""))
        found[seq] = Evidence(seq=seq, group_id=group or 0, text="", scene=scene or "unknown")
    return found


def _colleagues(ids: Iterable[str]) -> Mapping[str, str]:
    wanted = {int(name) for name in ids if name.isdecimal()}
    return {str(staff.pk): str(staff) for staff in Staff.objects.filter(pk__in=wanted)} if wanted else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class TagRow:
    """A tag in the list of all."""

    tag: str
    title: Title
    colour: str
    note: str
    count: int
    rules: tuple[RuleView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleView:
    """A rule that puts a tag."""

    rule_id: str
    mode: str
    reason: str
    says: Title
    model: str = ""
    """Name of the model it asks, as it is marked; empty = it asks none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRow:
    """A group of tags."""

    group_id: str
    title: Title
    exclusive: bool
    target: str
    tags: tuple[TagRow, ...]


def all_tags(now_ms: int) -> tuple[tuple[GroupRow, ...], tuple[TagRow, ...]]:
    """Return the groups of tags with who has which, and the tags that stand in none: those of a platform, or of before."""
    words, counts = in_force(), profiles.counts(now_ms)
    groups = tuple(
        GroupRow(
            group_id=group.group_id, title=title_of(group), exclusive=group.exclusive, target=group.target,
            tags=tuple(_tag_row(words, group, tag, counts.get((tag.tag_id, group.target), 0)) for tag in group.tags),
        )
        for group in words.groups
    )  # fmt: skip
    others = tuple(
        TagRow(tag=tag, title=(tag, tag), colour="blue", note="", count=count, rules=())
        for (tag, _target), count in sorted(counts.items())
        if tag not in words.tags
    )
    return groups, others


def _tag_row(words: Vocabulary, group: TagGroup, tag: Tag, count: int) -> TagRow:
    rules = tuple(
        RuleView(
            rule_id=rule.rule_id, mode=rule.mode, reason=rule.reason,
            says=(explain_tag_rule(words.playbook, group, rule), explain_tag_rule(words.playbook, group, rule, "en")),
            model=model_name(rule),
        )
        for rule in tag.rules
    )  # fmt: skip
    return TagRow(tag=tag.tag_id, title=title_of(tag), colour=tag.colour, note=tag.note, count=count, rules=rules)


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderView:
    """Somebody who has a tag."""

    member_id: int
    name: str
    tag: TagView


@dataclass(frozen=True, slots=True, kw_only=True)
class TagPage:
    """A tag with who has it."""

    row: TagRow
    group: GroupRow | None
    holders: tuple[HolderView, ...]
    sources: Mapping[str, int]
    judges: Mapping[str, Judge | None]
    """The models its rules ask, by rule; None = one with too few marks."""

    @property
    def models(self) -> Mapping[str, str]:
        """Under which names the models of its rules are marked, by rule."""
        return {rule.rule_id: rule.model for rule in self.row.rules if rule.model and rule.model != "mood"}


def tag_page(tag: str, visible: Visible, now_ms: int) -> TagPage | None:
    """Return a tag with its newest holders; None = there is no such tag, nor does anybody have one."""
    groups, others = all_tags(now_ms)
    found = next(((group, row) for group in groups for row in group.tags if row.tag == tag), None)
    lone = next((row for row in others if row.tag == tag), None)
    row = found[1] if found else lone
    if row is None and TagHolding.objects.filter(tag=tag).exists():
        row = TagRow(tag=tag, title=(tag, tag), colour="blue", note="", count=0, rules=())
    if row is None:
        return None
    held = profiles.holdings_of_tag(tag, now_ms, MOST_HOLDERS, visible)
    messages = _messages([seq for holding, _member in held for seq in holding.evidence], visible)
    names = _colleagues(holding.colleague for holding, _member in held)
    members = dict(Member.objects.filter(pk__in={member for _holding, member in held}).values_list("pk", "name"))
    views = _tags(in_force(), (holding for holding, _member in held), messages, names)
    holders = tuple(
        HolderView(member_id=member, name=members.get(member, ""), tag=view)
        for view, (_holding, member) in zip(views, held, strict=True)
    )
    return TagPage(
        row=row,
        group=found[0] if found else None,
        holders=holders,
        sources=profiles.count_by_source(tag, now_ms),
        judges=_judges(tag),
    )


def _judges(tag: str) -> Mapping[str, Judge | None]:
    known = in_force().tags.get(tag)
    return {rule.rule_id: judge_of(rule) for rule in known[1].rules if rule.model is not None} if known else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialView:
    """What a rule would do at a moment."""

    rule_id: str
    at_ms: int
    holds: int
    puts: int
    takes: int
    sample: tuple[tuple[int, str, tuple[Evidence, ...]], ...]
    """Some of those it would tag: member (0 = a group), name, messages."""


MOST_SAMPLED: Final = 20


def trial(rule_id: str, at: str) -> TrialView | None:
    """Return what a rule would do now, or at the end of a day written as 2026-03-01; None = there is no such rule."""
    words = in_force()
    if rule_id not in {rule.rule_id for _group, _tag, rule in all_rules(words)}:
        return None
    moment = _end_of(at) or now_ms()
    outcome = find(words, frozenset({rule_id}), moment)[rule_id]
    some = outcome.puts[:MOST_SAMPLED]
    names = dict(Member.objects.filter(pk__in=[member for member, _group in some]).values_list("pk", "name"))
    places = dict(Group.objects.filter(pk__in=[group for _member, group in some]).values_list("pk", "name"))
    messages = _messages([seq for key in some for seq in outcome.holds[key].seqs], None)
    sample = tuple(
        (
            member, names.get(member, "") or places.get(group, ""),
            tuple(messages[seq] for seq in outcome.holds[member, group].seqs if seq in messages),
        )
        for member, group in some
    )  # fmt: skip
    return TrialView(
        rule_id=rule_id, at_ms=moment, holds=len(outcome.holds), puts=len(outcome.puts), takes=len(outcome.takes), sample=sample
    )


def _end_of(day: str) -> int | None:
    try:
        return mirrors.clock().start_ms(date_day(date.fromisoformat(day)) + 1) - 1 if day else None
    except (ValueError, OverflowError):
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchView:
    """An action that can be taken back."""

    batch_id: str
    kind: str
    made_ms: int
    colleague: str
    what: Title
    """Tags or attributes it is about, by their titles."""
    members: int
    changes: int
    undone_ms: int | None


def may_undo(batch_id: str, own: int | None) -> bool:
    """Tell whether there is such an action; `own` = only those of this colleague count."""
    rows = ChangeBatch.objects.filter(batch_id=batch_id)
    return (rows if own is None else rows.filter(actor_id=own)).exists()


def recent_batches(own: int | None = None, limit: int = 50) -> tuple[BatchView, ...]:
    """Return the newest actions that changed something; `own` = only those of this colleague."""
    found = ChangeBatch.objects.filter(changes__gt=0)
    found = found if own is None else found.filter(actor_id=own)
    rows = list(found.order_by("-made_ms", "batch_id")[:limit])
    names = _colleagues(str(row.actor_id) for row in rows if row.actor_id)
    words = in_force()
    by_rule = {rule.rule_id: title_of(tag) for _group, tag, rule in all_rules(words)}
    return tuple(
        BatchView(
            batch_id=row.batch_id, kind=row.kind, made_ms=row.made_ms, colleague=names.get(str(row.actor_id), ""),
            what=_what(row.summary, words, by_rule),
            members=int(row.summary.get("members", 0)), changes=row.changes, undone_ms=row.undone_ms,
        )
        for row in rows
    )  # fmt: skip


def _what(summary: Mapping[str, object], words: Vocabulary, by_rule: Mapping[str, Title]) -> Title:
    if tag := summary.get("tag"):
        return title_of_tag(str(tag))
    if attribute := summary.get("attribute"):
        item = words.attributes.get(str(attribute))
        return title_of(item) if item else (str(attribute), str(attribute))
    what = str(summary.get("what") or "")
    titles = dict.fromkeys(by_rule.get(name, (name, name)) for name in what.split(", "))
    return "、".join(title for title, _en in titles), ", ".join(english for _title, english in titles)


def chips(member_ids: list[int], now_ms: int) -> Mapping[int, tuple[tuple[Title, str], ...]]:
    """Return the tags of members in a list as titles with colours, a few each."""
    words = in_force()
    found = {}
    for member, tags in profiles.tags_of_members(member_ids, now_ms).items():
        items = (words.tags[tag][1] if tag in words.tags else None for tag in tags)
        found[member] = tuple(
            (title_of(item), item.colour) if item else ((tag, tag), "blue") for tag, item in zip(tags, items, strict=True)
        )
    return found


def tag_choices(target: str = "member") -> tuple[tuple[Title, tuple[tuple[str, Title], ...]], ...]:
    """Return the tags that can be put on a kind of subject, by group."""
    return tuple(
        (title_of(group), tuple((tag.tag_id, title_of(tag)) for tag in group.tags))
        for group in in_force().groups
        if group.target == target
    )


def coded_attributes() -> tuple[tuple[str, Title, tuple[str, ...]], ...]:
    """Return the attributes that lists can be narrowed by, each with its choices."""
    return tuple(
        (item.attribute_id, title_of(item), tuple(choice.value for choice in item.choices))
        for item in in_force().attributes.values()
        if item.type == "choice"
    )


def attribute_titles() -> tuple[tuple[str, Title], ...]:
    """Return every attribute with its title."""
    return tuple((item.attribute_id, title_of(item)) for item in in_force().attributes.values())


def columns_of(member_ids: list[int], now_ms: int) -> Mapping[int, tuple[str | int, ...]]:
    """Return for each member the values that count of all attributes, then its tags, as cells of a table.

    Money is in the major unit where that is a whole number, dates are ISO texts, yes and no are words; "" = nothing is known.
    """
    words = in_force()
    values, tags = profiles.values_of_members(member_ids), profiles.tags_of_members(member_ids, now_ms)
    found = {}
    for member in member_ids:
        known = values.get(member, {})
        cells = [_cell(item, known.get(item.attribute_id)) for item in words.attributes.values()]
        found[member] = (*cells, "、".join(tags.get(member, ())))
    return found


def _cell(item: Attribute, value: str | int | float | bool | None) -> str | int:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if item.type == "money" and isinstance(value, int):
        return value // 100 if value % 100 == 0 else f"{value / 100:.2f}"
    return value if isinstance(value, int) else str(value)


def seen_members(member_ids: list[int], visible: Visible) -> list[int]:
    """Return those of the members whom somebody may see who sees these groups; order kept."""
    rows = Identity.objects.filter(member_id__in=member_ids)
    if visible is not None:
        rows = rows.filter(membership__group_id__in=visible)
    seen = set(rows.values_list("member_id", flat=True))
    return [member for member in dict.fromkeys(member_ids) if member in seen]


def names_of(member_ids: Sequence[int]) -> tuple[tuple[int, str], ...]:
    """Return members with their names, order kept; unknown ones are left out."""
    names = dict(Member.objects.filter(pk__in=list(member_ids)).values_list("pk", "name"))
    return tuple((member, names[member]) for member in member_ids if member in names)


def worded(details: Iterable[Mapping[str, object]]) -> list[dict[str, object]]:
    """Return details of events about tags and attributes, with how these are called."""
    words = in_force()
    found = []
    for detail in details:
        attribute, tag = words.attributes.get(str(detail.get("attribute"))), words.tags.get(str(detail.get("tag")))
        item = attribute or (tag[1] if tag else None)
        name = str(detail.get("attribute") or detail.get("tag") or "")
        kind = attribute.type if attribute else ""
        found.append({**detail, "title": title_of(item) if item else (name, name), "type": kind})
    return found
