"""Send through a Feishu (Lark) custom bot, signed.

Source: open.feishu.cn, custom bots. sign = base64(HmacSHA256(key = timestamp + "\\n" + secret, message = "")), timestamp in
seconds; both stand in the body.
"""

from __future__ import annotations

import base64
import hmac
import json
from dataclasses import dataclass, field
from typing import Any, Final
from xml.sax.saxutils import quoteattr

import httpx

from qunce.connectors.base import Ability, Capabilities, Quota, abilities
from qunce.connectors.errors import AuthFailed, ConnectorError, Permanent, Retryable
from qunce.connectors.http import Reply, unanswered
from qunce.connectors.pace import Life
from qunce.connectors.robot import Request, Robot, Wire, check_size, phones
from qunce.connectors.rows import text_of
from qunce.domain.commands import Content

URL: Final = "https://open.feishu.cn/open-apis/bot/v2/hook/"
BODY_BYTES: Final = 20 * 1024
_SOURCE: Final = "open.feishu.cn, custom bots"

CAPABILITIES: Final = Capabilities(
    kind="feishu_robot",
    zh="飞书群机器人",
    en="Feishu custom bot",
    abilities=abilities(
        "",
        Ability(
            name="message.send",
            how="automatic",
            zh="只能发到机器人所在的群；每条不超过 20 KB",
            en="Into the group it stands in; 20 KB a message",
        ),
    ),
    quotas=(
        Quota(name="message.send", limit=5, per_s=1, scope="account", source=_SOURCE, stated="2026-11"),
        Quota(name="message.send", limit=100, per_s=60, scope="account", source=_SOURCE, stated="2026-11"),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeishuRobotSettings:
    """One bot."""

    name: str
    conv_id: str
    hook: str = field(repr=False)
    """What stands after `/hook/` in the bot's address."""
    secret: str = field(default="", repr=False)
    """Empty when the bot is guarded by keywords or addresses instead."""
    url: str = URL
    """`https://open.larksuite.com/open-apis/bot/v2/hook/` outside China."""


def feishu_robot(settings: FeishuRobotSettings, client: httpx.AsyncClient, life: Life) -> Robot:
    """Return the connector of one bot."""

    def request(content: Content, now_ms: int) -> Request:
        body = body_of(content)
        if settings.secret:
            timestamp_s = now_ms // 1000
            body |= {"timestamp": str(timestamp_s), "sign": sign(settings.secret, timestamp_s)}
        check_size(json.dumps(body, ensure_ascii=False), BODY_BYTES)
        return Request(url=settings.url + settings.hook, body=body)

    wire = Wire(capabilities=CAPABILITIES, account=settings.name, conv_id=settings.conv_id, request=request, error=error_of)
    return Robot(wire, client, life)


def sign(secret: str, timestamp_s: int) -> str:
    """Return the signature."""
    return base64.b64encode(hmac.new(f"{timestamp_s}\n{secret}".encode(), b"", "sha256").digest()).decode()


def body_of(content: Content) -> dict[str, Any]:
    """Return the message."""
    names = phones(content.mentions)[1]  # a bot of Feishu calls by id only
    if content.format == "markdown":
        people = "".join(f"<at id={'all' if person == '@all' else person}></at>" for person in names)
        return {"msg_type": "interactive", "card": {"elements": [{"tag": "markdown", "content": people + content.text}]}}
    people = "".join(f"<at user_id={quoteattr('all' if person == '@all' else person)}></at> " for person in names)
    return {"msg_type": "text", "content": {"text": people + content.text}}


def error_of(reply: Reply) -> ConnectorError | None:
    """Return what `code` means; older answers write `StatusCode`."""
    code = text_of(reply.data.get("code")) or text_of(reply.data.get("StatusCode"))
    if code == "0":
        return None
    if not code:
        return unanswered(False, "bad_answer")
    if code == "11232":
        return Retryable(code, after_s=60.0)
    if code in ("19001", "19021", "19022"):  # no such bot; signature or address not accepted
        return AuthFailed(code)
    return Permanent(code, text_of(reply.data.get("msg"))[:100])  # 19024: the keyword is missing
