"""Compare what rules of tags find with the tags that stand: whom to put one on, from whom to take it, when to look again.

The same for everybody and for a few: what becomes of one subject never depends on another one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any, Literal

from django.db.models import Q

from qunce.playbook.schema.profile import Tag, TagGroup, TagRule
from qunce.readmodels.models import Identity, TagHolding
from qunce.readmodels.selectors.profiles import standing
from qunce.runtime.profile.vocabulary import Vocabulary
from qunce.runtime.profile.words import Key, Spoken

Wanted = Sequence[tuple[TagGroup, Tag, TagRule]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What conditions and words of rules say at a moment."""

    held: Mapping[str, Set[Key]]
    """Whom the conditions of each rule hold for; rules without conditions are left out."""
    said: Mapping[str, Mapping[Key, Spoken]]
    """Who said words of each rule; rules without words are left out."""
    looked: Mapping[str, Set[Key]] | None = None
    """Whom each rule was asked about; None = about everybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a rule finds at a moment. Keys are (member, group of a membership or 0); for groups (0, group)."""

    holds: Mapping[Key, Spoken]
    """Whom it holds for, with the messages that say so."""
    puts: tuple[Key, ...]
    takes: tuple[int, ...]
    """Holdings of the rule whose subject it holds for no longer."""
    due: Mapping[Key, int]
    """When words grow old, a tag is to be renewed or a rival ends: the rule may find something else then, without an event."""


@dataclass(slots=True)
class _Own:
    """What a rule has put so far."""

    takes: list[int] = field(default_factory=list)
    stands: dict[Key, bool] = field(default_factory=dict)
    """Who has the tag; False = it is to be renewed."""
    refused: set[Key] = field(default_factory=set)
    """From whom a colleague took it away."""
    due: dict[Key, int] = field(default_factory=dict)


def compare(words: Vocabulary, wanted: Wanted, facts: Facts, moment: int) -> Mapping[str, Outcome]:
    """Return what each of these rules finds. Of two that exclude each other the first in the playbook comes first."""
    holds = {rule.rule_id: _both(rule, facts) for _group, _tag, rule in wanted}
    own = {rule.rule_id: _own(group, tag, rule, holds[rule.rule_id], facts, moment) for group, tag, rule in wanted}
    gone = frozenset(pk for found in own.values() for pk in found.takes)
    taken: dict[str, set[Key]] = {}
    outcomes = {}
    for group, tag, rule in wanted:
        held, mine = holds[rule.rule_id], own[rule.rule_id]
        rivals = words.rivals(tag.tag_id)
        ends = _rivals(rivals, group.target, held, facts, rule, moment, gone) if rivals and held else {}
        busy = taken.setdefault(group.group_id, set()) if rivals else set()
        puts = tuple(
            key for key in held
            if not mine.stands.get(key) and key not in mine.refused and key not in ends and key not in busy
        )  # fmt: skip
        taken.setdefault(group.group_id, set()).update((*puts, *mine.stands))
        due = dict(mine.due)
        for key, until in (*_fading(rule, held), *ends.items(), *_renewing(rule, puts, moment)):
            if until is not None and until > moment:
                due[key] = min(until, due.get(key, until))
        outcomes[rule.rule_id] = Outcome(holds=held, puts=puts, takes=tuple(mine.takes), due=due)
    return outcomes


def kept_of(rule: TagRule) -> Literal["rule", "model"]:
    """Return what puts the tag: the rule, or the model it asks."""
    return "rule" if rule.model is None else "model"


def _both(rule: TagRule, facts: Facts) -> Mapping[Key, Spoken]:
    """Return whom conditions and words hold for; what a rule does not ask for always holds."""
    held = facts.held.get(rule.rule_id) if rule.where else None
    looked = None if facts.looked is None else facts.looked.get(rule.rule_id, frozenset())
    if not rule.listens:
        return {key: Spoken() for key in sorted(held or ()) if looked is None or key in looked}
    said = facts.said.get(rule.rule_id, {})
    return {
        key: spoke
        for key, spoke in sorted(said.items())
        if spoke.times >= rule.times and (held is None or key in held) and (looked is None or key in looked)
    }


def _own(group: TagGroup, tag: Tag, rule: TagRule, holds: Mapping[Key, Spoken], facts: Facts, moment: int) -> _Own:
    found = _Own()
    rows = TagHolding.objects.filter(tag=tag.tag_id, kept=kept_of(rule), rule_id=rule.rule_id, target=group.target)
    looked = None if facts.looked is None else facts.looked.get(rule.rule_id, frozenset())
    for row, key in _keyed(rows, looked):
        live = row.taken_ms is None and row.put_ms is not None and (row.until_ms is None or row.until_ms > moment)
        if live and key not in holds and rule.take_back:
            found.takes.append(row.pk)
        elif live:
            renew_ms = None if row.until_ms is None else row.until_ms - (rule.expire_after_s or 0) * 500
            found.stands[key] = renew_ms is None or renew_ms > moment
            if renew_ms is not None and key in holds:
                found.due[key] = max(renew_ms, moment + 1)
        elif row.colleague:
            found.refused.add(key)
    return found


def _rivals(
    tags: frozenset[str], target: str, holds: Collection[Key], facts: Facts, rule: TagRule, moment: int, gone: frozenset[int]
) -> dict[Key, int | None]:
    """Return who of those a rule holds for has another tag of its group, and until when."""
    rows = TagHolding.objects.filter(standing(moment), tag__in=tags, target=target)
    looked = None if facts.looked is None else frozenset(holds)
    return {key: row.until_ms for row, key in _keyed(rows, looked) if row.pk not in gone}


def _keyed(rows: Any, looked: Set[Key] | None) -> list[tuple[TagHolding, Key]]:
    """Return holdings with whom they are of: all of them, or those of the subjects looked at."""
    if looked is not None:
        accounts = Identity.objects.filter(member_id__in={member for member, _group in looked if member}).values("pk")
        groups = {group for member, group in looked if not member}
        rows = rows.filter(Q(identity_id__in=accounts) | Q(identity_id=0, group_id__in=groups))
    owners = dict(Identity.objects.filter(pk__in=rows.values("identity_id")).values_list("pk", "member_id"))
    keyed = ((row, (owners.get(row.identity_id, 0), row.group_id)) for row in rows)
    return [(row, key) for row, key in keyed if looked is None or key in looked]


def _fading(rule: TagRule, holds: Mapping[Key, Spoken]) -> list[tuple[Key, int | None]]:
    """Return when so many words have grown old that too few are left."""
    if not rule.listens:
        return []
    return [(key, spoke.newest[-rule.times][0] + rule.within_s * 1000 + 1) for key, spoke in holds.items()]


def _renewing(rule: TagRule, puts: Collection[Key], moment: int) -> list[tuple[Key, int | None]]:
    """Return when the tags that are put now are to be renewed."""
    if not rule.expire_after_s:
        return []
    return [(key, moment + rule.expire_after_s * 500) for key in puts]
