"""Let the rules of tags run over everybody: put what holds, take back what holds no longer; or only count.

A rule acts by itself when its mode is `act`; a colleague can let any rule act once. A tag that a colleague took away, or whose
rival in an exclusive group stands, is left alone: people's word weighs more, and of two rules the first in the playbook.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import pyarrow as pa

from qunce.accounts import audit
from qunce.accounts.models import Staff
from qunce.analytics.segments.plan import leaves_of
from qunce.domain.events import Event, TagPut, TagTaken
from qunce.playbook.profile import rule_key, rule_tree, segment_fields
from qunce.playbook.schema.profile import Tag, TagGroup, TagRule
from qunce.playbook.schema.segments import Subject
from qunce.playbook.segments.check import rules_of
from qunce.playbook.segments.tree import Attr, Rule
from qunce.readmodels.models import TagHolding
from qunce.runtime.clock import now_ms
from qunce.runtime.commands import CommandRefused
from qunce.runtime.ingest import Ingest, batches
from qunce.runtime.models import ChangeBatch
from qunce.runtime.profile import making
from qunce.runtime.profile.changing import CHUNK, new_batch_id, open_batch, take
from qunce.runtime.profile.models import Judge, digests, judge_of
from qunce.runtime.profile.vocabulary import Vocabulary, in_force
from qunce.runtime.profile.weighing import Facts, Outcome, Wanted, compare, kept_of
from qunce.runtime.profile.words import Key, Spoken, accounts_of_members, spoken
from qunce.runtime.segments import mirrors

HORIZON_MS: Final = 48 * 3_600_000
"""How far ahead a run over everybody says whom to look at again; the next one comes within half of it."""
Seat = tuple[Subject, Key]
"""Whom to look at: what kind of subject, and which."""


def all_rules(words: Vocabulary) -> Iterator[tuple[TagGroup, Tag, TagRule]]:
    """Yield the rules in the order of the playbook."""
    for group in words.groups:
        for tag in group.tags:
            for rule in tag.rules:
                yield group, tag, rule


def acting(words: Vocabulary) -> frozenset[str]:
    """Return the rules that act by themselves."""
    return frozenset(rule.rule_id for _group, _tag, rule in all_rules(words) if rule.mode == "act")


def version_of(words: Vocabulary) -> str:
    """Return what changes when other rules act, or the models they ask are others."""
    return f"{words.version}+{digests(rule for _group, _tag, rule in wanted_of(words, acting(words)))}"


def wanted_of(words: Vocabulary, rule_ids: frozenset[str]) -> Wanted:
    """Return these rules, each with its tag and group, in the order of the playbook."""
    return [found for found in all_rules(words) if found[2].rule_id in rule_ids]


def trees_of(words: Vocabulary, wanted: Wanted) -> tuple[dict[str, Rule], tuple[str, ...]]:
    """Return what has to be known to evaluate the conditions of rules as segments are, and which of it are the rules."""
    playbook = words.playbook
    segments = rules_of(playbook.segments, segment_fields(playbook.attributes))
    trees: dict[str, Rule] = {}
    for group, _tag, rule in wanted:
        tree = rule_tree(playbook.segments, playbook.attributes, group, rule)
        if tree is not None:
            trees[rule_key(rule.rule_id)] = tree
    return {**segments, **trees}, tuple(trees)


def find(words: Vocabulary, rule_ids: frozenset[str], moment: int) -> Mapping[str, Outcome]:
    """Return what these rules find at a moment, also a past one. Brings the mirror up to date first; changes nothing."""
    wanted = wanted_of(words, rule_ids)
    trees, names = trees_of(words, wanted)
    held = {}
    if names:
        mirrors.bring_up_to_date()
        held = _held(trees, names, mirrors.engine().evaluate_all(trees, moment, names))
    return compare(words, wanted, Facts(held=held, said=_said(wanted, moment)), moment)


def find_ahead(words: Vocabulary, rule_ids: frozenset[str], moment: int) -> tuple[Mapping[str, Outcome], dict[Seat, int]]:
    """Return what these rules find, and whom to look at again within `HORIZON_MS` though nothing may happen."""
    wanted = wanted_of(words, rule_ids)
    trees, names = trees_of(words, wanted)
    held, due = {}, dict[Seat, int]()
    if names:
        mirrors.bring_up_to_date()
        engine = mirrors.engine()
        found = engine.run(trees, moment, names, moment + HORIZON_MS)
        held = _held(trees, names, found.belongs)
        changing = pa.concat_tables([found.due, engine.ahead(moment)])
        for of, subject, place, until in _rows(changing, "of", "subject_id", "group_id", "until_ms"):
            seat = (of, tag_key(of, (subject, place)))
            due[seat] = min(until, due.get(seat, until))
    outcomes = compare(words, wanted, Facts(held=held, said=_said(wanted, moment)), moment)
    add_due(due, wanted, outcomes, moment)
    return outcomes, due


def _held(trees: Mapping[str, Rule], names: Sequence[str], belongs: pa.Table) -> dict[str, set[Key]]:
    held: dict[str, set[Key]] = {name.removeprefix(rule_key("")): set() for name in names}
    for name, subject, place in _rows(belongs, "segment_id", "subject_id", "group_id"):
        held[name.removeprefix(rule_key(""))].add(tag_key(trees[name].of, (subject, place)))
    return held


def _said(wanted: Wanted, moment: int) -> Mapping[str, Mapping[Key, Spoken]]:
    return spoken([(rule, group.target == "membership") for group, _tag, rule in wanted], moment)


def tag_key(of: Subject, key: Key) -> Key:
    """Return the key of a subject as holdings have it: a group has no member."""
    return (0, key[0]) if of == "group" else key


def add_due(due: dict[Seat, int], wanted: Wanted, outcomes: Mapping[str, Outcome], moment: int) -> None:
    """Add when the outcomes themselves say to look again."""
    for group, _tag, rule in wanted:
        for key, until in outcomes[rule.rule_id].due.items():
            if until <= moment + HORIZON_MS:
                seat = (group.target, key)
                due[seat] = min(until, due.get(seat, until))


def _rows(table: pa.Table, *names: str) -> Iterator[tuple[Any, ...]]:
    return zip(*(table[name].to_pylist() for name in names), strict=True)


def run(words: Vocabulary, rule_ids: frozenset[str], moment: int, *, actor: Staff | None = None) -> dict[str, Any]:
    """Let these rules act now, as one batch; return the batch, and puts and takes of each rule."""
    return act(words, find(words, rule_ids, moment), moment, new_batch_id(), actor=actor)


def act(
    words: Vocabulary, outcomes: Mapping[str, Outcome], moment: int, batch_id: str, *, actor: Staff | None = None,
    ingest: Ingest | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Do what outcomes say, as one batch, or as more of one; return the batch, and puts and takes of each rule."""
    puts = {name: len(outcome.puts) for name, outcome in outcomes.items()}
    takes = {name: len(outcome.takes) for name, outcome in outcomes.items()}
    changes = 0
    if any(puts.values()) or any(takes.values()):
        open_batch(batch_id, "rules", actor, {"what": "", "members": 0}, moment)
        changes = take(batch_id, _events(words, outcomes, batch_id, moment), ingest)
        _note(batch_id, {name for name in outcomes if puts[name] or takes[name]}, sum(puts.values()))
    return {"batch": batch_id if changes else "", "version": words.version, "puts": puts, "takes": takes}


