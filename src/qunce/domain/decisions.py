"""Declare what the engine decides, and what people answer to it.

A decision names its rule, the version of the playbook, its verdict, reason, evidence and score. Its id is made of the happening
and the rule, so that deciding again gives the same id and acting on it twice can be prevented.
"""

from __future__ import annotations

from typing import Literal

from qunce.domain.events import Record
from qunce.domain.ids import GroupId, IdentityId

Mode = Literal["observe", "suggest", "act"]
Verdict = Literal["pass", "review", "talk", "warn", "mute", "remove", "ban"]
"""`pass` = nothing found (only when asked for); `review` = a colleague decides."""


class Span(Record, frozen=True):
    """A stretch of the message's text, as it was written."""

    start: int
    end: int
    what: str
    """The term, concept or pattern that was found there."""
    view: str = "plain"
    """How it was found: plain, sound, shape, split, reverse, repeat …"""


class Evidence(Record, frozen=True):
    """Why one check held."""

    check: str
    score: float = 1.0
    """From 0 to 1."""
    spans: tuple[Span, ...] = ()
    events: tuple[int, ...] = ()
    """Journal positions of the other happenings it rests on, oldest first."""
    note: str = ""
    """Figures behind it, such as `9 messages in 30s`; never text of a message."""
    links: tuple[str, ...] = ()
    """Ids of the links between accounts it rests on, where another account of the person was found."""


class Action(Record, frozen=True):
    """One thing to be done because of a decision."""

    do: Literal["talk", "warn", "mute", "remove", "ban", "delete", "notice", "review"]
    text: str = ""
    """What is said to the person (warn), in the group (notice) or to the colleague (talk, review)."""
    private: bool = False
    duration_s: int | None = None
    events: tuple[int, ...] = ()
    """Messages to be deleted, by journal position."""
    not_before_ms: int | None = None
    """A public notice waits until quiet hours end; None = at once."""


class Decision(Record, frozen=True):
    """What one rule says about one happening."""

    decision_id: str
    group_id: GroupId
    event: int
    """Journal position of the happening decided on."""
    ts_ms: int
    """When that happening took place."""
    decided_ms: int
    subject: IdentityId | None
    """Whom it is about; None = nobody in particular."""
    rule_id: str
    category: str
    version: str
    """Version of the playbook."""
    mode: Mode
    verdict: Verdict
    reason: str
    score: float
    evidence: tuple[Evidence, ...] = ()
    actions: tuple[Action, ...] = ()
    ladder: str | None = None
    offence: int = 0
    """Which offence this is on the ladder, from 1; 0 = none is counted."""
    covered_by: str | None = None
    """Id of the graver decision on the same happening that does the acting; then this one only records."""


class Approved(Record, frozen=True):
    """A colleague accepted a suggestion: from here on it counts like an act."""

    decision_id: str
    group_id: GroupId


class Undone(Record, frozen=True):
    """A colleague took a decision back, or turned a suggestion down: whatever it left in the state goes, and nothing else."""

    decision_id: str
    group_id: GroupId
