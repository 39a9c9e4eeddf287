"""Write commands as OneBot 11 actions, and read what their answers mean. Pure.

Source: botuniverse/onebot-11 `api/public.md`, `communication/ws.md` (retcode 1400–1404 mirror HTTP).
"""

from __future__ import annotations

from typing import Any, Final

from qunce.connectors.errors import AuthFailed, ConnectorError, Permanent, Unsupported
from qunce.connectors.onebot11.message import message_of
from qunce.connectors.onebot11.reports import PRIVATE
from qunce.connectors.rows import Row, text_of
from qunce.domain.commands import (
    AnswerRequest,
    AnyCommand,
    BanMember,
    Content,
    DeleteMessage,
    MuteMember,
    RemoveMember,
    SendDirect,
    SendMessage,
    UnmuteMember,
)

LONGEST_MUTE_S: Final = 30 * 24 * 3600 - 60
"""QQ mutes for less than 30 days; a longer or endless mute is made as long as possible."""

Act = tuple[str, dict[str, Any]]


def action_of(command: AnyCommand, now_ms: int) -> Act:
    """Return (action, params) of a command. Raises Permanent for ids that are no numbers, Unsupported for the impossible."""
    match command:
        case SendMessage(conv_id=conv, content=content):
            return _send(conv, content)
        case SendDirect(member_id=person, content=content):
            return _send(PRIVATE + person, content)
        case DeleteMessage(message_id=message_id):
            return "delete_msg", {"message_id": _number(message_id)}
    where = {"group_id": _number(command.conv_id), "user_id": _number(command.member_id)}
    match command:
        case MuteMember(until_ms=until_ms):
            wanted_s = LONGEST_MUTE_S if until_ms is None else -(-(until_ms - now_ms) // 1000)
            return "set_group_ban", {**where, "duration": max(1, min(wanted_s, LONGEST_MUTE_S))}
        case UnmuteMember():
            return "set_group_ban", {**where, "duration": 0}
        case RemoveMember():
            return "set_group_kick", {**where, "reject_add_request": False}
        case BanMember():
            return "set_group_kick", {**where, "reject_add_request": True}
        case AnswerRequest(request_ref=flag, approve=approve, reason=reason):
            return "set_group_add_request", {"flag": flag, "sub_type": "add", "approve": approve, "reason": reason}
    raise Unsupported("member.unban", "only in the client")


def is_repeatable(command: AnyCommand) -> bool:
    """Tell whether doing it twice is the same as doing it once."""
    return not isinstance(command, (SendMessage, SendDirect))


def error_of(answer: Row) -> ConnectorError | None:
    """Return what an answer's retcode means; None when the action was taken."""
    if answer.get("status") in ("ok", "async") and answer.get("retcode") in (0, 1):
        return None
    code = text_of(answer.get("retcode")) or "no_retcode"
    if code in ("1401", "1403"):
        return AuthFailed(code)
    what = text_of(answer.get("wording")) or text_of(answer.get("message"))
    return Permanent(code, what[:200])


def _send(conv: str, content: Content) -> Act:
    if not content.text.strip():
        raise Permanent("empty", "there is no text")
    message = message_of(content)
    if conv.startswith(PRIVATE):
        return "send_private_msg", {"user_id": _number(conv.removeprefix(PRIVATE)), "message": message}
    return "send_group_msg", {"group_id": _number(conv), "message": message}


def _number(value: str) -> int:
    if not value.removeprefix("-").isdigit() or not value.isascii():
        raise Permanent("bad_id", "QQ ids are numbers")
    return int(value)
