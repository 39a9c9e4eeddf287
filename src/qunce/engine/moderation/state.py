"""Remember what the checks need about the past of each group; nothing more.

The many small records are kept from the cycle collector (`gc=False`): none can hold itself, and there may be millions.
All times are event times in ms. Windows are bounded (`RECENT_MS`), so memory depends on how busy a group is, not on how old.
"""

from __future__ import annotations

from typing import Final

import msgspec

from qunce.domain.events import PartyKind
from qunce.domain.ids import GroupId, IdentityId
from qunce.engine.moderation.fingerprint import PRINT_BYTES, made

RECENT_MS: Final = 86_400_000
"""Messages and findings older than this are forgotten."""
MAX_RECENT: Final = 200
"""Most messages remembered for one group."""
MAX_JOINS: Final = 1_000
FIRST_MESSAGES: Final = 50
"""A person's messages are counted up to this; more than that is no newcomer."""


class Sent(msgspec.Struct, array_like=True, gc=False):
    """A message of the last day, without its text."""

    seq: int
    ts_ms: int
    person: IdentityId
    message_id: str | None
    chars: int
    """Written beside the other content, without the titles of cards; 0 when nothing but links is written."""
    same: int
    """Fingerprint of the folded text; 0 = no text."""
    near: bytes
    """Fingerprints that nearly equal texts share most of; empty for short texts. May still have to be made (`near_of`), since
    of most messages nobody asks for them; those in a checkpoint are made."""
    media: tuple[str, ...]
    """Kinds of content beside text."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sent):
            return NotImplemented
        near_of(self), near_of(other)
        return msgspec.structs.astuple(self) == msgspec.structs.astuple(other)

    __hash__ = None  # type: ignore[assignment]  # it changes


def near_of(sent: Sent) -> bytes:
    """Return the fingerprints of a message, made now if they were put off."""
    if len(sent.near) > PRINT_BYTES:
        sent.near = made(sent.near)
    return sent.near


class Strike(msgspec.Struct, array_like=True, gc=False):
    """A decision that counts on a ladder."""

    decision_id: str
    ts_ms: int
    ladder: str
    real: bool
    """False = it was only observed or suggested; it then counts for further observation only."""
    muted_until_ms: int = 0
    """End of the mute it brought; 0 = none."""
    blocks: bool = False


class Person(msgspec.Struct, array_like=True, gc=False):
    """A person in a group."""

    joined_ms: int | None = None
    """Last join that was seen; None = was there before."""
    messages: int = 0
    muted_until_ms: int = 0
    role: str = "member"
    strikes: list[Strike] = []
    joins: list[int] = []
    left_ms: int = 0
    """When they were last seen to go; 0 = are there as far as we know."""
    removed: bool = False
    """They did not go by themselves."""


class Finding(msgspec.Struct, array_like=True, gc=False):
    """That a rule found something, whatever was done about it."""

    decision_id: str
    ts_ms: int
    seq: int
    person: IdentityId
    category: str


class Reported(msgspec.Struct, array_like=True, gc=False):
    """That a person answered a message with a report word."""

    ts_ms: int
    seq: int
    reporter: IdentityId
    author: IdentityId
    target: int
    """Journal position of the reported message."""


class GroupState(msgspec.Struct):
    """The past of one group."""

    name: str | None = None
    platform_id: str | None = None
    people: dict[IdentityId, Person] = {}
    recent: list[Sent] = []
    joins: list[tuple[int, int, IdentityId]] = []
    """(ts_ms, seq, person) of the last hour."""
    findings: list[Finding] = []
    replies: list[Reported] = []
    """Replies to others' messages that could be reports; judged by the words of a rule when it is asked."""
    community: str | None = None
    """Name of the community the group belongs to; None = it stands alone."""


class State(msgspec.Struct):
    """All that moderation remembers. Owned by whoever folds; `fold` changes it in place and returns it."""

    groups: dict[GroupId, GroupState] = {}
    kinds: dict[IdentityId, PartyKind] = {}
    """Flags that operators or platforms gave: staff, bot, house_persona."""
    staff_names: dict[IdentityId, str] = {}
    blocked: dict[IdentityId, list[str]] = {}
    """People removed for good, with the ids of the decisions that did it."""
    communities: dict[str, list[GroupId]] = {}
    """Groups of each community, by its name."""


def settle(state: State) -> None:
    """Make the fingerprints that were put off, so that the state holds no text."""
    for group in state.groups.values():
        for sent in group.recent:
            near_of(sent)
