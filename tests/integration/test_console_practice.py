"""The practice room: who speaks is chosen, what the rules make of each line stands beside it, and nobody counts it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from django.urls import reverse

from qunce.accounts.models import AuditEntry, Role
from qunce.readmodels.models import GroupDay, Question
from qunce.readmodels.selectors.days import newest_day
from qunce.readmodels.selectors.groups import any_group
from qunce.readmodels.selectors.members import list_members
from qunce.runtime.commands import CommandRefused
from qunce.runtime.desk_models import DeskAlarm, DeskThread
from qunce.runtime.live import drafts, practising
from qunce.runtime.live.practice import KIND
from qunce.runtime.models import Case, Channel
from qunce.testing.live import PLAYBOOK, Stage
from tests.integration.console_world import SignIn

pytestmark = pytest.mark.django_db
Counted = Callable[..., AbstractContextManager[object]]
ROOM = "演练 1"


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A stage whose channel is the practice rooms'."""
    stage = Stage(tmp_path)
    stage.publish()
    stage.wait(1)
    return stage


def say(stage: Stage, who: str, text: str) -> int:
    stage.wait(1)
    return practising.do_practise(actor=None, group=ROOM, who=who, text=text, clock=stage.clock)


def verdicts() -> list[list[str]]:
    return [[one.verdict for one in spoken.judged] for spoken in practising.room(ROOM).lines if spoken.line.text]


def test_without_a_room_one_is_offered_and_opened_once(sign_in: SignIn) -> None:
    client = sign_in(Role.SUPERVISOR)
    assert reverse("open-practice") in client.get(reverse("practice")).content.decode()
    for _ in range(2):
        assert client.post(reverse("open-practice")).status_code == 302
    assert (Channel.objects.get().connector, Channel.objects.get().mode) == (KIND, "live")
    page = client.get(reverse("practice")).content.decode()
    for shown in ("演练：不连平台，不进指标", "小林", "客服小丽", "新人 1", "先进群，再说话", "还没有发布规则"):
        assert shown in page
    assert reverse("practice") in client.get(reverse("channels")).content.decode()


def test_what_is_said_is_judged_and_acted_on_in_the_room(stage: Stage, sign_in: SignIn) -> None:
    say(stage, "小林", "大家好")
    say(stage, "小林", "代购返现加我")
    assert [spoken.waits for spoken in practising.room(ROOM).lines] == [True, True]
    stage.react()
    assert verdicts() == [[], ["mute"]]
    assert practising.room(ROOM, stage.clock).waits, "what follows is on its way"
    assert stage.deliver() == ["message.delete", "member.mute", "message.send"]
    stage.react()
    room = practising.room(ROOM, stage.clock)
    assert not room.waits, "the lifting of the mute is half an hour away"
    lin = next(player for player in room.players if player.name == "小林")
    assert lin.muted_until_ms == stage.now_ms + 30 * 60_000
    page = sign_in(Role.SUPERVISOR).get(reverse("practice")).content.decode()
    case = reverse("case", args=[Case.objects.get().decision_id])
    for shown in ("没有规则命中", "禁言", "代购返现", "群里不发广告，谢谢理解。", case):
        assert shown in page


def test_a_newcomer_joins_before_the_first_word_and_is_somebody_else_in_each_room(stage: Stage) -> None:
    say(stage, "新人 1", "代购返现")
    say(stage, "新人 1", "你好")
    stage.react()
    room = practising.room(ROOM)
    assert [spoken.line.happening for spoken in room.lines] == ["member.joined", "", ""]
    assert [player.name for player in room.players if player.newcomer] == ["新人 1"]
    practising.do_practise(actor=None, group="演练 2", who="新人 1", text="你好", clock=stage.clock)
    stage.react()
    stage.deliver()
    assert [player.muted_until_ms for player in practising.room("演练 2").players if player.newcomer] == [0]


def test_staff_are_exempt_as_the_rules_say(stage: Stage) -> None:
    say(stage, "客服小丽", "代购返现")
    stage.react()
    assert verdicts() == [[]]


