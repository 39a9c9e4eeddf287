"""What a channel can do in each of its groups: asked from the platform, kept, shown with reason and mend."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from qunce.accounts.models import AuditEntry, Role, Staff
from qunce.connectors.base import Batch, Obstacle
from qunce.connectors.errors import Retryable
from qunce.domain.events import Conv, Event, MemberUpdated, MessageCreated, Party, Source
from qunce.readmodels.models import Group
from qunce.runtime.ingest import Ingest
from qunce.runtime.live import surveys
from qunce.runtime.live.channels import do_add_channel
from qunce.runtime.live.intake import Report, Store
from qunce.runtime.models import Channel, Survey

pytestmark = pytest.mark.django_db
BOT = "@bot:example.org"
SETTINGS = {"homeserver": "https://matrix.example.org", "user_id": BOT, "token": "syt_x"}
SOURCE = Source(connector="matrix", account=BOT, origin="poll")
LOW = Obstacle(name="message.delete", zh="请把账号提到 50 级", en="give it level 50")
NOW_MS = 1_800_000_000_000


class Platform:
    """Says what it is told to, room by room, and remembers who asked."""

    def __init__(self, **told: tuple[Obstacle, ...] | Exception) -> None:
        self.told = told
        self.asked: list[str] = []

    async def survey(self, conv_id: str) -> tuple[Obstacle, ...]:
        self.asked.append(conv_id)
        answer = self.told.get(conv_id, ())
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def channel() -> Channel:
    do_add_channel(actor=None, connector="matrix", name="机器人", settings=SETTINGS)
    Ingest().take_all([said(room) for room in ("a", "b")])
    return Channel.objects.get()


@pytest.fixture
def client() -> Client:
    return sign_in(Role.ADMIN)


def sign_in(role: str) -> Client:
    client = Client()
    client.force_login(Staff.objects.create_user(role, "correct-horse-9", role=role))
    return client


def said(room: str) -> Event:
    body = MessageCreated(message_id="1", text="大家好")
    conv = Conv(platform_id=room, name=f"团长群 {room}")
    return Event(ts_ms=NOW_MS, source=SOURCE, body=body, dedupe_key=f"m:{room}", conv=conv, actor=Party(platform_id="@ann:h"))


async def asked(platform: Platform, *rooms: str) -> list[surveys.Answer]:
    return await surveys.ask(platform, rooms)


@pytest.fixture
def ask(channel: Channel) -> Callable[[Platform, int], None]:
    """One look of the loop."""
    from asgiref.sync import async_to_sync

    def look(platform: Platform, now_ms: int = NOW_MS) -> None:
        wanted = surveys.due(channel, now_ms)
        surveys.store(channel.pk, async_to_sync(asked)(platform, *wanted), now_ms)

    return look


def see(client: Client, name: str, *args: object) -> str:
    return client.get(reverse(name, args=args)).content.decode()


def test_groups_are_asked_about_once_in_a_while_and_again_on_demand(
    channel: Channel, ask: Callable[..., None], client: Client
) -> None:
    platform = Platform(a=(LOW,))
    ask(platform)
    ask(platform, NOW_MS + 60_000)
    assert sorted(platform.asked) == ["a", "b"]
    ask(platform, NOW_MS + surveys.FRESH_MS + 1)
    assert len(platform.asked) == 4
    client.post(reverse("ask-channel", args=[channel.pk]))
    ask(platform, NOW_MS + surveys.FRESH_MS + 2)
    assert len(platform.asked) == 6
    assert AuditEntry.objects.filter(action="channel.survey").exists()


def test_a_change_of_our_own_role_has_the_group_asked_about_again(channel: Channel, ask: Callable[..., None]) -> None:
    ask(Platform())
    role = MemberUpdated(field="role", old="member", new="admin")
    raised = Event(
        ts_ms=NOW_MS + 1, source=SOURCE, body=role, dedupe_key="r", conv=Conv(platform_id="a"), subject=Party(platform_id=BOT)
    )
    other = Event(
        ts_ms=NOW_MS + 1,
        source=SOURCE,
        body=role,
        dedupe_key="s",
        conv=Conv(platform_id="b"),
        subject=Party(platform_id="@x"),
    )
    Store().store([Report(channel.pk, SOURCE, Batch(events=(raised, other)))])
    assert surveys.due(channel, NOW_MS + 2) == ("a",)


def test_the_page_says_what_is_in_the_way_and_what_mends_it(channel: Channel, ask: Callable[..., None], client: Client) -> None:
    assert "正在问" in see(client, "channel-groups", channel.pk)
    ask(Platform(a=(LOW,)))
    page = see(client, "channel-groups", channel.pk)
    for shown in ("团长群 a", "团长群 b", "请把账号提到 50 级", "撤回消息", "rc_message", "2026-11", "模拟"):
        assert shown in page
    assert page.index("团长群 a") < page.index("团长群 b"), "what needs mending comes first"
    assert page.count("请把账号提到 50 级") == 2, "in the cell's title, and below the row"
    assert "1 个群里有做不到的事" in see(client, "channel", channel.pk)
    ask(Platform(), NOW_MS + surveys.FRESH_MS + 1)
    assert "请把账号提到 50 级" not in see(client, "channel-groups", channel.pk)
    assert "平台允许的都能做" in see(client, "channel", channel.pk)


def test_what_could_not_be_asked_is_told_and_what_was_known_stays(
    channel: Channel, ask: Callable[..., None], client: Client
) -> None:
    ask(Platform(a=(LOW,)))
    down = Platform(a=Retryable("http_503"), b=Retryable("http_503"))
    ask(down, NOW_MS + surveys.FRESH_MS + 1)
    assert len(down.asked) == 1, "a platform that is away is not asked about every group"
    page = see(client, "channel-groups", channel.pk)
    assert "没问到" in page
    assert Survey.objects.get(conv_id="a").obstacles != "[]"


def test_a_channel_that_cannot_be_asked_shows_what_its_platform_allows(client: Client) -> None:
    settings = {"host": "irc.example", "network": "x", "nick": "q", "channels": ["#a"]}
    pk = do_add_channel(actor=None, connector="irc", name="", settings=settings)
    source = Source(connector="irc", account="q@x", origin="callback")
    body = MessageCreated(message_id=None, text="hi")
    Ingest().take_all([
        Event(ts_ms=NOW_MS, source=source, body=body, dedupe_key="1", conv=Conv(platform_id="#a"), actor=Party(platform_id="n"))
    ])  # fmt: skip
    page = see(client, "channel-groups", pk)
    assert "这个平台问不到" in page
    assert reverse("ask-channel", args=[pk]) not in page


def test_an_empty_channel_says_what_comes_next_and_others_are_not_found(channel: Channel, client: Client) -> None:
    Group.objects.all().delete()
    assert "还没有群" in see(client, "channel-groups", channel.pk)
    assert client.get(reverse("channel-groups", args=[4242])).status_code == 404
    assert client.post(reverse("ask-channel", args=[4242])).status_code == 404
    supervisor = sign_in(Role.SUPERVISOR)
    assert supervisor.get(reverse("channel-groups", args=[channel.pk])).status_code == 200
    assert supervisor.post(reverse("ask-channel", args=[channel.pk])).status_code == 403
    assert sign_in(Role.MANAGER).get(reverse("channel-groups", args=[channel.pk])).status_code == 403


def test_many_groups_cost_no_more_queries(channel: Channel, client: Client, django_assert_max_num_queries: Callable) -> None:  # type: ignore[type-arg]  # the plugin's own
    Ingest().take_all([said(f"r{number}") for number in range(40)])
    with django_assert_max_num_queries(16):
        see(client, "channel-groups", channel.pk)