def _note(batch_id: str, rule_ids: set[str], members: int) -> None:
    """Say in a batch which rules it is of, and how many it put a tag on."""
    batch = ChangeBatch.objects.get(batch_id=batch_id)
    known = {name for name in str(batch.summary.get("what", "")).split(", ") if name}
    batch.summary = {"what": ", ".join(sorted(known | rule_ids)), "members": batch.summary.get("members", 0) + members}
    batch.save(update_fields=["summary"])


def _events(words: Vocabulary, outcomes: Mapping[str, Outcome], batch_id: str, moment: int) -> Iterator[Event]:
    key = f"{batch_id}/{moment}"
    for group, tag, rule in all_rules(words):
        outcome = outcomes.get(rule.rule_id)
        if outcome is None:
            continue
        kept, judge, entry = kept_of(rule), judge_of(rule), _asks_how_they_came(words, group, rule)
        for chunk in batches(outcome.takes, CHUNK):
            rows = list(TagHolding.objects.filter(pk__in=chunk).order_by("pk"))
            accounts, groups = making.accounts(r.identity_id for r in rows), making.groups(r.group_id for r in rows)
            for row in rows:
                gone = TagTaken(
                    target=group.target, tag=tag.tag_id, kept=kept, rule_id=rule.rule_id, reason=rule.reason,
                    batch_id=batch_id,
                )  # fmt: skip
                yield making.event(gone, moment, key, person=accounts.get(row.identity_id), group=groups.get(row.group_id))
        for keys in batches(outcome.puts, CHUNK):
            people = accounts_of_members(member for member, _group in keys if member)
            places = making.groups(place for _member, place in keys if place)
            joins = making.joins(keys) if entry else {}
            for member, place in keys:
                spoke = outcome.holds[member, place]
                put = TagPut(
                    target=group.target, tag=tag.tag_id, kept=kept, rule_id=rule.rule_id,
                    version=judge.version if judge else words.version, reason=_reason(rule, judge, spoke),
                    confidence=_confidence(rule, judge, spoke),
                    evidence=(*spoke.seqs, *((joins[member, place],) if (member, place) in joins else ())),
                    until_ms=moment + rule.expire_after_s * 1000 if rule.expire_after_s else None, batch_id=batch_id,
                )  # fmt: skip
                if (not member or member in people) and (not place or place in places):
                    yield making.event(put, moment, key, person=people.get(member), group=places.get(place))


