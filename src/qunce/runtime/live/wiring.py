"""Make connectors of channel rows: the only place that knows every kind, and whether what is asked for really happens."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Final
from zoneinfo import ZoneInfo

import httpx
import msgspec

from qunce.connectors.base import Capabilities, Connector, Emit
from qunce.connectors.codes import MAX_BYTES
from qunce.connectors.dingtalk_robot.connector import CAPABILITIES as DINGTALK
from qunce.connectors.dingtalk_robot.connector import DingtalkRobotSettings, dingtalk_robot
from qunce.connectors.feishu_robot.connector import CAPABILITIES as FEISHU
from qunce.connectors.feishu_robot.connector import FeishuRobotSettings, feishu_robot
from qunce.connectors.http import Caller
from qunce.connectors.irc.capabilities import CAPABILITIES as IRC
from qunce.connectors.irc.connector import Irc, IrcSettings, Streams
from qunce.connectors.mail.connector import CAPABILITIES as MAIL
from qunce.connectors.mail.connector import Mail, MailSettings
from qunce.connectors.matrix.api import MatrixSettings
from qunce.connectors.matrix.capabilities import CAPABILITIES as MATRIX
from qunce.connectors.matrix.connector import Matrix
from qunce.connectors.onebot11.capabilities import CAPABILITIES as ONEBOT
from qunce.connectors.onebot11.connector import OneBot11, OneBotSettings
from qunce.connectors.pace import Life
from qunce.connectors.telegram.api import TelegramSettings
from qunce.connectors.telegram.capabilities import CAPABILITIES as TELEGRAM
from qunce.connectors.telegram.connector import Telegram
from qunce.connectors.webhook_in.capabilities import CAPABILITIES as WEBHOOK
from qunce.connectors.webhook_in.connector import WebhookIn, WebhookSettings
from qunce.connectors.wecom_robot.connector import CAPABILITIES as WECOM
from qunce.connectors.wecom_robot.connector import WecomRobotSettings, wecom_robot
from qunce.domain.commands import AnyCommand, Content, Receipt, SendMessage
from qunce.runtime.clock import now_ms
from qunce.runtime.live import practice
from qunce.runtime.live.practice import Practice
from qunce.runtime.models import Channel
from qunce.runtime.safe_http import safe_client


class BadSettings(Exception):
    """A channel cannot be made of its settings; `reason` says which one and why, never what it holds."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeSettings:
    """A set of practice rooms."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IrcChannelSettings:
    """One bot on one IRC network, and where the network is."""

    host: str
    port: int = 6697
    tls: bool = True
    network: str
    nick: str
    channels: tuple[str, ...]
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of channel."""

    capabilities: Capabilities
    settings: type[Any]
    """Record of what it needs; fields that are left out of its `repr` are secret."""
    account: Callable[[Any], str]
    """Name of the account in the events."""
    make: Callable[[Any, httpx.AsyncClient, Life], Connector]


def _irc(settings: IrcChannelSettings, _client: httpx.AsyncClient, life: Life) -> Connector:
    async def connect() -> Streams:
        return await asyncio.open_connection(settings.host, settings.port, ssl=settings.tls or None)

    own = IrcSettings(network=settings.network, nick=settings.nick, channels=settings.channels, password=settings.password)
    return Irc(own, connect, life)


async def fetch_picture(url: str) -> bytes:
    """Return a picture from an address that a platform named. Raises ConnectorError, also where it leads into our network."""
    async with safe_client() as client:
        return await Caller(client).fetch(url, most=MAX_BYTES)


