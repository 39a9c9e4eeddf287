"""Put the areas of the engine together: one fold, one decide, and the step that both live and replay take.

The invariant: `step` over the same happenings, with the same playbook and moments, gives the same decisions and state,
whether in one run or from a checkpoint on.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from qunce.domain.decisions import Approved, Decision, Undone
from qunce.domain.desk import DeskDecision
from qunce.domain.events import MemberUpdated
from qunce.domain.ids import GroupId, IdentityId
from qunce.engine.desk.decide import decide as decide_desk
from qunce.engine.desk.decide import settle as settle_desk
from qunce.engine.desk.decide import tick as tick_desk
from qunce.engine.desk.fold import fold as fold_desk
from qunce.engine.desk.fold import fold_happening as fold_desk_happening
from qunce.engine.desk.fold import fold_people as fold_desk_people
from qunce.engine.desk.program import DeskProgram
from qunce.engine.desk.state import State as DeskState
from qunce.engine.happening import Happening
from qunce.engine.learning.lessons import Learnt
from qunce.engine.learning.shipped import NEEDS_ANSWER, LearntName
from qunce.engine.moderation.decide import decide as decide_moderation
from qunce.engine.moderation.fold import fold as fold_moderation
from qunce.engine.moderation.fold import fold_happening as fold_moderation_happening
from qunce.engine.moderation.fold import fold_presence
from qunce.engine.moderation.program import Program as ModerationProgram
from qunce.engine.moderation.state import State as ModerationState
from qunce.engine.moderation.state import settle as settle_moderation
from qunce.playbook.load import Loaded
from qunce.playbook.schema import Playbook

__all__ = [
    "AnyDecision",
    "Program",
    "State",
    "compile_rules",
    "decide",
    "dump",
    "fold",
    "fold_people",
    "load",
    "settle",
    "step",
    "tick",
]

AnyDecision = Decision | DeskDecision
_NOTHING_LEARNT: Final[Mapping[LearntName, Learnt]] = MappingProxyType({})


class State(msgspec.Struct):
    """What the engine remembers. Whoever folds owns it; `fold` changes it in place and returns it."""

    moderation: ModerationState = msgspec.field(default_factory=ModerationState)
    desk: DeskState = msgspec.field(default_factory=DeskState)


class Program:
    """A playbook made ready for all areas. Immutable; the same playbook always gives the same program."""

    def __init__(self, playbook: Playbook, version: str, learnt: Mapping[LearntName, Learnt]) -> None:
        """`version` is what decisions name; a model that is not in `learnt` judges as shipped."""
        self.playbook = playbook
        self.version = version
        self.moderation = ModerationProgram(
            playbook, version, {name: model for name, model in learnt.items() if name != "needs_answer"}
        )
        self.desk = DeskProgram(playbook, version, learnt.get(NEEDS_ANSWER))


def compile_rules(loaded: Loaded, learnt: Mapping[LearntName, Learnt] = _NOTHING_LEARNT) -> Program:
    """Return the program of a checked playbook, with what its models have learnt. 10,000 terms take under a second."""
    return Program(loaded.playbook, loaded.version, learnt)


def fold(state: State, item: Happening | AnyDecision | Approved | Undone) -> State:
    """Return the state after a happening, a decision, or a colleague's word on a decision."""
    if isinstance(item, Happening):
        fold_desk(state.desk, item)
        fold_moderation(state.moderation, item)
    elif isinstance(item, DeskDecision):
        fold_desk(state.desk, item)
    else:
        fold_moderation(state.moderation, item)
    return state


def fold_people(state: State, happening: Happening) -> State:
    """Fold only what a happening tells about who its people are and where, which counts in all groups.

    Meant for happenings in groups that somebody else decides on.
    """
    fold_desk_people(state.desk, happening)
    fold_presence(state.moderation, happening)
    event, person = happening.event, happening.person
    party = event.subject or event.actor
    if isinstance(event.body, MemberUpdated) and event.body.field == "kind":
        fold_moderation(state.moderation, happening)
    elif party is None or person is None or party.kind in ("unknown", "member"):
        pass
    elif state.moderation.kinds.get(person) != party.kind:
        told = msgspec.structs.replace(event, body=MemberUpdated(field="kind", new=party.kind))
        flag = Happening(happening.seq, told, actor=happening.actor, subject=happening.subject)
        fold_moderation(state.moderation, flag)
    return state


def decide(
    state: State, happening: Happening, program: Program, now_ms: int, *, ask_pass: bool = False
) -> tuple[AnyDecision, ...]:
    """Return what the playbook says about a happening that is not folded yet; `()` when no rule found anything.

    The desk is told when a message was found to break a rule: its questions need no answer.
    """
    moderated = decide_moderation(state.moderation, happening, program.moderation, now_ms, ask_pass=ask_pass)
    if not moderated:
        return decide_desk(state.desk, happening, program.desk, now_ms, ask_pass=ask_pass)
    suspect = any(decision.verdict != "pass" and decision.mode != "observe" for decision in moderated)
    return (*moderated, *decide_desk(state.desk, happening, program.desk, now_ms, suspect=suspect, ask_pass=ask_pass))


def step(state: State, happening: Happening, program: Program, now_ms: int) -> tuple[AnyDecision, ...]:
    """Decide on a happening, then fold it and its decisions into the state. Return the decisions."""
    decisions = decide(state, happening, program, now_ms)
    fold_desk_happening(state.desk, happening)
    fold_moderation_happening(state.moderation, happening)
    for decision in decisions:
        fold(state, decision)
    return decisions


def tick(state: State, program: Program, now_ms: int, group_id: GroupId | None = None) -> tuple[DeskDecision, ...]:
    """Let moments before `now_ms` pass, in one group or (None) in all: fold and return what they brought."""
    decisions = tick_desk(state.desk, program.desk, now_ms, group_id)
    for decision in decisions:
        fold_desk(state.desk, decision)
    return decisions


def settle(
    state: State, group_id: GroupId, person: IdentityId, thread: int, program: Program, now_ms: int
) -> tuple[DeskDecision, ...]:
    """Hear a colleague say that a matter needs no answer: fold and return what that decides."""
    decisions = settle_desk(state.desk, group_id, person, thread, program.desk, now_ms)
    for decision in decisions:
        fold_desk(state.desk, decision)
    return decisions


def dump(state: State) -> bytes:
    """Return the state as a checkpoint. It holds no text."""
    settle_moderation(state.moderation)
    return msgspec.msgpack.encode(state)


def load(data: bytes) -> State:
    """Return the state of a checkpoint. Raises msgspec.ValidationError when it was written by another version."""
    return msgspec.msgpack.decode(data, type=State)
