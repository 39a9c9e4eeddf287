"""Announcing the group rules: to whom they go, by which way, and that it is kept where and when."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from qunce.accounts.models import AuditEntry, Role
from qunce.outbox.models import Delivery, State
from qunce.readmodels.models import Group, Message
from qunce.runtime.clock import now_ms
from qunce.runtime.models import Channel, RulesNotice
from qunce.testing.live import PLAYBOOK, Stage
from tests.integration.console_world import SignIn

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    stage = Stage(tmp_path)
    stage.now_ms = now_ms() - 60_000
    stage.publish(PLAYBOOK)
    stage.say("老王", "早上好")
    stage.say("小红", "早上好", group="二群")
    return stage


def group(name: str = "演练一群") -> int:
    return Group.objects.get(name=name).pk


def page_of(client: Client, **query: str) -> str:
    response = client.get(reverse("announce-rules"), query)
    assert response.status_code == 200
    return response.content.decode()


def test_the_rules_go_to_the_chosen_groups_and_their_date_is_kept(sign_in: SignIn, stage: Stage) -> None:
    client = sign_in()
    assert page_of(client).count("还没发过") == 2
    shown = client.post(reverse("announce-rules"), {"group": [str(group())]}, follow=True).content.decode()
    assert "正在发到 1 个群；0 个群要人发" in shown
    stage.now_ms = now_ms() + 1_000
    assert stage.deliver() == ["message.send"]
    said = Message.objects.order_by("-seq").first()
    assert said is not None
    assert said.text == "群规\n1. 群里不发广告，谢谢理解。"
    assert Delivery.objects.get().state == State.DONE
    page = page_of(client)
    assert page.count("还没发过") == 1
    assert 'class="chip good"' in page
    assert AuditEntry.objects.filter(action="rules.announce").count() == 1


def test_a_group_that_still_waits_for_this_text_is_left_alone_and_may_be_told_again_later(
    sign_in: SignIn, stage: Stage
) -> None:
    client = sign_in()
    for _ in range(2):
        client.post(reverse("announce-rules"), {"group": [str(group())]})
    assert Delivery.objects.count() == 1
    stage.now_ms = now_ms() + 1_000
    stage.deliver()
    client.post(reverse("announce-rules"), {"group": [str(group())]})
    assert Delivery.objects.count() == 2
    assert RulesNotice.objects.count() == 2


def test_changed_rules_say_that_they_should_be_told_again(sign_in: SignIn, stage: Stage) -> None:
    client = sign_in()
    client.post(reverse("announce-rules"), {"group": [str(group())]})
    stage.now_ms = now_ms() + 1_000
    stage.deliver()
    stage.publish(PLAYBOOK.replace("群里不发广告", "群里请不要发广告"))
    assert "规则已改，建议再发" in page_of(client)


def test_where_nothing_can_be_sent_a_colleague_copies_and_taps(sign_in: SignIn, stage: Stage) -> None:
    Channel.objects.update(enabled=False)
    client = sign_in()
    page = client.post(reverse("announce-rules"), {"group": [str(group())]}, follow=True).content.decode()
    assert "1 个群要人发" in page
    assert 'data-copy="群规' in page
    row = Delivery.objects.get()
    assert row.state == State.HUMAN
    client.post(reverse("finish-announcement", args=[row.pk]), {"done": "yes"})
    assert Delivery.objects.get().state == State.DONE
    assert 'class="chip good"' in page_of(client)


def test_a_group_outside_the_scope_is_neither_listed_nor_told(sign_in: SignIn, stage: Stage) -> None:
    client = sign_in(Role.MANAGER, (group("二群"),))
    page = page_of(client)
    assert "二群" in page
    assert "演练一群" not in page
    assert client.post(reverse("announce-rules"), {"group": [str(group())]}).status_code == 404
    assert not Delivery.objects.exists()
    sign_in().post(reverse("announce-rules"), {"group": [str(group())]})
    other = Delivery.objects.get().pk
    assert client.post(reverse("finish-announcement", args=[other])).status_code == 404


def test_nonsense_is_refused_in_words(sign_in: SignIn, stage: Stage) -> None:
    client = sign_in()
    assert "还没有选群" in client.post(reverse("announce-rules"), {}, follow=True).content.decode()
    assert "已经不在了" in client.post(reverse("announce-rules"), {"group": ["987654"]}, follow=True).content.decode()


def test_without_rules_the_page_says_where_to_begin(sign_in: SignIn) -> None:
    page = page_of(sign_in())
    assert "没有可以发布的群规" in page
    assert f'href="{reverse("playbook")}"' in page


def test_an_analyst_announces_nothing(sign_in: SignIn) -> None:
    assert sign_in(Role.ANALYST).get(reverse("announce-rules")).status_code == 403


def test_the_list_costs_the_same_queries_however_long_it_is(
    sign_in: SignIn, stage: Stage, django_assert_num_queries: Callable[..., object]
) -> None:
    client = sign_in()
    client.post(reverse("announce-rules"), {"group": [str(group())]})
    page_of(client)
    for number in range(15):
        stage.say("小红", "早", group=f"群{number}")
    client.post(reverse("announce-rules"), {"group": [str(pk) for pk in Group.objects.values_list("pk", flat=True)]})
    page_of(client)
    with django_assert_num_queries(12):  # type: ignore[attr-defined]  # pytest-django's own context manager
        page_of(client)
