"""Turn a decision into deliveries, and a case's deliveries into their inverse.

The order within a case: what is said about it waits for what enforces it. What ends it is a case of its own (`lift:…`) and
waits for its time only; whether there is still something to end is asked then (`checks`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from qunce.domain.commands import (
    AnyCommand,
    BanMember,
    Content,
    DeleteMessage,
    MuteMember,
    RemoveMember,
    SendDirect,
    SendMessage,
    UnmuteMember,
    capability_of,
)  # fmt: skip
from qunce.domain.decisions import Action, Decision
from qunce.outbox.models import State
from qunce.outbox.queue import Plan, idem_key

ENFORCE: Final = 0
SAY: Final = 1
USEFUL_MS: Final = 6 * 3_600_000
"""After this long nobody understands any more why something is done."""
LIFT_MS: Final = 30 * 86_400_000
"""Taking something back is worth trying this long."""
_DECODER: Final[msgspec.json.Decoder[AnyCommand]] = msgspec.json.Decoder(AnyCommand)


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """The conversation a decision is about."""

    connector: str
    account: str
    conv_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a decision needs to become commands."""

    where: Where
    person: str | None
    """Platform id of whom it is about."""
    messages: Mapping[int, str | None]
    """Native ids of messages by journal position; None where the platform gives none."""
    connected: bool
    """Whether a channel reaches the conversation."""


def plans_of(decision: Decision, target: Target, now_ms: int, *, proposed: bool) -> list[Plan]:
    """Return the deliveries of a decision; `proposed` ones wait for a person. The same decision gives the same keys."""
    plans: list[Plan] = []
    for number, action in enumerate(decision.actions):
        for part, (command, place) in enumerate(_commands(action, decision, target, now_ms)):
            plans.append(_plan(decision, target, f"{number}.{part}", command, place, action, now_ms, proposed=proposed))
    return plans


def inverse_plan(
    case_id: str, key: str, command: AnyCommand, where: Where, group_id: int, identity_id: int | None, now_ms: int, *,
    state: State = State.READY, reason: str = "",
) -> Plan:  # fmt: skip
    """Return the delivery that takes back the delivery whose key is `key`."""
    return Plan(
        idem_key=idem_key("undo", key), connector=where.connector, account=where.account, conv_id=where.conv_id,
        group_id=group_id, identity_id=identity_id, capability=capability_of(command), command=encode(command),
        expires_ms=now_ms + LIFT_MS, case_id=undo_of(case_id), state=state, reason=reason,
    )  # fmt: skip


def lift_of(case_id: str) -> str:
    """Return the case id of what ends a case's mute by itself."""
    return f"lift:{case_id}"


def undo_of(case_id: str) -> str:
    """Return the case id of what takes a case back."""
    return f"undo:{case_id}"


def origin_of(case_id: str) -> str:
    """Return the decision that a delivery's case id goes back to."""
    return case_id.partition(":")[2] if case_id.startswith(("lift:", "undo:")) else case_id


def encode(command: AnyCommand) -> str:
    """Return a command as it is stored."""
    return msgspec.json.encode(command).decode()


def decode(command: str) -> AnyCommand:
    """Return a stored command. Raises msgspec.ValidationError when it was written by another version."""
    return _DECODER.decode(command)


def _commands(action: Action, decision: Decision, target: Target, now_ms: int) -> Sequence[tuple[AnyCommand, int]]:
    """Return what an action asks of the platform, with its place in the order; nothing for what only people do."""
    conv, person, why = target.where.conv_id, target.person, decision.reason
    if action.do == "delete":
        ids = [target.messages.get(seq) for seq in action.events]
        return [(DeleteMessage(conv_id=conv, message_id=known or "", reason=why), ENFORCE) for known in ids]
    if action.do == "notice":
        return [(SendMessage(conv_id=conv, content=Content(text=action.text)), SAY)]
    if person is None or action.do == "review":
        return ()
    if action.do == "mute":
        until = now_ms + action.duration_s * 1_000 if action.duration_s else None
        mute = MuteMember(conv_id=conv, member_id=person, until_ms=until, reason=why)
        lift = () if until is None else ((UnmuteMember(conv_id=conv, member_id=person), ENFORCE),)
        return ((mute, ENFORCE), *lift)
    if action.do == "remove":
        return ((RemoveMember(conv_id=conv, member_id=person, reason=why), ENFORCE),)
    if action.do == "ban":
        return ((BanMember(conv_id=conv, member_id=person, reason=why), ENFORCE),)
    if action.private:
        return ((SendDirect(conv_id=conv, member_id=person, content=Content(text=action.text)), SAY),)
    return ((SendMessage(conv_id=conv, content=Content(text=action.text, mentions=(person,))), SAY),)


def _plan(
    decision: Decision, target: Target, number: str, command: AnyCommand, place: int, action: Action, now_ms: int, *,
    proposed: bool,
) -> Plan:  # fmt: skip
    starts = max(now_ms, action.not_before_ms or 0)
    expires, case_id = starts + USEFUL_MS, decision.decision_id
    if isinstance(command, UnmuteMember):
        case_id = lift_of(case_id)
        starts = now_ms + (action.duration_s or 0) * 1_000
        expires = starts + LIFT_MS
    elif isinstance(command, MuteMember) and command.until_ms is not None:
        expires = min(expires, command.until_ms)
    plan = Plan(
        idem_key=idem_key(decision.decision_id, action.do, number), connector=target.where.connector,
        account=target.where.account, conv_id=target.where.conv_id, group_id=decision.group_id, identity_id=decision.subject,
        capability=capability_of(command), command=encode(command), case_id=case_id, place=place,
        not_before_ms=starts, expires_ms=expires,
    )  # fmt: skip
    if proposed:
        return replace(plan, state=State.PROPOSED)
    if action.do == "talk":
        return replace(plan, state=State.HUMAN, reason="talk")
    if not target.connected:
        return replace(plan, state=State.HUMAN, reason="no_channel")
    if isinstance(command, DeleteMessage) and not command.message_id:
        return replace(plan, state=State.HUMAN, reason="no_message_id")
    return plan
