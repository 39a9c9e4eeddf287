"""Keep in mind what each channel may do in each of its groups: asked from the platform, now and then and when it may differ."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

import msgspec
from django.db import transaction

from qunce.accounts import audit
from qunce.accounts.models import Staff
from qunce.connectors.base import Capabilities, How, Obstacle, Surveyor
from qunce.connectors.errors import ConnectorError
from qunce.domain.events import Event, MemberJoined, MemberLeft, MemberRestricted, MemberUnrestricted, MemberUpdated
from qunce.readmodels.models import Group
from qunce.runtime.live import wiring
from qunce.runtime.live.channels import access_channel
from qunce.runtime.models import Channel, Survey

logger = logging.getLogger(__name__)

FRESH_MS: Final = 15 * 60_000
"""So long an answer is believed; changes of our own role are told by events and asked about at once."""
AT_ONCE: Final = 5
"""So many groups are asked about in one look, since platforms count these questions too."""
MAX_GROUPS: Final = 500
SHOWN: Final = (
    "message.read", "message.send", "message.delete", "member.mute", "member.kick", "member.ban", "message.send_direct",
    "join.approve",
)  # fmt: skip
"""What the table of groups has a column for."""
_LETTING_IN: Final = ("join.requests", "join.approve")
_OURS: Final = (MemberJoined, MemberLeft, MemberRestricted, MemberUnrestricted, MemberUpdated)
_decoder: Final = msgspec.json.Decoder(tuple[Obstacle, ...])


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a platform said about one group."""

    conv_id: str
    obstacles: tuple[Obstacle, ...]
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """How one thing stands in one group."""

    name: str
    how: How
    why: tuple[str, str]
    """Reason and mend, or what to know: (zh, en); empty = nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupStanding:
    """What a channel can do in one group."""

    group_id: int
    name: str
    cells: tuple[Cell, ...]
    """One for each of `SHOWN`."""
    mends: tuple[Cell, ...]
    """What the platform offers and this group does not allow, each with its mend."""
    asked_ms: int | None
    """When the platform was asked; None = not yet."""
    code: str
    """Why it could not be asked the last time; empty = it could."""

    @property
    def lacks(self) -> bool:
        """Whether a right is missing; that nobody can ask to be let in is a choice of the group."""
        return any(cell.name not in _LETTING_IN for cell in self.mends)


def due(channel: Channel, now_ms: int) -> tuple[str, ...]:
    """Return the groups of a channel to be asked about now, those never asked about first. Two queries."""
    known = dict(Survey.objects.filter(channel_id=channel.pk).values_list("conv_id", "asked_ms"))
    groups = Group.objects.filter(connector=channel.connector, account=channel.account, kind="group", dismissed_ms=None)
    ids = groups.order_by("-last_ms", "pk").values_list("platform_id", flat=True)[:MAX_GROUPS]
    old = sorted((known.get(conv_id, 0), place, conv_id) for place, conv_id in enumerate(ids))
    return tuple(conv_id for asked_ms, _, conv_id in old if asked_ms < now_ms - FRESH_MS)[:AT_ONCE]


async def ask(connector: Surveyor, conv_ids: Collection[str]) -> list[Answer]:
    """Ask the platform about groups, one after the other; stop at the first that cannot be asked about."""
    answers: list[Answer] = []
    for conv_id in conv_ids:
        try:
            answers.append(Answer(conv_id=conv_id, obstacles=await connector.survey(conv_id), code=""))
        except ConnectorError as error:
            answers.append(Answer(conv_id=conv_id, obstacles=(), code=error.code))
            break
    return answers


def store(channel_id: int, answers: Iterable[Answer], now_ms: int) -> None:
    """Keep what was answered; where nothing was, what was known stays."""
    for answer in answers:
        values: dict[str, object] = {"asked_ms": now_ms, "code": answer.code}
        if not answer.code:
            values["obstacles"] = msgspec.json.encode(answer.obstacles).decode()
        Survey.objects.update_or_create(channel_id=channel_id, conv_id=answer.conv_id, defaults=values)


def forget(channel_id: int, account: str, events: Iterable[Event]) -> None:
    """Have the groups asked about again in which something was done to our own account."""
    told = set()
    for event in events:
        party = event.subject or event.actor
        if event.conv is not None and party is not None and party.platform_id == account and isinstance(event.body, _OURS):
            told.add(event.conv.platform_id)
    if told:
        Survey.objects.filter(channel_id=channel_id, conv_id__in=told).update(asked_ms=0)


def do_ask_again(*, actor: Staff | None, channel_id: int) -> None:
    """Have all groups of a channel asked about again. Raises CommandRefused when there is no such channel."""
    with transaction.atomic():
        access_channel(channel_id)
        Survey.objects.filter(channel_id=channel_id).update(asked_ms=0)
        audit.record(actor=actor, action="channel.survey", target_type="channel", target_id=channel_id)


def can_be_asked(connector: str) -> bool:
    """Tell whether a kind of channel can look up what it may do in a group."""
    return connector in wiring.SURVEYORS


def standings(channel_id: int) -> tuple[GroupStanding, ...]:
    """Return what a channel can do in each of its groups, those with something to mend first. Three queries."""
    channel = access_channel(channel_id)
    capabilities = wiring.KINDS[channel.connector].capabilities
    known = {row.conv_id: row for row in Survey.objects.filter(channel_id=channel_id)}
    groups = Group.objects.filter(connector=channel.connector, account=channel.account, kind="group", dismissed_ms=None)
    rows = groups.order_by("name", "pk").values_list("pk", "name", "platform_id")[:MAX_GROUPS]
    found = [_standing(pk, name, capabilities, known.get(conv_id)) for pk, name, conv_id in rows]
    return tuple(sorted(found, key=lambda one: not one.lacks))


def _standing(group_id: int, name: str, capabilities: Capabilities, row: Survey | None) -> GroupStanding:
    told = {one.name: one for one in _decoder.decode(row.obstacles)} if row is not None else {}
    cells = {one.name: _cell(one.name, capabilities, told) for one in capabilities.abilities}
    return GroupStanding(
        group_id=group_id, name=name, cells=tuple(cells[name] for name in SHOWN),
        mends=tuple(
            cell for name, cell in cells.items() if name in told and capabilities.ability(name).how != "impossible"
        ),
        asked_ms=row.asked_ms if row is not None and row.asked_ms else None, code=row.code if row is not None else "",
    )  # fmt: skip


def _cell(name: str, capabilities: Capabilities, told: dict[str, Obstacle]) -> Cell:
    ability = capabilities.ability(name)
    if ability.how != "impossible" and name in told:
        return Cell(name=name, how="impossible", why=(told[name].zh, told[name].en))
    return Cell(name=name, how=ability.how, why=(ability.zh, ability.en))
