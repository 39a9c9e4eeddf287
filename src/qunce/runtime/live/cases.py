"""Store decisions as cases, with what follows from them. Called in the transaction that moves the engine's cursor."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

import msgspec
from django.db.models import Q

from qunce.domain.decisions import Decision
from qunce.domain.desk import DeskDecision
from qunce.domain.events import MessageCreated
from qunce.engine.core import AnyDecision
from qunce.journal.store import Journal, Stored
from qunce.outbox import queue
from qunce.outbox.models import Delivery, State
from qunce.outbox.queue import Plan
from qunce.readmodels.models import Group, Identity
from qunce.readmodels.rows import Database
from qunce.runtime.live import plans
from qunce.runtime.live.memory import area_of
from qunce.runtime.live.plans import Target, Where
from qunce.runtime.models import Case, CaseState, Channel

NOTICES: Final = 5
"""So many public words of ours a minute and group; in a raid more would be the worse flood."""
_MINUTE_MS: Final = 60_000
_COLUMNS: Final = (
    "decision_id", "group_id", "identity_id", "seq", "after_seq", "area", "rule_id", "category", "version", "mode", "verdict",
    "score", "payload", "state", "reason", "ts_ms", "created_ms", "updated_ms",
)  # fmt: skip
_INSERT: Final = (
    f"INSERT INTO decision ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))}) "
    "ON CONFLICT (decision_id) DO NOTHING"
)
_encode: Final = msgspec.json.Encoder().encode


def store(database: Database, journal: Journal, decided: Sequence[tuple[int, AnyDecision]], now_ms: int) -> None:
    """Store decisions, given with the position the engine had come to, and enqueue what follows from them."""
    if not decided:
        return
    # Not through the ORM: half of all messages may bring a decision of the desk, and it took a third of the whole time.
    database.execute_many(_INSERT, [_row(seq, decision, now_ms) for seq, decision in decided])
    acting = [d for _, d in decided if isinstance(d, Decision) and d.mode != "observe" and d.actions]
    if acting:
        queue.enqueue(planned(journal, acting, now_ms), now_ms)


def planned(journal: Journal, decisions: Sequence[Decision], now_ms: int) -> list[Plan]:
    """Return the deliveries of decisions, public words bounded."""
    targets = _targets(journal, decisions)
    made: list[Plan] = []
    for decision in decisions:
        target = targets.get(decision.decision_id)
        if target is not None:
            made += plans.plans_of(decision, target, now_ms, proposed=decision.mode == "suggest")
    return _bounded(made, now_ms)


def planned_now(journal: Journal, decision: Decision, now_ms: int) -> list[Plan]:
    """Return the deliveries of one decision as they are when a person has just said so; nothing when its group is gone."""
    target = _targets(journal, [decision]).get(decision.decision_id)
    return plans.plans_of(decision, target, now_ms, proposed=False) if target is not None else []


def state_of(decision: AnyDecision) -> CaseState:
    """Return where a new case stands."""
    if isinstance(decision, DeskDecision) or decision.mode == "observe" or decision.verdict == "pass":
        return CaseState.NOTED
    if decision.covered_by is not None and not decision.actions:
        return CaseState.NOTED
    if decision.mode == "suggest":
        return CaseState.OPEN
    return CaseState.OPEN if any(action.do == "review" for action in decision.actions) else CaseState.DONE


def decision_of(case: Case) -> Decision:
    """Return the decision of a case of moderation."""
    return msgspec.json.decode(case.payload, type=Decision)


def _row(after_seq: int, decision: AnyDecision, now_ms: int) -> tuple[object, ...]:
    return (
        decision.decision_id, decision.group_id, decision.subject, decision.event, after_seq, area_of(decision),
        decision.rule_id, decision.category, decision.version, decision.mode, decision.verdict, decision.score,
        _encode(decision).decode(), str(state_of(decision)), "", decision.ts_ms, now_ms, now_ms,
    )  # fmt: skip


def _targets(journal: Journal, decisions: Sequence[Decision]) -> dict[str, Target]:
    """Return what each decision needs to become commands; those of groups that are gone are left out. Four queries."""
    groups = {
        pk: Where(connector=connector, account=account, conv_id=platform_id)
        for pk, connector, account, platform_id in Group.objects.filter(pk__in={d.group_id for d in decisions}).values_list(
            "pk", "connector", "account", "platform_id"
        )
    }
    subjects = {d.subject for d in decisions if d.subject is not None}
    people = dict(Identity.objects.filter(pk__in=subjects).values_list("pk", "platform_id"))
    messages = {seq: _message_id(stored) for seq, stored in journal.at(_deleted(decisions)).items()}
    connected = set(Channel.objects.filter(enabled=True).values_list("connector", "account"))
    return {
        d.decision_id: Target(
            where=where, person=people.get(d.subject) if d.subject is not None else None, messages=messages,
            connected=(where.connector, where.account) in connected,
        )
        for d in decisions
        if (where := groups.get(d.group_id)) is not None
    }  # fmt: skip


def _deleted(decisions: Iterable[Decision]) -> set[int]:
    return {seq for d in decisions for action in d.actions if action.do == "delete" for seq in action.events}


def _message_id(stored: Stored) -> str | None:
    body = stored.event.body
    return body.message_id if isinstance(body, MessageCreated) else None


def _bounded(made: list[Plan], now_ms: int) -> list[Plan]:
    """Hold back public words beyond `NOTICES` a minute in a group; the rows stay, so that everybody sees what was not said."""
    spoken = [plan for plan in made if plan.capability == "message.send" and plan.state == State.READY]
    if not spoken:
        return made
    recent = Q(created_ms__gt=now_ms - _MINUTE_MS, capability="message.send") & ~Q(state=State.SUPPRESSED)
    counts = dict.fromkeys((plan.group_id for plan in spoken), 0)
    for group_id in Delivery.objects.filter(recent, group_id__in=counts, case_id__gt="").values_list("group_id", flat=True):
        counts[group_id] += 1
    kept: list[Plan] = []
    for plan in made:
        if plan.capability == "message.send" and plan.state == State.READY:
            counts[plan.group_id] += 1
            if counts[plan.group_id] > NOTICES:
                plan = replace(plan, state=State.SUPPRESSED, reason="too_many_notices")
        kept.append(plan)
    return kept
