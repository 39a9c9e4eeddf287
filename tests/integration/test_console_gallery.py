"""A playbook of the gallery in use: opened, published, told to act from its page; ladders go their way to the platform."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from qunce.accounts.models import Role, Staff
from qunce.outbox.models import Delivery, State
from qunce.runtime.clock import now_ms
from qunce.runtime.live import drafts
from qunce.runtime.models import Case
from qunce.testing.live import Stage

pytestmark = pytest.mark.django_db

MINUTES = 60


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(Staff.objects.create_user("owner", "correct-horse-9", role=Role.ADMIN))
    return client


@pytest.fixture
def post(client: Client) -> Callable[..., str]:
    def call(name: str, *args: object, **data: str) -> str:
        response = client.post(reverse(name, args=args), data, follow=True)
        assert response.status_code == 200
        return response.content.decode()

    return call


@pytest.fixture
def stage(tmp_path: Path, post: Callable[..., str]) -> Stage:
    """A group where 母婴 is in force, as somebody has published it on the page."""
    stage = Stage(tmp_path)
    post("start-draft", source="gallery:muying")
    draft = drafts.draft()
    assert draft is not None
    post("publish-playbook", seen=str(draft.saved_ms), reason="先观察")
    stage.now_ms = now_ms() + 1_000
    return stage


def said(stage: Stage, who: str, text: str) -> list[str]:
    """Let somebody say something ten minutes later, and return what was carried out."""
    stage.wait(10 * MINUTES)
    stage.say(who, text)
    stage.react()
    return stage.deliver()


def test_it_only_observes_at_first(stage: Stage) -> None:
    assert said(stage, "老王", "帮我砍一刀，还差一个人") == []
    assert Case.objects.filter(area="moderation").values_list("rule_id", "mode", "state").get() == (
        "ads.bargain", "observe", "noted",
    )  # fmt: skip


def test_an_advertiser_is_warned_then_removed_with_the_reason_said_then_kept_out(
    stage: Stage, post: Callable[..., str]
) -> None:
    for rule in ("ads.bargain", "people.blocked"):
        assert "已发布" in post("set-rule-mode", rule=rule, mode="act", reason="试过了")
    advert = "帮我砍一刀，还差一个人"
    assert said(stage, "老王", advert)[0] == "message.delete"
    assert "member.kick" in said(stage, "老王", advert)
    assert "老王 多次发布与本群无关的推广，已移出。" in Delivery.objects.filter(capability="message.send").latest("pk").command
    assert "member.ban" in said(stage, "老王", advert)
    stage.take(stage.joined("老王", group="演练二群"))
    stage.react()
    assert (Case.objects.latest("pk").rule_id, Case.objects.latest("pk").verdict) == ("people.blocked", "ban")


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        pytest.param("member", "conduct.abuse", id="a member is first talked to alone"),
        pytest.param("staff", "conduct.owner", id="a colleague is reminded by a person"),
    ],
)
def test_the_polite_talk_is_a_task_for_a_person(
    kind: str, rule: str, stage: Stage, client: Client, post: Callable[..., str]
) -> None:
    post("set-rule-mode", rule=rule, mode="act", reason="试过了")
    stage.wait(MINUTES)
    stage.take(stage.said("小红", "你有病吧，滚蛋", kind=kind))  # type: ignore[arg-type]  # the two kinds above
    stage.react()
    assert stage.deliver() == []
    task = Delivery.objects.get(state=State.HUMAN)
    assert "小红" in client.get(reverse("cases"), {"show": "tasks"}).content.decode()
    post("settle-delivery", task.pk, done="yes")
    assert Delivery.objects.get(pk=task.pk).state == State.DONE


def test_a_flood_is_slowed_down(stage: Stage, post: Callable[..., str]) -> None:
    post("set-rule-mode", rule="flood.repeat", mode="act", reason="试过了")
    stage.wait(MINUTES)
    for _ in range(3):
        stage.say("老王", "今天团购的水蜜桃又大又甜快来看看")
    stage.react()
    assert stage.deliver().count("message.delete") == 3


def test_the_rules_for_members_stand_on_the_page(stage: Stage, client: Client) -> None:
    page = client.get(reverse("playbook")).content.decode()
    for shown in ("给成员看的群规", "群里禁止赌博信息，请大家不要参与。", "群里不拉小群，避免大家被打扰和上当。"):
        assert shown in page
