"""Declare what the desk decides: which message waits for an answer until when, who gave it, and what came too late.

A thread is one member's matter in one group, named by the journal position of the message that opened it.
"""

from __future__ import annotations

from typing import Literal

from qunce.domain.decisions import Evidence, Mode
from qunce.domain.events import Record
from qunce.domain.ids import GroupId, IdentityId

Need = Literal["complaint", "order_trouble", "question", "mention", "first_post"]
"""Why a message needs an answer, gravest first."""
Stage = Literal["first", "next"]
"""Which clock runs: until the first response, or until the next one in a talk that has begun."""
DeskVerdict = Literal["pass", "awaits", "answered", "late", "escalate", "released", "expired"]
"""`awaits` starts a clock or brings its end forward; `answered` stops it; `released` = the matter went away without us;
`expired` = nobody will answer any more."""


class DeskDecision(Record, frozen=True):
    """What the answer clock says about one happening, or about a moment that passed."""

    decision_id: str
    group_id: GroupId
    event: int
    """Journal position of the happening decided on; for `late`, `escalate` and `expired` the message that waits."""
    ts_ms: int
    """When it took place; for a moment that passed, that moment and not when it was noticed."""
    decided_ms: int
    subject: IdentityId
    """Who waits for the answer."""
    rule_id: str
    version: str
    """Version of the playbook."""
    mode: Mode
    verdict: DeskVerdict
    reason: str
    """Short stable word: the need for `awaits`, how the answer was addressed for `answered`, why for the others.

    An answer that is `noted` is written down only: a peer gave it, and the rule lets the clock run on.
    """
    thread: int
    message_id: str | None = None
    """Platform id of the message that waits, so that its retraction can be noticed; only of `awaits`."""
    need: Need = "question"
    stage: Stage = "first"
    due_ms: int = 0
    """Moment by which the answer is due."""
    timer_ms: int = 0
    """Next moment at which this thread must be looked at; after an answer, until when it takes follow-ups; 0 = none."""
    waited_s: int = 0
    """Seconds waited inside duty hours; what targets are measured in."""
    clock_s: int = 0
    """Seconds waited by the clock on the wall."""
    late: bool = False
    responder: IdentityId | None = None
    staff: str = ""
    """Login name of the colleague who answered from the console; empty = the answer was a message of somebody there."""
    responder_role: Literal["staff", "peer", ""] = ""
    holding: bool = False
    """The answer only asks for patience (稍等); the thread waits on for the next one."""
    on_duty: tuple[str, ...] = ()
    """Platform ids of who was rostered at `ts_ms`; empty = nobody in particular."""
    level: int = 0
    """Which escalation, from 1."""
    to: tuple[str, ...] = ()
    """Whom an escalation is for."""
    delay_ms: int | None = None
    """How long the happening took to reach us, not part of any wait; None = imported, or a moment that passed."""
    peer_seen: bool = False
    """An informed member had answered before."""
    category: str = "answers"
    score: float = 1.0
    evidence: tuple[Evidence, ...] = ()
