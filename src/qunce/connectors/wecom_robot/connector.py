"""Send through a WeCom group robot.

Source: developer.work.weixin.qq.com/document/path/99110; error codes: …/path/90313.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from qunce.connectors.base import Ability, Capabilities, Quota, abilities
from qunce.connectors.errors import AuthFailed, ConnectorError, Permanent, Retryable
from qunce.connectors.http import Reply, unanswered
from qunce.connectors.pace import Life
from qunce.connectors.robot import Request, Robot, Wire, check_size, phones
from qunce.connectors.rows import text_of
from qunce.domain.commands import Content

URL: Final = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send"
TEXT_BYTES: Final = 2048
MARKDOWN_BYTES: Final = 4096

CAPABILITIES: Final = Capabilities(
    kind="wecom_robot",
    zh="企业微信群机器人",
    en="WeCom group robot",
    abilities=abilities(
        "",
        Ability(
            name="message.send",
            how="automatic",
            zh="只能发到机器人所在的内部群；文本 2048 字节，Markdown 4096 字节",
            en="Into the internal group it stands in; text 2048 bytes, markdown 4096 bytes",
        ),
    ),
    quotas=(
        Quota(
            name="message.send",
            limit=20,
            per_s=60,
            scope="account",
            source="developer.work.weixin.qq.com/document/path/99110",
            stated="2026-11",
        ),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WecomRobotSettings:
    """One robot."""

    name: str
    conv_id: str
    key: str = field(repr=False)
    """What stands after `key=` in the robot's address; it is the whole secret."""
    url: str = URL


def wecom_robot(settings: WecomRobotSettings, client: httpx.AsyncClient, life: Life) -> Robot:
    """Return the connector of one robot."""

    def request(content: Content, _now_ms: int) -> Request:
        return Request(url=settings.url, params={"key": settings.key}, body=body_of(content))

    wire = Wire(capabilities=CAPABILITIES, account=settings.name, conv_id=settings.conv_id, request=request, error=error_of)
    return Robot(wire, client, life)


def body_of(content: Content) -> dict[str, Any]:
    """Return the message. Raises Permanent when it is too long."""
    numbers, names = phones(content.mentions)
    if content.format == "markdown":
        people = "".join(f"<@{person}>" for person in names if person != "@all")
        text = f"{people} {content.text}" if people else content.text
        check_size(text, MARKDOWN_BYTES)
        return {"msgtype": "markdown", "markdown": {"content": text}}
    check_size(content.text, TEXT_BYTES)
    text_body: dict[str, Any] = {"content": content.text}
    if names:
        text_body["mentioned_list"] = names
    if numbers:
        text_body["mentioned_mobile_list"] = numbers
    return {"msgtype": "text", "text": text_body}


def error_of(reply: Reply) -> ConnectorError | None:
    """Return what `errcode` means."""
    code = text_of(reply.data.get("errcode"))
    if code == "0":
        return None
    if not code:
        return unanswered(False, "bad_answer")
    if code in ("45009", "45033"):
        return Retryable(code, after_s=60.0)
    if code == "-1":
        return Retryable(code)
    if code == "93000":
        return AuthFailed(code)
    return Permanent(code)
