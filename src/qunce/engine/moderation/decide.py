"""Decide: ask each rule of the group about one happening. Reads the state, never changes it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from qunce.domain.decisions import Decision, Evidence, Mode
from qunce.domain.events import AnyBody, MemberJoined, MemberUpdated, MessageCreated, MessageEdited
from qunce.domain.ids import IdentityId
from qunce.engine.happening import Happening
from qunce.engine.moderation.checks.behaviour import reported_by
from qunce.engine.moderation.ladder import Sanction, local_time, sanction
from qunce.engine.moderation.look import NOBODY, Look
from qunce.engine.moderation.program import ActiveRule, Asked, Occasion, Program
from qunce.engine.moderation.signs import FOR_ALL, FOR_EVERYONE, FOR_MEMBERS, FOR_STAFF
from qunce.engine.moderation.state import GroupState, Person, State
from qunce.playbook.schema.checks import Check, ConceptCheck, Crisis, Model, Mood

_MODE_RANK: Final = {"act": 0, "suggest": 1, "observe": 2}
_VERDICT_RANK: Final = {"ban": 0, "remove": 1, "mute": 2, "warn": 3, "talk": 4, "review": 5, "pass": 6}
SOMEBODY: Final = "该成员"
"""Called so in notices when no name is known."""


_OCCASIONS: Final[dict[type, Occasion]] = {MessageCreated: "message", MessageEdited: "edit", MemberJoined: "join"}


def occasion_of(body: AnyBody) -> Occasion | None:
    """Return which rules a happening sets off; None for none."""
    return "profile" if isinstance(body, MemberUpdated) and body.field in ("nickname", "card") else _OCCASIONS.get(type(body))


def decide(
    state: State, happening: Happening, program: Program, now_ms: int, *, ask_pass: bool = False
) -> tuple[Decision, ...]:
    """Return what the rules say about a happening that is not folded yet, gravest first.

    `now_ms` is the moment of deciding: it marks the decisions, and acts on nothing but the age of old messages. With `ask_pass`
    rules that found nothing say so too.
    """
    group_id, person_id, body = happening.group, happening.person, happening.event.body
    occasion = occasion_of(body)
    if occasion is None or group_id is None or person_id is None:
        return ()
    group = state.groups.get(group_id) or _new_group(happening)
    plan = program.plan(group.platform_id, group.name)
    if isinstance(body, MessageCreated) and not ask_pass:
        person = group.people.get(person_id, NOBODY)
        signs = plan.reader.read(state, group, person, happening, body)
        if not plan.worth_asking(signs | FOR_ALL):  # nothing for anybody, so who it is need not be known
            return ()
        rules = plan.worth_asking(signs | bound_by(state, program, happening, person_id, person))
        return _decide(rules, Look(state, group, happening, program.tools), program, now_ms) if rules else ()
    rules = plan.table[occasion]
    if not rules:
        return ()
    look = Look(state, group, happening, program.tools)
    bound = bound_by(state, program, happening, person_id, look.person)
    asked = tuple(pair for pair in rules if bound & pair[0].needs[0])
    found = _decide(asked, look, program, now_ms)
    return (*found, *_passes(rules, found, look, program, now_ms, bound)) if ask_pass else found


def _decide(rules: Asked, look: Look, program: Program, now_ms: int) -> tuple[Decision, ...]:
    found: list[tuple[ActiveRule, Mode, tuple[Evidence, ...]]] = []
    for active, mode in rules:
        evidence = _ask(active, look, program)
        if evidence is not None:
            found.append((active, mode, evidence))
    return _weigh(found, look, program, now_ms) if found else ()


def _new_group(happening: Happening) -> GroupState:
    conv = happening.event.conv
    return GroupState(name=conv.name if conv else None, platform_id=conv.platform_id if conv else None)


def bound_by(state: State, program: Program, happening: Happening, person_id: IdentityId, person: Person) -> int:
    """Return the signs of the kinds of rules the person counts for: members, staff, everyone."""
    party = happening.event.subject or happening.event.actor
    kind = state.kinds.get(person_id) or (party.kind if party is not None else "unknown")
    if kind == "system":
        return 0
    signs = FOR_EVERYONE if kind != "bot" else 0
    if kind == "staff":
        signs |= FOR_STAFF
    exempt = program.exempt
    if (
        kind in exempt.kinds
        or person.role in exempt.roles
        or (party is not None and party.platform_id in program.exempt_members)
    ):
        return signs
    return signs | FOR_MEMBERS


def _ask(active: ActiveRule, look: Look, program: Program) -> tuple[Evidence, ...] | None:
    evidence = []
    for find, check in active.finds:
        found = find(check, look)
        if found is None:
            return None
        evidence.append(found)
    if active.free and _rests(active, look, program):
        return None
    return tuple(evidence)


def _rests(active: ActiveRule, look: Look, program: Program) -> bool:
    local = local_time(program.playbook.playbook, look.ts_ms)
    return any(hours.holds(local.weekday(), local.hour * 60 + local.minute) for hours in active.free)


def decision_id(happening: Happening, rule_id: str) -> str:
    """Return the id of what a rule says about a happening: the same however often it is decided."""
    return f"{happening.seq}:{rule_id}"


def _weigh(
    found: list[tuple[ActiveRule, Mode, tuple[Evidence, ...]]], look: Look, program: Program, now_ms: int
) -> tuple[Decision, ...]:
    decisions = [_decision(active, mode, evidence, look, program, now_ms) for active, mode, evidence in found]
    severity = {active.rule.rule_id: active.rule.severity for active, _, _ in found}
    decisions.sort(key=lambda d: (_MODE_RANK[d.mode], -severity[d.rule_id], _VERDICT_RANK[d.verdict], d.rule_id))
    leaders: dict[tuple[bool, int | None], Decision] = {}
    weighed = []
    for decision in decisions:
        world = (decision.mode == "observe", decision.subject)
        leader = leaders.setdefault(world, decision)
        weighed.append(decision if leader is decision else _covered(decision, leader))
    return tuple(weighed)


def _covered(decision: Decision, leader: Decision) -> Decision:
    """Return the decision as a mere record: one message is sanctioned once, by the gravest rule."""
    kept = tuple(action for action in decision.actions if action.do == "delete" and not _deletes(leader))
    return msgspec.structs.replace(decision, covered_by=leader.decision_id, offence=0, actions=kept)


def _deletes(decision: Decision) -> bool:
    return any(action.do == "delete" for action in decision.actions)


def _decision(
    active: ActiveRule, mode: Mode, evidence: tuple[Evidence, ...], look: Look, program: Program, now_ms: int
) -> Decision:
    rule = active.rule
    reported = reported_by(look) if any(item.check == "report" for item in evidence) else None
    subject = reported.person if reported else look.person_id
    person = look.group.people.get(reported.person, NOBODY) if reported else look.person
    name = SOMEBODY if reported else look.happening.person_name or SOMEBODY
    if mode == "act" and now_ms - look.ts_ms > rule.stale_after_s * 1_000:
        mode = "suggest"
    result: Sanction = sanction(rule, active.ladder, program.playbook.playbook, look, subject, person, mode, evidence, name)
    return Decision(
        decision_id=decision_id(look.happening, rule.rule_id),
        group_id=look.happening.group,  # type: ignore[arg-type]  # decide returns early without a group
        event=look.happening.seq,
        ts_ms=look.ts_ms,
        decided_ms=now_ms,
        subject=subject,
        rule_id=rule.rule_id,
        category=rule.category,
        version=program.version,
        mode=mode,
        verdict=result.verdict,
        reason=rule.reason,
        score=max(item.score for item in evidence),
        evidence=evidence,
        actions=result.actions,
        ladder=rule.ladder,
        offence=result.offence,
        covered_by=result.covered_by,
    )


def _passes(
    rules: Asked, found: tuple[Decision, ...], look: Look, program: Program, now_ms: int, bound: int
) -> Iterator[Decision]:
    """Say of each rule that found nothing how near it came: what speaks for it, and the score of its least sure check."""
    spoke = {decision.rule_id for decision in found}
    for active, mode in rules:
        if active.rule.rule_id not in spoke:
            asked = [find(_unsure(check), look) for find, check in active.finds]
            yield _pass(active, mode, asked, look, program, now_ms, exempt=not bound & active.needs[0])


def _unsure(check: Check) -> Check:
    """Return the check with no least score, so that its evidence tells the score there is."""
    is_scored = isinstance(check, ConceptCheck | Model | Crisis | Mood)
    return msgspec.structs.replace(check, at_least=0.0) if is_scored else check


def _pass(
    active: ActiveRule,
    mode: Mode,
    asked: Sequence[Evidence | None],
    look: Look,
    program: Program,
    now_ms: int,
    *,
    exempt: bool,
) -> Decision:
    return Decision(
        decision_id=decision_id(look.happening, active.rule.rule_id),
        group_id=look.happening.group,  # type: ignore[arg-type]  # decide returns early without a group
        event=look.happening.seq,
        ts_ms=look.ts_ms,
        decided_ms=now_ms,
        subject=look.person_id,
        rule_id=active.rule.rule_id,
        category=active.rule.category,
        version=program.version,
        mode=mode,
        verdict="pass",
        reason="exempt" if exempt else "",
        score=min(item.score if item is not None else 0.0 for item in asked),
        evidence=tuple(item for item in asked if item is not None),
    )
