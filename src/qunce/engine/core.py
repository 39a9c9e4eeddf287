"""Put the areas of the engine together: one fold, one decide, and the step that both live and replay take.

The invariant: `step` over the same happenings, with the same playbook and moments, gives the same decisions and state,
whether in one run or from a checkpoint on.
"""

from __future__ import annotations

import msgspec

from qunce.domain.decisions import Approved, Decision, Undone
from qunce.engine.happening import Happening
from qunce.engine.moderation.decide import decide as decide_moderation
from qunce.engine.moderation.fold import fold as fold_moderation
from qunce.engine.moderation.program import Program, compile_rules
from qunce.engine.moderation.state import State as ModerationState

__all__ = ["Program", "State", "compile_rules", "decide", "dump", "fold", "load", "step"]


class State(msgspec.Struct):
    """What the engine remembers. Whoever folds owns it; `fold` changes it in place and returns it."""

    moderation: ModerationState = msgspec.field(default_factory=ModerationState)


def fold(state: State, item: Happening | Decision | Approved | Undone) -> State:
    """Return the state after a happening, a decision, or a colleague's word on a decision."""
    fold_moderation(state.moderation, item)
    return state


def decide(
    state: State, happening: Happening, program: Program, now_ms: int, *, ask_pass: bool = False
) -> tuple[Decision, ...]:
    """Return what the playbook says about a happening that is not folded yet; `()` when no rule found anything."""
    return decide_moderation(state.moderation, happening, program, now_ms, ask_pass=ask_pass)


def step(state: State, happening: Happening, program: Program, now_ms: int) -> tuple[Decision, ...]:
    """Decide on a happening, then fold it and its decisions into the state. Return the decisions."""
    decisions = decide(state, happening, program, now_ms)
    fold(state, happening)
    for decision in decisions:
        fold(state, decision)
    return decisions


def dump(state: State) -> bytes:
    """Return the state as a checkpoint."""
    return msgspec.msgpack.encode(state)


def load(data: bytes) -> State:
    """Return the state of a checkpoint. Raises msgspec.ValidationError when it was written by another version."""
    return msgspec.msgpack.decode(data, type=State)
