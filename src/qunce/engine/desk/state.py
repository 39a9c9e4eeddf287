"""Remember who waits in each group, and what is needed to tell who is answered; nothing more.

All times are event times in ms. Message ids are kept for the newest `MAX_AUTHORS` messages of a group, so memory depends on how
many groups there are and how many people wait, not on how much was said.
"""

from __future__ import annotations

from typing import Final

import msgspec

from qunce.domain.desk import Need
from qunce.domain.events import PartyKind
from qunce.domain.ids import GroupId, IdentityId
from qunce.engine.desk.hours import NEVER

MAX_AUTHORS: Final = 100
"""Newest messages of a group whose authors are known, to find whom a reply is for."""
MAX_SPEAKERS: Final = 120
"""Newest ids and names of speakers of a group, to find who is mentioned; who waits is never forgotten."""
MAX_LINES: Final = 30
"""Message ids remembered of one thread."""
MAX_EARLY: Final = 20
"""Answers remembered that came before the message they answer."""


class Thread(msgspec.Struct, array_like=True):
    """One member's matter in one group."""

    seq: int
    """Journal position of the message that opened it: the name of the thread."""
    person: IdentityId
    need: Need
    rule_id: str
    opened_ms: int
    stage: str
    """`first` or `next` while somebody waits, `done` after an answer."""
    asked_seq: int
    asked_ms: int
    """The message that started the clock that runs, or ran last."""
    due_ms: int
    timer_ms: int
    """Next moment to look at it; of an answered thread, until when it takes follow-ups."""
    late: bool = False
    level: int = 0
    """Escalations done."""
    helped: bool = False
    """Another member spoke to them meanwhile."""
    peer_seen: bool = False
    """An informed member (KOC) answered, which is only noted."""
    responder: IdentityId | None = None
    """Who answered last."""
    answered_ms: int = 0
    lines: tuple[str, ...] = ()
    """Ids of the messages that wait, oldest first."""

    @property
    def waits(self) -> bool:
        """Whether a clock runs."""
        return self.stage != "done"


class Early(msgspec.Struct, array_like=True):
    """An answer that reached us before the message it answers."""

    seq: int
    ts_ms: int
    person: IdentityId


class GroupDesk(msgspec.Struct):
    """The open matters of one group."""

    name: str | None = None
    platform_id: str | None = None
    clock_ms: int = 0
    """Newest moment seen."""
    threads: dict[IdentityId, Thread] = {}
    authors: dict[str, IdentityId] = {}
    """Author of each of the newest messages, by its platform id."""
    speakers: dict[str, IdentityId] = {}
    """Newest speakers, by platform id and by name with an @ before it."""
    newcomers: dict[IdentityId, int] = {}
    """Who joined in our sight and has not written yet, with the moment of joining."""
    roles: dict[IdentityId, str] = {}
    """Platform roles other than `member`."""
    early: dict[str, Early] = {}
    """By the id of a message not seen yet."""
    timer_ms: int = NEVER
    """Earliest timer of all threads."""
    sweep_ms: int = NEVER
    """When the first of the answered threads can be forgotten."""


class State(msgspec.Struct):
    """All that the desk remembers. Owned by whoever folds; `fold` changes it in place and returns it."""

    groups: dict[GroupId, GroupDesk] = {}
    kinds: dict[IdentityId, PartyKind] = {}
    """Flags that operators or platforms gave: staff, bot, house_persona, system."""
    staff: dict[str, IdentityId] = {}
    """Colleagues by `connector:account:platform id`, and by name with an @ before it."""
    peers: dict[IdentityId, bool] = {}
    """Members tagged KOC."""
