"""Teaching from the transcript: every message can be a lesson, its effect is seen before, and each can be taken back."""

from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from qunce.accounts.models import AuditEntry, Role
from qunce.engine.learning.lessons import MIN_EACH
from qunce.readmodels.models import Group
from qunce.runtime.live import marks
from qunce.runtime.models import Case, Mark
from qunce.testing.live import Stage
from tests.integration.console_world import SignIn

pytestmark = pytest.mark.django_db
TEXT = "紫色大象养殖基地名额开放"


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def see(client: Client, name: str, *args: object, **query: str) -> str:
    return client.get(reverse(name, args=args), query).content.decode()


def test_each_message_of_the_transcript_offers_six_lessons(stage: Stage, sign_in: SignIn) -> None:
    seq = stage.say("老王", TEXT)
    group = Group.objects.get().pk
    page = see(sign_in(Role.SUPERVISOR), "group-messages", group)
    assert f'data-menu="teach-menu" data-value="{seq}"' in page
    for shown in ("是广告", "不是广告", "是辱骂", "不是辱骂", "需要回复", "不需要回复"):
        assert shown in page
    assert Case.objects.count() == 0, "no rule has to have found it"


def test_a_lesson_is_tried_given_shown_and_taken_back(stage: Stage, sign_in: SignIn) -> None:
    seq = stage.say("老王", TEXT)
    group = Group.objects.get().pk
    client = sign_in(Role.SUPERVISOR)
    page = see(client, "teach-message", seq, model="needs_answer", label="yes")
    for shown in (TEXT, "试算", f"还差 {MIN_EACH - 1} 条“是”和 {MIN_EACH} 条“不是”"):
        assert shown in page
    posted = client.post(reverse("teach-message", args=[seq]), {"model": "needs_answer", "label": "yes"})
    assert posted.headers["Location"] == f"{reverse('group-messages', args=[group])}?around={seq}"
    assert (Mark.objects.get().model, Mark.objects.get().label) == ("needs_answer", True)
    assert "需要回复" in see(client, "group-messages", group).partition("<footer>")[2]
    listed = see(client, "lessons")
    for shown in (TEXT, "需要回复", "演练一群", "“是” 1 条，“不是” 0 条", "只有自带的词"):
        assert shown in listed
    assert "已经标注为" in see(client, "teach-message", seq, model="needs_answer")
    client.post(reverse("unteach-message", args=[seq]), {"model": "needs_answer", "back": "lessons"})
    assert "还没有标注" in see(client, "lessons")
    assert {"mark.teach", "mark.revoke"} <= set(AuditEntry.objects.values_list("action", flat=True))


def test_with_enough_of_both_kinds_the_page_says_what_would_change(stage: Stage, sign_in: SignIn) -> None:
    last = 0
    for number in range(MIN_EACH):
        spam = stage.say("老王", f"{TEXT}第 {number} 期")
        ham = stage.say("小红", f"今天第 {number} 组的作业大家交了吗")
        marks.do_teach(actor=None, model="spam", seq=ham, label=False)
        if number < MIN_EACH - 1:
            marks.do_teach(actor=None, model="spam", seq=spam, label=True)
        last = spam
    page = see(sign_in(Role.SUPERVISOR), "teach-message", last, model="spam", label="yes")
    assert "标注还太少" not in page
    assert f"{MIN_EACH} 条以后会被认出来" in page
    client = sign_in(Role.ADMIN)
    client.post(reverse("teach-message", args=[last]), {"model": "spam", "label": "yes"})
    assert "按标注判断" in see(client, "lessons")
    assert see(client, "lessons", model="abuse").count("data-row") == 0
    assert see(client, "lessons", model="spam").count("data-row") == 2 * MIN_EACH


def test_messages_without_words_and_retracted_ones_cannot_teach(stage: Stage, sign_in: SignIn) -> None:
    stage.say("老王", "   ")
    stage.say("老王", TEXT)
    client = sign_in(Role.SUPERVISOR)
    for seq in (1, 4242, 2**70):
        assert client.get(reverse("teach-message", args=[seq])).status_code == 404
    assert client.post(reverse("unteach-message", args=[2]), {"model": "no-such"}).status_code == 404
    page = client.post(reverse("unteach-message", args=[2]), {"model": "spam"}, follow=True).content.decode()
    assert "no mark on message 2" in page


def test_only_leads_who_see_every_group_teach(stage: Stage, sign_in: SignIn) -> None:
    seq = stage.say("老王", TEXT)
    group = Group.objects.get().pk
    scoped = sign_in(Role.SUPERVISOR, (group,))
    assert "teach-menu" not in see(scoped, "group-messages", group)
    assert scoped.get(reverse("teach-message", args=[seq])).status_code == 404
    assert scoped.post(reverse("unteach-message", args=[seq]), {"model": "spam", "back": "lessons"}).status_code == 404
    assert scoped.get(reverse("lessons")).status_code == 403
    executor = sign_in(Role.EXECUTOR, (group,))
    for name in ("teach-message", "lessons"):
        args = [seq] if name == "teach-message" else []
        assert executor.get(reverse(name, args=args)).status_code == 403
