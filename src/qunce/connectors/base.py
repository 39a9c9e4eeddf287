"""Declare what every live connector implements, and what it declares about itself.

    platform ─▶ run(emit, since) ─▶ Batch(events, since, gaps) ─▶ runtime stores all three in one transaction
    runtime  ─▶ send / act ─▶ Receipt, or one of `errors`

A connector decides nothing and stores nothing. What it must remember between two runs is the text `since`, which it gives with
each batch and is given back at the next start; it confirms to the platform only what `emit` has returned from.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Literal, Protocol, runtime_checkable

from qunce.connectors.errors import Unsupported
from qunce.domain.commands import CAPABILITY_NAMES, AnyCommand, Content, Receipt, capability_of
from qunce.domain.events import Event, Record

How = Literal["automatic", "human", "impossible"]
"""`human`: the platform wants a person to tap."""

READING: Final = (
    "message.read", "message.edits", "message.deletions", "reaction.read", "member.changes", "join.requests", "catch_up",
)  # fmt: skip
"""What a channel may report. `catch_up`: what happened while we were away is read afterwards."""
DOING: Final = tuple(CAPABILITY_NAMES.values())
NAMES: Final = READING + DOING


class Ability(Record, frozen=True):
    """How one thing is done on a channel."""

    name: str
    """One of `NAMES`."""
    how: How
    zh: str = ""
    """What to know about it, in Chinese; empty = nothing."""
    en: str = ""


class Obstacle(Record, frozen=True):
    """Why one thing cannot be done in one conversation although the platform offers it, and what mends that."""

    name: str
    """One of `NAMES`."""
    zh: str
    """Reason and mend, in Chinese."""
    en: str


class Quota(Record, frozen=True):
    """A limit the platform names, or is known to have."""

    name: str
    """The ability it limits."""
    limit: int
    per_s: int
    scope: Literal["account", "conversation"]
    source: str
    """Where it is written."""
    stated: str
    """The month it was read there, `2026-11`."""
    is_certain: bool = True
    """False: second-hand or measured by others; stay well below."""


class Capabilities(Record, frozen=True):
    """What a kind of channel can do."""

    kind: str
    zh: str
    """Name on screen."""
    en: str
    abilities: tuple[Ability, ...]
    """One for each of `NAMES`, in that order."""
    quotas: tuple[Quota, ...] = ()
    idempotent: Literal["yes", "no"] = "no"
    """`yes`: the channel takes our key, so that a message sent again arrives once."""
    warnings: tuple[tuple[str, str], ...] = ()
    """(zh, en) of what an operator must know before connecting."""

    def ability(self, name: str) -> Ability:
        """Return one ability. Raises KeyError when the name is none of `NAMES`."""
        return self.abilities[_PLACES[name]]

    def require(self, command: AnyCommand) -> None:
        """Raise Unsupported unless the channel does this by itself."""
        name = capability_of(command)
        if self.ability(name).how != "automatic":
            raise Unsupported(name, f"{self.kind} cannot do it by itself")


_PLACES: Final = {name: place for place, name in enumerate(NAMES)}


def abilities(automatic: str, *noted: Ability) -> tuple[Ability, ...]:
    """Return one ability for each name: those of `automatic` (separated by blanks), those in `noted`, the rest impossible."""
    by_name = {name: Ability(name=name, how="automatic") for name in automatic.split()} | {one.name: one for one in noted}
    if unknown := by_name.keys() - set(NAMES):
        raise KeyError(f"no such capability: {sorted(unknown)}")
    return tuple(by_name.get(name) or Ability(name=name, how="impossible") for name in NAMES)


class Gap(Record, frozen=True):
    """Something is known to be missing."""

    reason: str
    """Short code: `backfill_limit`, `not_connected`, `unreadable` …"""
    conv_id: str | None = None
    """None = the whole account."""
    lost: int | None = None
    """How many happenings; None = unknown."""
    from_ms: int | None = None
    until_ms: int | None = None


class Batch(Record, frozen=True):
    """What was read at once; stored in one transaction or not at all."""

    events: tuple[Event, ...] = ()
    since: str | None = None
    """Where to go on from once this batch is stored; None = the place is unchanged."""
    gaps: tuple[Gap, ...] = ()


Emit = Callable[[Batch], Awaitable[None]]
"""Stores a batch; returns when it is durable."""
Clock = Callable[[], int]
"""Returns milliseconds since 1970-01-01 UTC."""
Sleep = Callable[[float], Awaitable[None]]


class Connector(Protocol):
    """One account on one platform."""

    @property
    def capabilities(self) -> Capabilities:
        """Return what this kind of channel can do; its `kind` is the `source.connector` of the events."""

    async def run(self, emit: Emit, since: str | None) -> None:
        """Read until cancelled, beginning after `since` (None = for the first time).

        Goes on by itself after errors that pass and says so by `connector.status` events. Returns at once when the channel
        can only send. Raises AuthFailed, after saying so, when the credentials are refused; raises what `emit` raises.
        """

    async def send(self, conv_id: str, content: Content, *, idem_key: str) -> Receipt:
        """Say something in a conversation. The same `idem_key` means the same message. Raises ConnectorError."""

    async def act(self, command: AnyCommand, *, idem_key: str) -> Receipt:
        """Carry out a command, sending included. Raises ConnectorError; Unsupported where the channel cannot do it."""


@runtime_checkable
class Surveyor(Protocol):
    """A connector that can look up what its account may do in one conversation."""

    async def survey(self, conv_id: str) -> tuple[Obstacle, ...]:
        """Return what stands in the way there, one a name at most; empty = nothing does. Raises ConnectorError."""


def obstacles(names: Sequence[str], zh: str, en: str) -> tuple[Obstacle, ...]:
    """Return the same obstacle for several abilities."""
    return tuple(Obstacle(name=name, zh=zh, en=en) for name in names)


def merged(batches: Sequence[Batch]) -> Batch:
    """Return several batches as one, in their order."""
    events = tuple(event for batch in batches for event in batch.events)
    gaps = tuple(gap for batch in batches for gap in batch.gaps)
    since = next((batch.since for batch in reversed(batches) if batch.since is not None), None)
    return Batch(events=events, since=since, gaps=gaps)
