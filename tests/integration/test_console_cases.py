"""The pages of cases: what they show, who may decide, and that each decision does what its button says."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from qunce.accounts.models import AuditEntry, Role
from qunce.outbox.models import Delivery, State
from qunce.readmodels.models import Group
from qunce.runtime.clock import now_ms
from qunce.runtime.ingest import Ingest
from qunce.runtime.models import Appeal, Case, CaseState, Mark
from qunce.testing.builders import said
from qunce.testing.live import PLAYBOOK, Stage
from tests.integration.console_world import SignIn

pytestmark = pytest.mark.django_db

AD = "代 购·返 现，<b>私聊我</b>"
SUGGESTING = PLAYBOOK.replace("mode: act", "mode: suggest")


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    stage = Stage(tmp_path)
    # What the console decides, it decides by the real clock.
    stage.now_ms = now_ms() - 60_000
    stage.publish(SUGGESTING)
    return stage


@pytest.fixture
def case_id(stage: Stage) -> str:
    """A suggestion about an ad in disguise."""
    stage.say("老王", "大家好")
    stage.say("老王", AD)
    stage.react()
    return Case.objects.get(area="moderation").decision_id


def delivered(stage: Stage) -> list[str]:
    """Carry out what is due by the real clock."""
    stage.now_ms = now_ms() + 1_000
    return stage.deliver()


def text_of(client: Client, name: str, *args: object, **query: str) -> str:
    response = client.get(reverse(name, args=args), query)
    assert response.status_code == 200
    return response.content.decode()


def post(client: Client, name: str, *args: object, **data: str) -> str:
    """Post, and return the page that comes of it."""
    response = client.post(reverse(name, args=args), data, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def test_without_rules_the_page_says_where_to_begin(sign_in: SignIn) -> None:
    page = text_of(sign_in(), "cases")
    assert "还没有规则" in page
    assert f'href="{reverse("playbook")}"' in page


def test_an_open_case_stands_in_the_list_with_its_rule_and_person(sign_in: SignIn, case_id: str) -> None:
    page = text_of(sign_in(), "cases")
    for shown in (
        "老王",
        "演练一群",
        "广告词",
        "建议",
        reverse("case", args=[case_id]),
        reverse("approve-case", args=[case_id]),
    ):
        assert shown in page
    assert "老王" not in text_of(sign_in(Role.SUPERVISOR), "cases", state="done")


def test_a_case_shows_its_message_escaped_with_what_was_found_marked(sign_in: SignIn, case_id: str) -> None:
    page = text_of(sign_in(), "case", case_id)
    assert "代 购·返 现</mark>" in page
    assert "<b>私聊我</b>" not in page
    assert "&lt;b&gt;私聊我&lt;/b&gt;" in page
    for shown in ("群里不发广告，谢谢理解。", "大家好", "词库命中", "1-", "待批准"):
        assert shown in page


def test_an_approval_lets_the_suggestion_be_carried_out(sign_in: SignIn, stage: Stage, case_id: str) -> None:
    assert "已批准" in post(sign_in(), "approve-case", case_id)
    assert Case.objects.get().state == CaseState.DONE
    assert delivered(stage) == ["message.delete", "member.mute", "message.send"]
    assert AuditEntry.objects.filter(action="case.approve", target_id=case_id).exists()


def test_a_second_decision_is_refused_in_words(sign_in: SignIn, case_id: str) -> None:
    client = sign_in()
    post(client, "decline-case", case_id, reason="没事")
    assert Case.objects.get().state == CaseState.DECLINED
    assert "已经有人否决了" in post(client, "approve-case", case_id)


def test_an_undo_lists_what_it_takes_back_and_needs_a_reason(sign_in: SignIn, stage: Stage, case_id: str) -> None:
    client = sign_in()
    post(client, "approve-case", case_id)
    delivered(stage)
    page = text_of(client, "case", case_id)
    for shown in ("会收回", "已撤回的消息无法恢复", "解除"):
        assert shown in page
    assert "撤销要写明理由" in post(client, "undo-case", case_id, reason=" ")
    post(client, "undo-case", case_id, reason="误伤")
    assert Case.objects.get().state == CaseState.UNDONE
    assert "member.unmute" in delivered(stage)


def test_an_appeal_is_recorded_listed_and_granted(sign_in: SignIn, stage: Stage, case_id: str) -> None:
    client = sign_in()
    post(client, "approve-case", case_id)
    delivered(stage)
    post(client, "appeal-case", case_id, text="我只是分享", by="member")
    assert "我只是分享" in text_of(client, "cases", show="appeals")
    post(client, "resolve-appeal", case_id, grant="yes", answer="抱歉")
    assert Appeal.objects.get().state == "granted"
    assert Case.objects.get().state == CaseState.UNDONE


def test_an_unknown_delivery_waits_for_a_word_and_can_be_sent_again(sign_in: SignIn, case_id: str) -> None:
    client = sign_in()
    post(client, "approve-case", case_id)
    row = Delivery.objects.filter(capability="member.mute").get()
    Delivery.objects.filter(pk=row.pk).update(state=State.UNKNOWN)
    assert reverse("settle-delivery", args=[row.pk]) in text_of(client, "cases", show="tasks")
    post(client, "settle-delivery", row.pk, done="no")
    assert Delivery.objects.get(pk=row.pk).state == State.READY


def test_a_mark_shows_its_effect_first_and_can_be_taken_back(sign_in: SignIn, case_id: str) -> None:
    client = sign_in()
    assert "试算" in text_of(client, "teach-case", case_id, model="spam", label="yes")
    assert not Mark.objects.exists()
    post(client, "teach-case", case_id, model="spam", label="yes")
    assert Mark.objects.get().label is True
    assert Case.objects.get().state == CaseState.OPEN
    post(client, "unteach-case", case_id, model="spam")
    assert Mark.objects.get().revoked_ms is not None


@pytest.mark.parametrize("name", ["case", "approve-case", "decline-case", "undo-case", "appeal-case", "resolve-appeal"])
def test_a_case_outside_the_scope_does_not_exist(name: str, sign_in: SignIn, stage: Stage, case_id: str) -> None:
    stage.say("小红", "你好", group="别的群")
    client = sign_in(Role.MANAGER, (Group.objects.get(name="别的群").pk,))
    send = client.get if name == "case" else client.post
    assert send(reverse(name, args=[case_id])).status_code == 404
    assert "老王" not in text_of(client, "cases", state="all")
    assert Case.objects.get().state == CaseState.OPEN


def test_a_delivery_outside_the_scope_does_not_exist(sign_in: SignIn, case_id: str) -> None:
    row = Delivery.objects.order_by("pk").first()
    assert row is not None
    client = sign_in(Role.MANAGER, (987,))
    assert client.post(reverse("settle-delivery", args=[row.pk]), {"done": "yes"}).status_code == 404


def test_who_may_not_decide_sees_no_case_and_no_button(sign_in: SignIn, case_id: str) -> None:
    client = sign_in(Role.ANALYST)
    assert client.get(reverse("case", args=[case_id])).status_code == 403
    assert client.post(reverse("approve-case", args=[case_id])).status_code == 403


def test_only_who_sees_every_group_teaches(sign_in: SignIn, case_id: str) -> None:
    client = sign_in(Role.SUPERVISOR, (Group.objects.get().pk,))
    assert client.get(reverse("teach-case", args=[case_id])).status_code == 404
    assert reverse("teach-case", args=[case_id]) not in text_of(client, "case", case_id)


def test_a_list_costs_the_same_queries_however_long_it_is(
    sign_in: SignIn, stage: Stage, case_id: str, django_assert_max_num_queries: Callable[..., object]
) -> None:
    for number in range(12):
        stage.say(f"人{number}", AD)
    stage.react()
    client = sign_in()
    with django_assert_max_num_queries(30):  # type: ignore[attr-defined]  # pytest-django's own context manager
        text_of(client, "cases")


def test_the_dashboard_says_what_waits_for_a_decision_to_those_who_may_see_it(case_id: str, sign_in: SignIn) -> None:
    Ingest().take_all([said("新生群", "小红", "早上好", at="09:00")])
    assert "1 个案例、0 个申诉" in text_of(sign_in(), "overview")
    assert "个申诉" not in text_of(sign_in(Role.SHOP_GUIDE), "overview")