def _asks_how_they_came(words: Vocabulary, group: TagGroup, rule: TagRule) -> bool:
    """Tell whether a rule asks for the way into a group: then the join is its evidence."""
    if group.target != "membership" or not rule.where:
        return False
    trees, names = trees_of(words, [(group, group.tags[0], rule)])
    leaves = (leaf for name in names for leaf in leaves_of(trees[name].body, trees))
    return any(isinstance(leaf, Attr) and leaf.name == "scene" for leaf in leaves)


def _confidence(rule: TagRule, judge: Judge | None, spoke: Spoken) -> float:
    """Return how sure a tag is: of the messages that are needed the least sure one, where a model's sums mean something."""
    if judge is None or judge.calibration is None:
        return rule.confidence
    return sorted((sure for _ts_ms, _seq, sure in spoke.newest), reverse=True)[rule.times - 1]


def _reason(rule: TagRule, judge: Judge | None, spoke: Spoken) -> str:
    """Return why, with what the model gave each message, in the order of the evidence."""
    if judge is None:
        return rule.reason
    scores = " ".join(f"{sure:.0%}" for sure in spoke.sures)
    said = f"{rule.reason}（{scores}）" if rule.reason else scores
    return said if judge.calibration else f"{said} 未校准"


def do_run_rule(*, actor: Staff, rule_id: str) -> dict[str, Any]:
    """Let one rule act once, whatever its mode. Raises CommandRefused for an unknown rule."""
    words = in_force()
    if rule_id not in {rule.rule_id for _group, _tag, rule in all_rules(words)}:
        raise CommandRefused(f"unknown rule {rule_id!r}")
    result = run(words, frozenset({rule_id}), now_ms(), actor=actor)
    audit.record(
        actor=actor, action="profile.rule", target_type="rule", target_id=rule_id,
        after={"puts": result["puts"][rule_id], "takes": result["takes"][rule_id], "batch": result["batch"]},
    )  # fmt: skip
    return result
