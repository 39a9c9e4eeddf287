"""Carry out commands on a homeserver."""

from __future__ import annotations

from qunce.connectors.errors import Permanent, Retryable, Unsupported
from qunce.connectors.matrix.api import MatrixApi
from qunce.connectors.matrix.power import level_of, speaking_level
from qunce.connectors.matrix.sync import direct_of
from qunce.connectors.rows import Row, text_of
from qunce.domain.commands import (
    AnswerRequest,
    AnyCommand,
    BanMember,
    Content,
    DeleteMessage,
    MuteMember,
    Receipt,
    RemoveMember,
    SendDirect,
    SendMessage,
    UnbanMember,
    UnmuteMember,
)


class Actions:
    """Does things in the name of one account. Everything here may be asked for twice and happens once."""

    def __init__(self, api: MatrixApi, user_id: str) -> None:
        self._api = api
        self._us = user_id

    async def do(self, command: AnyCommand, idem_key: str) -> Receipt:
        """Carry out one command."""
        room = command.conv_id
        match command:
            case SendMessage(content=content):
                return await self.send(room, content, idem_key)
            case SendDirect(member_id=person, content=content):
                direct = await self._direct_room(person)
                sent = await self.send(direct, content, idem_key)
                return Receipt(platform_id=sent.platform_id, conv_id=direct)
            case DeleteMessage(message_id=message_id, reason=reason):
                done = await self._api.put("rooms", room, "redact", message_id, idem_key, json=_reason(reason))
                return Receipt(platform_id=text_of(done.get("event_id")) or None)
            case MuteMember(member_id=person):
                return await self._set_mute(room, person, is_mute=True)
            case UnmuteMember(member_id=person):
                return await self._set_mute(room, person, is_mute=False)
            case RemoveMember(member_id=person, reason=reason):
                return await self._member(room, "kick", person, reason, already=("leave", "ban"))
            case BanMember(member_id=person, reason=reason):
                return await self._member(room, "ban", person, reason, already=("ban",))
            case UnbanMember(member_id=person, reason=reason):
                return await self._member(room, "unban", person, reason, already=("leave", "join", "invite"))
            case AnswerRequest(member_id=person, approve=True, reason=reason):
                return await self._member(room, "invite", person, reason, already=("join", "invite"))
            case AnswerRequest(member_id=person, reason=reason):
                return await self._member(room, "kick", person, reason, already=("leave", "ban"))

    async def send(self, room: str, content: Content, idem_key: str) -> Receipt:
        """Say something; the key is the transaction id, so the server itself tells a repetition."""
        done = await self._api.put("rooms", room, "send", "m.room.message", idem_key, json=message_of(content))
        return Receipt(platform_id=text_of(done.get("event_id")) or None)

    async def _member(self, room: str, verb: str, person: str, reason: str, already: tuple[str, ...]) -> Receipt:
        """Change a membership. A refusal where it is so already counts as done: the first answer may have been lost."""
        try:
            await self._api.post("rooms", room, verb, json={"user_id": person, **_reason(reason)}, is_repeatable=True)
        except Permanent:
            if await self._membership(room, person) not in already:
                raise
        return Receipt()

    async def _membership(self, room: str, person: str) -> str:
        try:
            state = await self._api.get("rooms", room, "state", "m.room.member", person)
        except Permanent:
            return "leave"  # never was in
        return text_of(state.get("membership"))

    async def _set_mute(self, room: str, person: str, *, is_mute: bool) -> Receipt:
        """Lower or restore somebody's level; nothing is sent when it is so already.

        Reading and writing the levels is two requests, so a change by somebody else in between is overwritten (the protocol
        has no condition for it).
        """
        levels = await self._api.get("rooms", room, "state", "m.room.power_levels", "")
        needed, level = speaking_level(levels), level_of(levels, person)
        if (level < needed) == is_mute:
            return Receipt()
        if is_mute and level >= level_of(levels, self._us) and self._us in levels.get("users", {}):
            raise Unsupported("member.mute", "the member's level is not below ours")
        users = {key: value for key, value in levels.get("users", {}).items() if key != person}
        if is_mute:
            users[person] = needed - 1
        elif level_of({**levels, "users": users}, person) < needed:
            users[person] = needed
        done = await self._api.put("rooms", room, "state", "m.room.power_levels", "", json={**levels, "users": users})
        return Receipt(platform_id=text_of(done.get("event_id")) or None)

    async def _direct_room(self, person: str) -> str:
        """Return the room of two with somebody, made where there is none.

        It is noted under `m.direct` after it is made; a stop in between leaves an empty room behind and the next attempt
        makes another, so nobody is written to twice.
        """
        known = await self._direct_rooms()
        for room in reversed(known.get(person, [])):
            if await self._is_member(room):
                return room
        made = await self._api.post(
            "createRoom", json={"is_direct": True, "invite": [person], "preset": "trusted_private_chat"}, is_repeatable=True
        )
        room = text_of(made.get("room_id"))
        if not room:
            raise Retryable("bad_answer", "the new room has no id")
        noted = {**known, person: [*known.get(person, []), room]}
        await self._api.put("user", self._us, "account_data", "m.direct", json=noted)
        return room

    async def _is_member(self, room: str) -> bool:
        return await self._membership(room, self._us) == "join"

    async def _direct_rooms(self) -> dict[str, list[str]]:
        try:
            content = await self._api.get("user", self._us, "account_data", "m.direct")
        except Permanent:
            return {}  # nobody was written to yet
        return {person: list(rooms) for person, rooms in direct_of(content).items()}


def message_of(content: Content) -> Row:
    """Return the content of an `m.room.message`."""
    row: Row = {"msgtype": "m.text", "body": content.text}
    people = [person for person in content.mentions if person != "@all"]
    row["m.mentions"] = {**({"user_ids": people} if people else {}), **({"room": True} if "@all" in content.mentions else {})}
    if content.reply_to:
        row["m.relates_to"] = {"m.in_reply_to": {"event_id": content.reply_to}}
    return row


def _reason(reason: str) -> Row:
    return {"reason": reason} if reason else {}