def test_a_line_posted_from_the_page_comes_back_and_the_speaker_stays_chosen(stage: Stage, sign_in: SignIn) -> None:
    client = sign_in(Role.SUPERVISOR)
    posted = client.post(reverse("practise"), {"room": ROOM, "who": "阿珍", "text": "早上好\x00"})
    assert posted.status_code == 302
    page = client.get(posted.headers["Location"]).content.decode()
    assert "早上好" in page
    assert 'value="阿珍" checked' in page
    part = client.get(reverse("practice"), {"room": ROOM}, headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith('<div class="practice-lines"')
    assert "hx-get" in part, "what was not looked at yet is asked for again"
    assert AuditEntry.objects.filter(action="channel.practise").count() == 1


def test_nothing_said_is_refused_and_hostile_names_are_only_text(stage: Stage, sign_in: SignIn) -> None:
    client = sign_in(Role.SUPERVISOR)
    for bad in ({"room": ROOM, "who": "小林", "text": " "}, {"room": "", "who": "小林", "text": "早"}, {}):
        page = client.post(reverse("practise"), bad, follow=True).content.decode()
        assert "要选一个人，再写一句话。" in page
    nasty = '<img src=x onerror="alert(1)">'
    page = client.post(reverse("practise"), {"room": nasty, "who": nasty, "text": nasty}, follow=True).content.decode()
    assert "<img" not in page
    Channel.objects.all().delete()
    with pytest.raises(CommandRefused):
        say(stage, "小林", "早")


def test_what_is_played_counts_in_no_metric(stage: Stage) -> None:
    say(stage, "新人 1", "大家好，怎么报名？")
    stage.ingest.settle()
    assert not GroupDay.objects.exists()
    assert not Question.objects.exists()
    assert newest_day() is None, "a page's period must not move to a day of practice"
    assert not any_group(None)
    assert list_members(None, text="", kind="", sort="messages", after=None).rows == ()


def test_only_leads_practise(sign_in: SignIn) -> None:
    for role in (Role.EXECUTOR, Role.ANALYST):
        client = sign_in(role)
        assert client.get(reverse("practice")).status_code == 403
        assert client.post(reverse("practise"), {"room": ROOM, "who": "小林", "text": "早"}).status_code == 403


def test_a_long_room_costs_no_more_queries(stage: Stage, sign_in: SignIn, django_assert_max_num_queries: Counted) -> None:
    for number in range(30):
        say(stage, "小林" if number % 2 else "阿珍", f"第 {number} 句代购返现")
    stage.react()
    client = sign_in(Role.SUPERVISOR)
    with django_assert_max_num_queries(32):
        client.get(reverse("practice"))


def test_the_draft_judges_the_same_words_before_it_is_published(stage: Stage, sign_in: SignIn) -> None:
    say(stage, "小林", "兼·职日结三百")
    stage.react()
    client = sign_in(Role.SUPERVISOR)
    assert "也按草稿判断" not in client.get(reverse("practice")).content.decode()
    wider = PLAYBOOK.replace("[代购返现]", "[代购返现, 兼职]")
    drafts.do_save_draft(actor=None, files={"playbook.yaml": wider}, clock=stage.clock)
    assert "也按草稿判断" in client.get(reverse("practice")).content.decode()
    (line,) = practising.room(ROOM, stage.clock, with_draft=True).lines
    assert ([one.verdict for one in line.judged], [one.verdict for one in line.draft]) == ([], ["mute"])
    page = client.get(reverse("practice"), {"draft": "yes"}).content.decode()
    assert page.index("没有规则命中") < page.index("按草稿")
    posted = client.post(reverse("practise"), {"room": ROOM, "who": "小林", "text": "早", "draft": "yes"})
    assert "draft=yes" in posted.headers["Location"]
    assert Case.objects.count() == 0, "the draft decides nothing"
    known = drafts.draft()
    assert known is not None
    drafts.do_save_draft(actor=None, files={"playbook.yaml": "rules: ["}, seen_ms=known.saved_ms, clock=stage.clock)
    assert "草稿还有错，没法按它判断" in client.get(reverse("practice"), {"draft": "yes"}).content.decode()


def test_a_question_that_is_played_calls_nobody(stage: Stage) -> None:
    duty = """
answers:
  - {rule_id: sla, title: 三分钟, mode: act, duty: day, needs: [question], escalate: [{after: 1m, to: [supervisor]}]}
duties: [{duty_id: day, title: 全天, shifts: [{title: 全天, hours: "00:00-23:59"}]}]
"""
    stage.publish(PLAYBOOK + duty, "answers")
    say(stage, "小林", "请问什么时候发货？")
    stage.say("老王", "请问什么时候发货？")
    stage.react()
    stage.wait(600)
    stage.react()
    assert Case.objects.filter(area="answers", verdict="awaits").count() == 2
    assert DeskThread.objects.count() == 1
    assert set(DeskAlarm.objects.values_list("group_id", flat=True)) == {DeskThread.objects.get().group_id}
    stage.restart()
    stage.react()
    assert DeskThread.objects.count() == 1, "nor after a start"
