"""The pages of channels: add, change, pause; credentials go in and never come out."""

import pytest
from django.urls import reverse

from qunce.accounts.models import AuditEntry, Role
from qunce.connectors.base import Batch
from qunce.domain.events import ConnectorStatus, Event, Source
from qunce.outbox.models import Pause
from qunce.runtime.live.channels import do_add_channel
from qunce.runtime.live.intake import Report, Store
from qunce.runtime.models import Channel
from tests.integration.console_world import SignIn

pytestmark = pytest.mark.django_db
TOKEN = "syt_a_secret_of_ours"
MATRIX = {"homeserver": "https://matrix.example.org", "user_id": "@bot:example.org", "token": TOKEN}


@pytest.fixture
def channel_id() -> int:
    return do_add_channel(actor=None, connector="matrix", name="社群机器人", settings=MATRIX)


def test_an_empty_list_offers_every_kind(sign_in: SignIn) -> None:
    page = sign_in().get(reverse("channels")).content.decode()
    assert "还没有接入渠道" in page
    for kind in ("matrix", "telegram", "onebot11", "irc", "webhook_in", "wecom_robot", "dingtalk_robot", "feishu_robot"):
        assert reverse("add-channel", args=[kind]) in page


def test_a_channel_is_added_simulated_and_its_secret_is_never_shown(sign_in: SignIn) -> None:
    client = sign_in()
    posted = {f"set_{name}": value for name, value in MATRIX.items()} | {"title": "机器人", "set_rooms": "!a:x\n!b:x"}
    page = client.post(reverse("add-channel", args=["matrix"]), posted, follow=True).content.decode()
    channel = Channel.objects.get()
    assert (channel.mode, channel.account, channel.name) == ("simulated", "@bot:example.org", "机器人")
    assert TOKEN in channel.settings
    assert TOKEN not in page
    assert "!a:x\n!b:x" in page
    for shown in ("自动", "要人点一下", "做不到", "需要撤回权限"):
        assert shown in page


def test_what_is_missing_is_said_and_the_rest_kept(sign_in: SignIn) -> None:
    response = sign_in().post(
        reverse("add-channel", args=["matrix"]), {"set_homeserver": "https://m.example", "set_token": TOKEN}
    )
    page = response.content.decode()
    assert response.status_code == 422
    assert "user_id" in page
    assert "https://m.example" in page
    assert TOKEN not in page
    assert not Channel.objects.exists()


def test_an_empty_secret_keeps_its_value(sign_in: SignIn, channel_id: int) -> None:
    posted = {"settings": "1", "title": "新名字", "set_homeserver": "https://other.example", "set_user_id": "@bot:example.org"}
    sign_in().post(reverse("change-channel", args=[channel_id]), posted)
    channel = Channel.objects.get()
    assert channel.name == "新名字"
    assert TOKEN in channel.settings
    assert "https://other.example" in channel.settings


def test_the_mode_and_the_switch_are_changed_apart(sign_in: SignIn, channel_id: int) -> None:
    client = sign_in()
    client.post(reverse("change-channel", args=[channel_id]), {"mode": "live"})
    client.post(reverse("change-channel", args=[channel_id]), {"enabled": "no"})
    channel = Channel.objects.get()
    assert (channel.mode, channel.enabled, channel.name) == ("live", False, "社群机器人")
    assert client.post(reverse("change-channel", args=[channel_id]), {"mode": "wild"}).status_code == 422


def test_a_pause_is_shown_and_lifted(sign_in: SignIn, channel_id: int) -> None:
    client = sign_in()
    page = client.post(reverse("pause-channel", args=[channel_id]), {"reason": "维护"}, follow=True).content.decode()
    assert "维护" in page
    assert Pause.objects.exists()
    client.post(reverse("pause-channel", args=[channel_id]))
    assert not Pause.objects.exists()
    assert {"channel.pause", "channel.resume"} <= set(AuditEntry.objects.values_list("action", flat=True))


def test_a_supervisor_sees_channels_and_changes_none(sign_in: SignIn, channel_id: int) -> None:
    client = sign_in(Role.SUPERVISOR)
    page = client.get(reverse("channel", args=[channel_id])).content.decode()
    assert "社群机器人" in page
    assert reverse("change-channel", args=[channel_id]) not in page
    for name in ("change-channel", "pause-channel"):
        assert client.post(reverse(name, args=[channel_id])).status_code == 403
    assert client.get(reverse("add-channel", args=["matrix"])).status_code == 403


def status(state: str, ts_ms: int) -> Batch:
    source = Source(connector="matrix", account="@bot:example.org", origin="self")
    body = ConnectorStatus(state=state)  # type: ignore[arg-type]  # one of the four
    return Batch(events=(Event(ts_ms=ts_ms, source=source, body=body, dedupe_key=f"{state}{ts_ms}"),))


def test_a_channel_that_was_away_says_since_when_and_whether_it_caught_up(sign_in: SignIn, channel_id: int) -> None:
    client, store = sign_in(), Store()
    noon_ms = 1_800_000_000_000

    def told(*states: tuple[str, int]) -> str:
        source = Source(connector="matrix", account="@bot:example.org", origin="callback")
        store.store([Report(channel_id, source, status(state, noon_ms + minute * 60_000)) for state, minute in states])
        return client.get(reverse("channel", args=[channel_id])).content.decode()

    assert "上次断开" not in told(("up", 0))
    page = told(("down", 10))
    assert "还没恢复" in page
    assert "断开" in page
    told(("down", 11))
    assert Channel.objects.get().away_ms == noon_ms + 600_000, "trying again in vain is one absence"
    page = told(("up", 30))
    assert "期间的消息已补读" in page
    assert Channel.objects.get().back_ms == noon_ms + 1_800_000
    told(("down", 40), ("up", 41))
    channel = Channel.objects.get()
    assert (channel.away_ms, channel.back_ms) == (noon_ms + 2_400_000, noon_ms + 2_460_000)


@pytest.mark.parametrize("name", ["channel", "change-channel", "pause-channel"])
def test_a_channel_that_is_not_there_is_not_found(name: str, sign_in: SignIn) -> None:
    client = sign_in()
    send = client.get if name == "channel" else client.post
    assert send(reverse(name, args=[4242])).status_code == 404
    assert client.get(reverse("add-channel", args=["no-such"])).status_code == 404


@pytest.mark.parametrize(
    ("connector", "settings", "address"),
    [
        pytest.param(
            "webhook_in", {"name": "订单 系统", "secrets": ["s" * 16]}, "/in/webhook/%E8%AE%A2%E5%8D%95%20", id="webhook"
        ),
        pytest.param("onebot11", {"self_id": "10001", "access_token": "t" * 8}, "/in/onebot11", id="QQ dials us"),
    ],
)
def test_a_platform_that_calls_us_is_told_where(
    connector: str, settings: dict[str, object], address: str, sign_in: SignIn
) -> None:
    pk = do_add_channel(actor=None, connector=connector, name="", settings=settings)
    page = sign_in().get(reverse("channel", args=[pk])).content.decode()
    assert address in page
    assert "s" * 16 not in page
    assert "t" * 8 not in page