KINDS: Final[Mapping[str, Kind]] = {
    kind.capabilities.kind: kind
    for kind in (
        Kind(
            capabilities=practice.CAPABILITIES, settings=PracticeSettings, account=lambda s: s.name,
            make=lambda s, _, life: Practice(s.name, life.now_ms),
        ),
        Kind(capabilities=MATRIX, settings=MatrixSettings, account=lambda s: s.user_id, make=Matrix),
        Kind(capabilities=TELEGRAM, settings=TelegramSettings, account=lambda s: s.bot_id, make=Telegram),
        Kind(
            capabilities=ONEBOT, settings=OneBotSettings, account=lambda s: s.self_id,
            make=lambda s, _, life: OneBot11(s, life, fetch=fetch_picture),
        ),
        Kind(capabilities=IRC, settings=IrcChannelSettings, account=lambda s: f"{s.nick}@{s.network}", make=_irc),
        Kind(
            capabilities=WEBHOOK, settings=WebhookSettings, account=lambda s: s.name, make=lambda s, _, life: WebhookIn(s, life)
        ),
        Kind(capabilities=WECOM, settings=WecomRobotSettings, account=lambda s: s.name, make=wecom_robot),
        Kind(capabilities=DINGTALK, settings=DingtalkRobotSettings, account=lambda s: s.name, make=dingtalk_robot),
        Kind(capabilities=FEISHU, settings=FeishuRobotSettings, account=lambda s: s.name, make=feishu_robot),
        Kind(capabilities=MAIL, settings=MailSettings, account=lambda s: s.sender, make=lambda s, _, life: Mail(s, life)),
    )
}  # fmt: skip


SURVEYORS: Final = frozenset({MATRIX.kind, TELEGRAM.kind, ONEBOT.kind})
"""Kinds that can look up what their account may do in a group (`connectors.base.Surveyor`)."""


class DryRun:
    """A channel that reads what really happens, and only pretends to do what it is asked."""

    def __init__(self, inner: Connector) -> None:
        self._inner = inner

    @property
    def capabilities(self) -> Capabilities:
        """Return what the real channel can do."""
        return self._inner.capabilities

    async def run(self, emit: Emit, since: str | None) -> None:
        """Read as the real channel does."""
        await self._inner.run(emit, since)

    async def send(self, conv_id: str, content: Content, *, idem_key: str) -> Receipt:
        """Pretend to say something."""
        return await self.act(SendMessage(conv_id=conv_id, content=content), idem_key=idem_key)

    async def act(self, command: AnyCommand, *, idem_key: str) -> Receipt:
        """Pretend to carry out a command. Nothing is reported as having happened, since nothing has.

        Raises Unsupported where the real channel could not do it.
        """
        self._inner.capabilities.require(command)
        return Receipt(platform_id=f"simulated:{idem_key[:12]}")


WRAPPERS: Final[Mapping[str, Callable[[Connector], Connector]]] = {"live": lambda inner: inner, "simulated": DryRun}
"""What each mode of a channel makes of its connector."""


def life() -> Life:
    """Return real time and chance."""
    return Life(now_ms=now_ms, sleep=asyncio.sleep, chance=random.random)


def connector_of(channel: Channel, client: httpx.AsyncClient, life: Life) -> Connector:
    """Return the connector of a channel as its platform knows it; `WRAPPERS` puts it into the channel's mode.

    Raises BadSettings, and what the connector raises about them.
    """
    return KINDS[channel.connector].make(settings_of(channel.connector, channel.settings), client, life)


def settings_of(connector: str, text: str) -> Any:
    """Return the settings stored as `text`. Raises BadSettings."""
    return parse_settings(connector, json.loads(text or "{}"))


def parse_settings(connector: str, values: Mapping[str, Any]) -> Any:
    """Return the settings of a kind of channel. Raises BadSettings for an unknown kind or key, and what is missing."""
    kind = KINDS.get(connector)
    if kind is None:
        raise BadSettings(f"no kind of channel {connector!r}")
    known = {one.name for one in fields(kind.settings)}
    if unknown := sorted(values.keys() - known):
        raise BadSettings(f"unknown setting {unknown[0]!r}")
    try:
        return msgspec.convert(dict(values), kind.settings, dec_hook=_zone)
    except msgspec.ValidationError as error:
        raise BadSettings(str(error)) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingField:
    """One setting, for forms."""

    name: str
    required: bool
    secret: bool
    many: bool
    """It is a list."""
    default: object


def setting_fields(connector: str) -> tuple[SettingField, ...]:
    """Return the settings of a kind of channel. Raises KeyError for an unknown kind."""
    return tuple(
        SettingField(
            name=one.name,
            required=one.default is MISSING and one.default_factory is MISSING,
            secret=not one.repr,
            many="tuple" in str(one.type),
            default=None if one.default is MISSING else one.default,
        )
        for one in fields(KINDS[connector].settings)
    )


def _zone(kind: type, value: Any) -> Any:
    if kind is ZoneInfo:
        return ZoneInfo(str(value))
    raise NotImplementedError
