"""Let the rules of tags run over everybody: put what holds, take back what holds no longer; or only count.

A rule acts by itself when its mode is `act`; a colleague can let any rule act once. A tag that a colleague took away, or whose
rival in an exclusive group stands, is left alone: people's word weighs more, and of two rules the first in the playbook.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from qunce.accounts import audit
from qunce.accounts.models import Staff
from qunce.domain.events import Event, TagPut, TagTaken
from qunce.playbook.profile import rule_key, rule_tree, segment_fields
from qunce.playbook.schema.profile import Tag, TagGroup, TagRule
from qunce.playbook.segments.check import rules_of
from qunce.readmodels.models import Identity, TagHolding
from qunce.readmodels.selectors.profiles import standing
from qunce.runtime import jobs
from qunce.runtime.clock import now_ms
from qunce.runtime.commands import CommandRefused
from qunce.runtime.ingest import batches
from qunce.runtime.models import Job, JobState
from qunce.runtime.profile import making
from qunce.runtime.profile.changing import CHUNK, new_batch_id, open_batch, take
from qunce.runtime.profile.vocabulary import Vocabulary, in_force
from qunce.runtime.profile.words import Key, Spoken, accounts_of_members, spoken
from qunce.runtime.segments import mirrors

JOB_KIND: Final = "tag_rules"
DAY_MS: Final = 86_400_000
Beat = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a rule finds at a moment. Keys are (member, group of a membership or 0); for groups (0, group)."""

    holds: Mapping[Key, Spoken]
    """Whom it holds for, with the messages that say so."""
    puts: tuple[Key, ...]
    takes: tuple[int, ...]
    """Holdings of the rule whose subject it holds for no longer."""


def all_rules(words: Vocabulary) -> Iterator[tuple[TagGroup, Tag, TagRule]]:
    """Yield the rules in the order of the playbook."""
    for group in words.groups:
        for tag in group.tags:
            for rule in tag.rules:
                yield group, tag, rule


def find(words: Vocabulary, rule_ids: frozenset[str], moment: int) -> Mapping[str, Outcome]:
    """Return what these rules find at a moment, also a past one. Brings the mirror up to date first; changes nothing."""
    wanted = [(group, tag, rule) for group, tag, rule in all_rules(words) if rule.rule_id in rule_ids]
    held = _conditions(words, wanted, moment)
    said = spoken([(rule, group.target == "membership") for group, _tag, rule in wanted], moment)
    taken: dict[str, set[Key]] = {}
    outcomes = {}
    for group, tag, rule in wanted:
        holds = _both(rule, held.get(rule.rule_id), said.get(rule.rule_id, {}))
        outcomes[rule.rule_id] = _compare(words, group, tag, rule, holds, moment, taken)
    return outcomes


def _conditions(words: Vocabulary, wanted: list[tuple[TagGroup, Tag, TagRule]], moment: int) -> Mapping[str, set[Key]]:
    playbook = words.playbook
    trees = {}
    for group, _tag, rule in wanted:
        tree = rule_tree(playbook.segments, playbook.attributes, group, rule)
        if tree is not None:
            trees[rule_key(rule.rule_id)] = tree
    if not trees:
        return {}
    mirrors.bring_up_to_date()
    segments = rules_of(playbook.segments, segment_fields(playbook.attributes))
    rows = mirrors.engine().evaluate_all({**segments, **trees}, moment, list(trees))
    found: dict[str, set[Key]] = {name.removeprefix(rule_key("")): set() for name in trees}
    groups = {rule.rule_id for group, _tag, rule in wanted if group.target == "group"}
    columns = (rows[name].to_pylist() for name in ("segment_id", "subject_id", "group_id"))
    for name, subject, place in zip(*columns, strict=True):
        rule_id = name.removeprefix(rule_key(""))
        found[rule_id].add((0, subject) if rule_id in groups else (subject, place))
    return found


def _both(rule: TagRule, held: set[Key] | None, said: Mapping[Key, Spoken]) -> Mapping[Key, Spoken]:
    """Return whom conditions and words hold for; what a rule does not ask for always holds."""
    if not rule.said:
        return {key: Spoken() for key in sorted(held or ())}
    enough = {key: spoke for key, spoke in said.items() if spoke.times >= rule.times}
    return {key: spoke for key, spoke in sorted(enough.items()) if held is None or key in held}


