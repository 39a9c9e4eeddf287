"""Send through a DingTalk group robot, signed.

Source: open.dingtalk.com, custom robots. sign = base64(HmacSHA256(secret, timestamp + "\\n" + secret)), timestamp in ms and
valid for an hour.
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from qunce.connectors.base import Ability, Capabilities, Quota, abilities
from qunce.connectors.errors import AuthFailed, ConnectorError, Permanent, Retryable
from qunce.connectors.http import Reply, unanswered
from qunce.connectors.pace import Life
from qunce.connectors.robot import Request, Robot, Wire, check_size, first_line, phones
from qunce.connectors.rows import text_of
from qunce.domain.commands import Content

URL: Final = "https://oapi.dingtalk.com/robot/send"
TEXT_BYTES: Final = 20_000
THROTTLED_S: Final = 600.0
"""Over the limit the robot is silent for ten minutes."""

CAPABILITIES: Final = Capabilities(
    kind="dingtalk_robot",
    zh="钉钉群机器人",
    en="DingTalk group robot",
    abilities=abilities(
        "",
        Ability(
            name="message.send",
            how="automatic",
            zh="只能发到机器人所在的群；超过限额会被停 10 分钟",
            en="Into the group it stands in; over the limit it is silent for 10 minutes",
        ),
    ),
    quotas=(
        Quota(
            name="message.send",
            limit=20,
            per_s=60,
            scope="account",
            source="open.dingtalk.com, custom robots",
            stated="2026-11",
        ),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DingtalkRobotSettings:
    """One robot."""

    name: str
    conv_id: str
    access_token: str = field(repr=False)
    secret: str = field(default="", repr=False)
    """`SEC…`; empty when the robot is guarded by keywords or addresses instead."""
    url: str = URL


def dingtalk_robot(settings: DingtalkRobotSettings, client: httpx.AsyncClient, life: Life) -> Robot:
    """Return the connector of one robot."""

    def request(content: Content, now_ms: int) -> Request:
        params = {"access_token": settings.access_token}
        if settings.secret:
            params |= {"timestamp": str(now_ms), "sign": sign(settings.secret, now_ms)}
        return Request(url=settings.url, params=params, body=body_of(content))

    wire = Wire(capabilities=CAPABILITIES, account=settings.name, conv_id=settings.conv_id, request=request, error=error_of)
    return Robot(wire, client, life)


def sign(secret: str, timestamp_ms: int) -> str:
    """Return the signature, not yet escaped for an address."""
    digest = hmac.new(secret.encode(), f"{timestamp_ms}\n{secret}".encode(), "sha256").digest()
    return base64.b64encode(digest).decode()


def body_of(content: Content) -> dict[str, Any]:
    """Return the message. Raises Permanent when it is too long."""
    check_size(content.text, TEXT_BYTES)
    numbers, names = phones(content.mentions)
    people = [person for person in names if person != "@all"]
    at: dict[str, Any] = {"atUserIds": people, "isAtAll": "@all" in names}
    if numbers:
        at["atMobiles"] = [number.removeprefix("+86") for number in numbers]
    if content.format == "markdown":
        named = "".join(f"@{person} " for person in (*people, *at.get("atMobiles", ())))  # without it nobody is notified
        markdown = {"title": first_line(content.text, 40), "text": named + content.text}
        return {"msgtype": "markdown", "markdown": markdown, "at": at}
    return {"msgtype": "text", "text": {"content": content.text}, "at": at}


def error_of(reply: Reply) -> ConnectorError | None:
    """Return what `errcode` means."""
    code = text_of(reply.data.get("errcode"))
    if code == "0":
        return None
    if not code:
        return unanswered(False, "bad_answer")
    if code in ("130101", "410100"):
        return Retryable(code, after_s=THROTTLED_S)
    if code == "-1":
        return Retryable(code)
    if code in ("300001", "300005"):  # no such token
        return AuthFailed(code)
    return Permanent(code, text_of(reply.data.get("errmsg"))[:100])  # 310000: signature, keyword or address
