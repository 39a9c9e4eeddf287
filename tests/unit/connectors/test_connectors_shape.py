"""What every connector declares, keeps secret and refuses."""

from __future__ import annotations

from typing import Any

import pytest

from qunce.connectors.base import DOING, NAMES, Batch, Capabilities, Connector, Gap, abilities, merged
from qunce.connectors.dingtalk_robot.connector import DingtalkRobotSettings, dingtalk_robot
from qunce.connectors.errors import AuthFailed, Unsupported
from qunce.connectors.feishu_robot.connector import FeishuRobotSettings, feishu_robot
from qunce.connectors.irc.connector import Irc, IrcSettings
from qunce.connectors.mail.connector import Mail, MailSettings
from qunce.connectors.matrix.api import MatrixSettings
from qunce.connectors.matrix.connector import Matrix
from qunce.connectors.onebot11.connector import OneBot11, OneBotSettings
from qunce.connectors.telegram.api import TelegramSettings
from qunce.connectors.telegram.connector import Telegram
from qunce.connectors.webhook_in.connector import WebhookIn, WebhookSettings
from qunce.connectors.wecom_robot.connector import WecomRobotSettings, wecom_robot
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
    UnbanMember,
    UnmuteMember,
    capability_of,
)
from tests.unit.connectors.harness import Clock, web

SECRET = "tell-nobody-this-secret"
CONTENT = Content(text="好")
COMMANDS: tuple[AnyCommand, ...] = (
    SendMessage(conv_id="1", content=CONTENT),
    SendDirect(conv_id="1", member_id="2", content=CONTENT),
    DeleteMessage(conv_id="1", message_id="2"),
    MuteMember(conv_id="1", member_id="2"),
    UnmuteMember(conv_id="1", member_id="2"),
    RemoveMember(conv_id="1", member_id="2"),
    BanMember(conv_id="1", member_id="2"),
    UnbanMember(conv_id="1", member_id="2"),
    AnswerRequest(conv_id="1", member_id="2", request_ref="3", approve=True),
)
SETTINGS: dict[str, Any] = {
    "matrix": MatrixSettings(homeserver="https://h.example", user_id="@q:h", token=SECRET),
    "onebot11": OneBotSettings(self_id="1", access_token=SECRET),
    "telegram": TelegramSettings(token=f"99:{SECRET}"),
    "irc": IrcSettings(network="x", nick="q", channels=("#a",), password=SECRET),
    "webhook_in": WebhookSettings(name="x", secrets=(SECRET,)),
    "wecom_robot": WecomRobotSettings(name="x", conv_id="g", key=SECRET),
    "dingtalk_robot": DingtalkRobotSettings(name="x", conv_id="g", access_token=SECRET, secret=SECRET),
    "mail": MailSettings(host="h.example", sender="q@h.example", password=SECRET),
    "feishu_robot": FeishuRobotSettings(name="x", conv_id="g", hook=SECRET, secret=SECRET),
}


async def _no_connection() -> Any:
    raise OSError("nobody is there")


def connectors() -> dict[str, Connector]:
    """Return one connector of each kind, with nobody at the other end."""
    life = Clock().life()
    client = web(lambda _: pytest.fail("nothing should be asked"))
    return {
        "matrix": Matrix(SETTINGS["matrix"], client, life),
        "onebot11": OneBot11(SETTINGS["onebot11"], life),
        "telegram": Telegram(SETTINGS["telegram"], client, life),
        "irc": Irc(SETTINGS["irc"], _no_connection, life),
        "webhook_in": WebhookIn(SETTINGS["webhook_in"], life),
        "wecom_robot": wecom_robot(SETTINGS["wecom_robot"], client, life),
        "dingtalk_robot": dingtalk_robot(SETTINGS["dingtalk_robot"], client, life),
        "mail": Mail(SETTINGS["mail"], life),
        "feishu_robot": feishu_robot(SETTINGS["feishu_robot"], client, life),
    }


KINDS = sorted(SETTINGS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_capability_is_declared_in_both_languages(kind: str) -> None:
    declared = connectors()[kind].capabilities
    assert declared.kind == kind
    assert tuple(ability.name for ability in declared.abilities) == NAMES
    for ability in declared.abilities:
        assert bool(ability.zh) == bool(ability.en)
        assert ability.how != "human" or ability.zh, "who must tap needs to know where"
    for quota in declared.quotas:
        assert quota.name in NAMES
        assert quota.source
        assert len(quota.stated) == 7


@pytest.mark.parametrize("command", COMMANDS, ids=capability_of)
@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_not_declared_automatic_is_refused_before_anything_is_asked(kind: str, command: AnyCommand) -> None:
    connector = connectors()[kind]
    if connector.capabilities.ability(capability_of(command)).how == "automatic":
        return
    with pytest.raises(Unsupported) as refused:
        await connector.act(command, idem_key="k")
    assert refused.value.code == capability_of(command)


def test_the_commands_here_are_all_there_are() -> None:
    assert tuple(map(capability_of, COMMANDS)) == DOING


@pytest.mark.parametrize("kind", KINDS)
def test_settings_and_connectors_show_no_secret(kind: str) -> None:
    assert SECRET not in repr(SETTINGS[kind])
    assert SECRET not in repr(connectors()[kind])


@pytest.mark.parametrize("kind", ["webhook_in", "wecom_robot", "dingtalk_robot", "feishu_robot", "mail"])
async def test_what_cannot_listen_returns_at_once(kind: str) -> None:
    async def emit(_batch: Batch) -> None:
        pytest.fail("nothing was heard")

    await connectors()[kind].run(emit, None)


@pytest.mark.parametrize(
    ("settings", "make"),
    [
        (OneBotSettings(self_id="1", access_token="short"), OneBot11),
        (WebhookSettings(name="x", secrets=("short",)), WebhookIn),
        (WebhookSettings(name="x", secrets=()), WebhookIn),
        (MailSettings(host="h.example", sender="q@h.example", security="none", password=SECRET), Mail),
    ],
    ids=["a short access token", "a short secret", "no secret", "a password in the open"],
)
def test_an_open_door_is_refused(settings: Any, make: Any) -> None:
    with pytest.raises(AuthFailed):
        make(settings, Clock().life())


def test_an_unknown_capability_is_refused() -> None:
    with pytest.raises(KeyError):
        abilities("message.sing")
    with pytest.raises(KeyError):
        Capabilities(kind="x", zh="x", en="x", abilities=abilities("")).ability("message.sing")


def test_batches_are_merged_in_their_order() -> None:
    gap = Gap(reason="x")
    batch = merged([Batch(since="1", gaps=(gap,)), Batch(since="2"), Batch()])
    assert batch == Batch(since="2", gaps=(gap,))
    assert merged([]) == Batch()