def _compare(
    words: Vocabulary, group: TagGroup, tag: Tag, rule: TagRule, holds: Mapping[Key, Spoken], moment: int,
    taken: dict[str, set[Key]],
) -> Outcome:  # fmt: skip
    """Compare with what stands; `taken` remembers whom earlier rules of an exclusive group have got."""
    own = TagHolding.objects.filter(tag=tag.tag_id, kept="rule", rule_id=rule.rule_id, target=group.target)
    owners = _owners(own)
    stands: dict[Key, bool] = {}
    refused: set[Key] = set()
    takes = []
    for row in own:
        key = (owners.get(row.identity_id, 0), row.group_id)
        live = row.taken_ms is None and row.put_ms is not None and (row.until_ms is None or row.until_ms > moment)
        if live and key not in holds and rule.take_back:
            takes.append(row.pk)
        elif live:
            stands[key] = row.until_ms is None or row.until_ms - moment > (rule.expire_after_s or 0) * 500
        elif row.colleague:
            refused.add(key)
    rivals = words.rivals(tag.tag_id)
    busy = _holders(rivals, group.target, moment, without=set(takes)) | taken.get(group.group_id, set()) if rivals else set()
    puts = tuple(key for key in holds if not stands.get(key) and key not in refused and key not in busy)
    taken.setdefault(group.group_id, set()).update((*puts, *stands))
    return Outcome(holds=holds, puts=puts, takes=tuple(takes))


def _owners(rows: Any) -> Mapping[int, int]:
    ids = rows.values("identity_id")
    return dict(Identity.objects.filter(pk__in=ids).values_list("pk", "member_id"))


def _holders(tags: frozenset[str], target: str, moment: int, without: set[int]) -> set[Key]:
    rows = TagHolding.objects.filter(standing(moment), tag__in=tags, target=target)
    owners = _owners(rows)
    return {(owners.get(row.identity_id, 0), row.group_id) for row in rows if row.pk not in without}


def run(words: Vocabulary, rule_ids: frozenset[str], moment: int, *, actor: Staff | None = None) -> dict[str, Any]:
    """Let these rules act now, as one batch; return the batch, and puts and takes of each rule."""
    outcomes = find(words, rule_ids, moment)
    batch_id = new_batch_id()
    puts = {name: len(outcome.puts) for name, outcome in outcomes.items()}
    takes = {name: len(outcome.takes) for name, outcome in outcomes.items()}
    changes = 0
    if any(puts.values()) or any(takes.values()):
        summary = {
            "what": ", ".join(sorted(name for name in outcomes if puts[name] or takes[name])),
            "members": sum(puts.values()),
        }
        open_batch(batch_id, "rules", actor, summary, moment)
        changes = take(batch_id, _events(words, outcomes, batch_id, moment, actor))
    return {"batch": batch_id if changes else "", "version": words.version, "puts": puts, "takes": takes}


def _events(
    words: Vocabulary, outcomes: Mapping[str, Outcome], batch_id: str, moment: int, actor: Staff | None
) -> Iterator[Event]:  # fmt: skip
    for group, tag, rule in all_rules(words):
        outcome = outcomes.get(rule.rule_id)
        if outcome is None:
            continue
        for chunk in batches(outcome.takes, CHUNK):
            rows = list(TagHolding.objects.filter(pk__in=chunk).order_by("pk"))
            accounts, groups = making.accounts(r.identity_id for r in rows), making.groups(r.group_id for r in rows)
            for row in rows:
                gone = TagTaken(
                    target=group.target, tag=tag.tag_id, kept="rule", rule_id=rule.rule_id, reason=rule.reason,
                    batch_id=batch_id,
                )  # fmt: skip
                yield making.event(gone, moment, batch_id, person=accounts.get(row.identity_id), group=groups.get(row.group_id))
        for keys in batches(outcome.puts, CHUNK):
            people = accounts_of_members(member for member, _group in keys if member)
            places = making.groups(place for _member, place in keys if place)
            for member, place in keys:
                put = TagPut(
                    target=group.target, tag=tag.tag_id, kept="rule", rule_id=rule.rule_id, version=words.version,
                    reason=rule.reason, confidence=rule.confidence, evidence=tuple(outcome.holds[member, place].seqs),
                    until_ms=moment + rule.expire_after_s * 1000 if rule.expire_after_s else None, batch_id=batch_id,
                )  # fmt: skip
                if (not member or member in people) and (not place or place in places):
                    yield making.event(put, moment, batch_id, person=people.get(member), group=places.get(place))


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


def start_if_due(moment: int) -> int | None:
    """Queue the daily run, or one after other rules came into force; None = nothing is due."""
    if not _acting(in_force()):
        return None
    newest = Job.objects.filter(kind=JOB_KIND).order_by("-pk").first()
    if newest is not None:
        if newest.state in (JobState.QUEUED, JobState.RUNNING):
            return None
        same = newest.state == JobState.FAILED or newest.result.get("version") == in_force().version
        if same and newest.created_ms > moment - DAY_MS:
            return None
    job_id = jobs.enqueue(JOB_KIND, {}, actor_id=None)
    jobs.wake()
    return job_id


def _acting(words: Vocabulary) -> frozenset[str]:
    return frozenset(rule.rule_id for _group, _tag, rule in all_rules(words) if rule.mode == "act")


def perform(params: Mapping[str, Any], beat: Beat) -> dict[str, Any]:
    """Do a run of all rules that act; done twice it finds nothing to change."""
    started, words = time.monotonic(), in_force()
    beat({"done": 0, "total": 1})
    result = run(words, _acting(words), now_ms())
    return {**result, "seconds": round(time.monotonic() - started, 2)}
