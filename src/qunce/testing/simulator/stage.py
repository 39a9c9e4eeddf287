"""Let people act: make the events of speaking, joining, leaving, and keep what they mean for later acts."""

from __future__ import annotations

from random import Random
from typing import Final, Literal

from qunce.domain.events import (
    AnyBody,
    Conv,
    Event,
    MemberJoined,
    MemberLeft,
    MemberRestricted,
    MemberUnrestricted,
    MessageCreated,
    MessageDeleted,
    MessageEdited,
    Part,
    Party,
    ReactionAdded,
    ReactionRemoved,
    Source,
)
from qunce.domain.keys import message_key, native_key

from .groups import Group
from .people import Member
from .rhythm import MINUTE, SECOND, Day
from .texts import common
from .texts.phrases import Phrases, Slots, speak_any
from .timeline import Timeline

STICKER: Final = (Part(type="sticker", text="[表情]"),)


class Stage:
    """Where everything happens. One for a whole simulation; makes the same events for the same seed."""

    def __init__(self, *, seed: int, day: Day) -> None:
        rng = Random(f"{seed}:stage")
        self.rng = rng
        self.random = rng.random
        self.timeline = Timeline()
        self.day = day
        self._seed = f"{seed:x}"
        self._serial = 0

    def slots(self, group: Group) -> Slots:
        """Return the words of a group on the running day."""
        if self.day.festival is None:
            return group.slots
        return {**group.slots, "festival": (self.day.festival.name,)}

    def line(self, group: Group, phrases: Phrases) -> str:
        """Return one of the phrases, spoken in this group."""
        return speak_any(self.random, phrases, group.slots)

    def pause(self, mean_s: float) -> int:
        """Return a pause in milliseconds, exponential, at least one second."""
        return SECOND + int(self.rng.expovariate(1.0) * mean_s * SECOND)

    def serial(self) -> str:
        """Return an id never given before in this simulation."""
        self._serial += 1
        return f"{self._seed}-{self._serial}"

    def record(
        self, ts_ms: int, source: Source, body: AnyBody, *, key: str, conv: Conv | None = None, actor: Party | None = None,
        subject: Party | None = None,
    ) -> None:  # fmt: skip
        """Keep any event; `key` names its family, a serial makes it unique."""
        unique = native_key(key, self.serial())
        self.timeline.add(
            Event(ts_ms=ts_ms, source=source, body=body, dedupe_key=unique, conv=conv, actor=actor, subject=subject)
        )

    def say(
        self, group: Group, who: Member, ts_ms: int, text: str, *, reply_to: str | None = None, mentions: tuple[str, ...] = (),
        content: tuple[Part, ...] = (),
    ) -> str:  # fmt: skip
        """Let somebody speak, and perhaps others react; return the message id."""
        group.messages += 1
        message_id = str(group.messages)
        conv = group.conv
        if ts_ms > who.busy_ms:
            who.busy_ms = ts_ms
        body = MessageCreated(message_id=message_id, text=text, content=content, reply_to=reply_to, mentions=mentions)
        key = message_key(conv.platform_id, message_id)
        self.timeline.add(Event(ts_ms=ts_ms, source=group.source, body=body, dedupe_key=key, conv=conv, actor=who.party))
        if self.random() < 0.16:
            self._echo(group, who, ts_ms, message_id, text)
        return message_id

    def chat(self, group: Group, who: Member, ts_ms: int, text: str, reply_to: str | None = None) -> str:
        """Let a member speak casually: with a tail, sometimes a sticker instead of words."""
        draw = self.random()
        if draw < 0.06:
            return self.say(group, who, ts_ms, "", reply_to=reply_to, content=STICKER)
        if draw < 0.34:
            text += common.TAILS[int(self.random() * len(common.TAILS))]
        return self.say(group, who, ts_ms, text, reply_to=reply_to)

    def _echo(self, group: Group, who: Member, ts_ms: int, message_id: str, text: str) -> None:
        """Let a message be recalled, edited or reacted to, as the platform allows."""
        draw = self.random()
        if draw < 0.06 and who.party.kind == "member":
            at = self._busy(who, ts_ms + 2 * SECOND + int(self.random() * 110 * SECOND))
            self.record(
                at,
                group.source,
                MessageDeleted(message_id=message_id, by="author"),
                key="del",
                conv=group.conv,
                actor=who.party,
            )
        elif not group.moderates:
            return
        elif draw < 0.2 and group.platform == "telegram" and text:
            at = self._busy(who, ts_ms + self.pause(60))
            self.record(
                at,
                group.source,
                MessageEdited(message_id=message_id, text=text + "（更正）"),
                key="edit",
                conv=group.conv,
                actor=who.party,
            )
        else:
            self._react(group, ts_ms, message_id)

    def _react(self, group: Group, ts_ms: int, message_id: str) -> None:
        at = ts_ms + self.pause(240)
        fan = group.voice(self.random, at)
        if fan is None:
            return
        emoji = common.EMOJI[int(self.random() * len(common.EMOJI))]
        self._busy(fan, at)
        self.record(
            at, group.source, ReactionAdded(message_id=message_id, emoji=emoji), key="react", conv=group.conv, actor=fan.party
        )
        if self.random() < 0.05:
            at = self._busy(fan, at + self.pause(30))
            self.record(
                at,
                group.source,
                ReactionRemoved(message_id=message_id, emoji=emoji),
                key="unreact",
                conv=group.conv,
                actor=fan.party,
            )

    @staticmethod
    def _busy(who: Member, ts_ms: int) -> int:
        who.busy_ms = max(who.busy_ms, ts_ms)
        return ts_ms

    def join(self, group: Group, who: Member, body: MemberJoined, *, actor: Party | None = None) -> None:
        """Record that somebody joined at their `joined_ms`. Taking them into the group's pools is the caller's choice."""
        self.record(who.joined_ms, group.source, body, key="join", conv=group.conv, actor=actor, subject=who.party)

    def leave(
        self, group: Group, who: Member, ts_ms: int, *, reason: Literal["left", "kicked"] = "left", by: Member | None = None
    ) -> int:
        """Let a pooled member go, not before their latest act; return when."""
        at = max(ts_ms, who.busy_ms + SECOND)
        group.remove(who)
        self.record(
            at,
            group.source,
            MemberLeft(reason=reason),
            key="left",
            conv=group.conv,
            actor=by.party if by else None,
            subject=who.party,
        )
        return at

    def mute(self, group: Group, who: Member, ts_ms: int, *, by: Member, minutes: int) -> int:
        """Mute a member from after their latest act; return the end. Some mutes are lifted early."""
        at = max(ts_ms, who.busy_ms + SECOND)
        until = at + minutes * MINUTE
        who.muted_ms = until
        who.busy_ms = until
        self.record(
            at, group.source, MemberRestricted(until_ms=until), key="mute", conv=group.conv, actor=by.party, subject=who.party
        )
        if self.random() < 0.3:
            early = at + minutes * MINUTE // 2
            self.record(
                early, group.source, MemberUnrestricted(), key="unmute", conv=group.conv, actor=by.party, subject=who.party
            )
        return until
