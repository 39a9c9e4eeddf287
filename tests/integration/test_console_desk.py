"""The response desk: what it shows to whom, in which order, and what each button does to the clock."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from qunce.accounts.models import AuditEntry, Role, Staff, StaffScope
from qunce.domain.desk import DeskDecision
from qunce.engine import core
from qunce.outbox.models import Delivery, State
from qunce.playbook import gallery
from qunce.playbook.load import parse
from qunce.readmodels.models import Group, Message, TagHolding
from qunce.runtime.clock import now_ms
from qunce.runtime.happenings import Resolver
from qunce.runtime.live import channels
from qunce.runtime.live.desk import table
from qunce.runtime.live.wiring import DryRun
from qunce.runtime.models import Case, Channel, DeskThread, Mark, ThreadState
from qunce.testing.live import Stage
from tests.integration.console_world import SignIn

pytestmark = pytest.mark.django_db

READER = {"homeserver": "https://h.example", "user_id": "@q:h.example", "token": "t"}
ROBOT = {"name": "r", "conv_id": "g", "key": "k"}
ORDER = """\
schema_version: 1
playbook: {playbook_id: practice, title: 演练}
lexicons: [{lexicon_id: ads, title: 广告, terms: [代购返现]}]
rules: [{rule_id: ads.terms, title: 广告, category: ads, reason: 不发广告, when: [{check: terms, lexicons: [ads]}]}]
"""
REPLIES = """\
schema_version: 1
replies:
  - response_id: answer.mask
    title: 面膜用法
    kind: answer
    text: "{name} 先洁面再敷 15 分钟。"
    materials: [{kind: link, ref: "https://example.org/mask"}, {kind: image, ref: 面膜用法.png, note: 第二版}]
  - {response_id: welcome.all, title: 欢迎, kind: welcome, text: "欢迎 {name}！"}
"""
ANSWERS = """\
schema_version: 1
playbook: {playbook_id: practice, title: 演练}
answers:
  - rule_id: sla
    title: 三分钟应答
    mode: suggest
    duty: team
    sooner: [{need: complaint, within: 1m}]
    escalate: [{after: 5m, to: [supervisor]}]
    brands: [客服]
duties:
  - duty_id: team
    title: 客服组
    shifts: [{title: 前半天, hours: "00:00-12:00", staff: [xiaoli]}, {title: 后半天, hours: "12:00-00:00", staff: [xiaoli]}]
"""


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A question two minutes old, and one in another group four minutes old; the desk goes by the real clock."""
    stage = Stage(tmp_path)
    stage.now_ms = now_ms() - 240_000
    stage.publish(ANSWERS)
    stage.say("老王", "今天几点发货？", group="二群")
    stage.now_ms = now_ms() - 120_000
    stage.say("小红", "<b>这个面膜</b>怎么用呀？")
    stage.say("小红", "急")
    stage.react()
    stage.now_ms = now_ms()
    stage.react()
    return stage


def thread_of(name: str) -> DeskThread:
    return next(row for row in DeskThread.objects.all() if row.group_id == Group.objects.get(name=name).pk)


def text_of(client: Client, name: str, *args: object, **query: str) -> str:
    response = client.get(reverse(name, args=args), query)
    assert response.status_code == 200
    return response.content.decode()


def test_who_waits_stands_with_question_need_and_group_the_most_urgent_first(sign_in: SignIn, stage: Stage) -> None:
    page = text_of(sign_in(), "desk")
    for shown in (
        "&lt;b&gt;这个面膜&lt;/b&gt;怎么用呀？",
        "今天几点发货？",
        "演练一群",
        "二群",
        "又说 1 条",
        "超时",
        "还剩",
        "xiaoli",
    ):
        assert shown in page
    assert page.index("今天几点发货？") < page.index("怎么用呀？")
    assert "<b>这个面膜" not in page


def test_filters_keep_to_what_they_say(sign_in: SignIn, stage: Stage) -> None:
    client = sign_in()
    late = text_of(client, "desk", show="late", part="list")
    assert "今天几点发货" in late
    assert "怎么用呀" not in late
    assert "您手上没有对话" in text_of(client, "desk", show="mine", part="list")
    assert "还没有结束的对话" in text_of(client, "desk", show="ended", part="list")


def test_an_answer_in_the_group_ends_the_matter_and_names_who_gave_it(sign_in: SignIn, stage: Stage) -> None:
    stage.wait(1)
    stage.take(stage.said("小助理", "洗完脸敷十五分钟", kind="staff"))
    stage.react()
    row = thread_of("演练一群")
    assert row.state == ThreadState.ANSWERED
    page = text_of(sign_in(), "desk-thread", row.seq, show="ended")
    assert "小助理 已回复" in page


def test_a_column_that_did_not_change_is_not_sent_again(sign_in: SignIn, stage: Stage) -> None:
    client = sign_in()
    page = text_of(client, "desk")
    polls = [part.split('"')[0].replace("&amp;", "&") for part in page.split('hx-get="')[1:] if "part=" in part]
    assert len(polls) == 2
    for address in polls:
        assert client.get(address).status_code == 204
    stage.say("小红", "还有人吗")
    stage.react()
    # The list has changed; the conversation that is open is another one.
    assert [client.get(address).status_code for address in polls] == [200, 204]


def test_settling_stops_the_clock_teaches_nothing_and_is_no_answer(sign_in: SignIn, stage: Stage) -> None:
    row = thread_of("演练一群")
    client = sign_in()
    client.post(reverse("settle-thread", args=[row.seq]), {"back": "list"})
    stage.wait(1)
    stage.react()
    decision = Case.objects.get(area="answers", verdict="released")
    assert "no_answer_needed" in decision.payload
    row.refresh_from_db()
    assert row.state == ThreadState.RELEASED
    assert not Mark.objects.exists()
    assert AuditEntry.objects.filter(action="desk.settle").count() == 1
    stage.wait(600)
    stage.react()
    assert not Case.objects.filter(area="answers", verdict="late", seq=row.asked_seq).exists()
    again = client.post(reverse("settle-thread", args=[row.seq]), follow=True).content.decode()
    assert "已经回复或结束了" in again


def test_settling_teaches_when_asked_by_who_may(sign_in: SignIn, stage: Stage) -> None:
    client = sign_in()
    client.post(reverse("settle-thread", args=[thread_of("演练一群").seq]), {"teach": "yes"})
    assert Mark.objects.get().model == "needs_answer"
    assert Mark.objects.get().label is False
    scoped = sign_in(Role.MANAGER, (Group.objects.get(name="二群").pk,))
    scoped.post(reverse("settle-thread", args=[thread_of("二群").seq]), {"teach": "yes"})
    assert Mark.objects.count() == 1


def test_a_settled_matter_begins_anew_with_the_next_question(stage: Stage, sign_in: SignIn) -> None:
    row = thread_of("演练一群")
    sign_in().post(reverse("settle-thread", args=[row.seq]))
    stage.react()
    stage.say("小红", "那敏感肌能用吗？")
    stage.react()
    assert DeskThread.objects.filter(state=ThreadState.WAITING, closed_ms=None, group_id=row.group_id).count() == 1


def test_taking_over_giving_away_and_putting_aside(sign_in: SignIn, stage: Stage) -> None:
    row = thread_of("演练一群")
    client = sign_in(Role.SUPERVISOR)
    Staff.objects.create_user("lili", "correct-horse-9", role=Role.SUPPORT_AGENT, display_name="丽丽")
    assert "您已接手" in client.post(reverse("assign-thread", args=[row.seq]), {"owner": "me"}, follow=True).content.decode()
    assert "怎么用呀" in text_of(client, "desk", show="mine", part="list")
    refusal = client.post(reverse("assign-thread", args=[row.seq]), {"owner": "lili"}, follow=True).content.decode()
    assert "看不到这个群" in refusal
    StaffScope.objects.create(staff=Staff.objects.get(username="lili"), group_id=row.group_id)
    client.post(reverse("assign-thread", args=[row.seq]), {"owner": "lili"})
    assert "丽丽" in text_of(client, "desk", part="list")
    client.post(reverse("snooze-thread", args=[row.seq]), {"minutes": "10"})
    row.refresh_from_db()
    assert (row.snoozed_until_ms or 0) > now_ms()
    assert row.state == ThreadState.WAITING
    assert (
        "没有这个时间选项"
        in client.post(reverse("snooze-thread", args=[row.seq]), {"minutes": "7"}, follow=True).content.decode()
    )


@pytest.mark.parametrize("name", ["desk-thread", "assign-thread", "snooze-thread", "settle-thread", "reply-thread"])
def test_a_matter_outside_the_scope_does_not_exist(name: str, sign_in: SignIn, stage: Stage) -> None:
    client = sign_in(Role.SUPPORT_AGENT, (Group.objects.get(name="二群").pk,))
    send = client.get if name == "desk-thread" else client.post
    assert send(reverse(name, args=[thread_of("演练一群").seq])).status_code == 404
    assert send(reverse(name, args=[987_654])).status_code == 404
    page = text_of(client, "desk")
    assert "今天几点发货" in page
    assert "怎么用呀" not in page


def test_an_analyst_does_not_answer(sign_in: SignIn, stage: Stage) -> None:
    client = sign_in(Role.ANALYST)
    assert client.get(reverse("desk")).status_code == 403
    assert client.post(reverse("settle-thread", args=[thread_of("演练一群").seq])).status_code == 403


def test_the_page_costs_the_same_queries_however_many_wait(
    sign_in: SignIn, stage: Stage, django_assert_num_queries: Callable[..., object]
) -> None:
    client = sign_in()
    text_of(client, "desk")
    for count in (3, 30):
        for number in range(count):
            stage.say(f"人{count}-{number}", "请问多少钱？", group=f"群{number}")
        stage.react()
        with django_assert_num_queries(44):  # type: ignore[attr-defined]  # pytest-django's own context manager
            text_of(client, "desk")
        with django_assert_num_queries(14):  # type: ignore[attr-defined]  # the same
            text_of(client, "desk", part="list")


def test_without_rules_the_page_says_where_to_begin(sign_in: SignIn) -> None:
    page = text_of(sign_in(), "desk")
    assert "还没有应答规则" in page
    assert f'href="{reverse("playbook")}"' in page


EMPTY = [
    pytest.param(ORDER, (), "生效的规则里没有应答规则", ["edit-playbook"], id="rules without answers"),
    pytest.param(ANSWERS, (), "还没有群接进来", ["channels", "practice", "replay"], id="no channel"),
    pytest.param(ANSWERS, ("wecom_robot",), "还没有群接进来", ["channels"], id="a channel that only sends"),
    pytest.param(ANSWERS, ("matrix",), "还没有人提问", ["practice", "replay"], id="nobody has asked"),
]


@pytest.mark.parametrize(("rules", "connected", "said", "leads_to"), EMPTY)
def test_an_empty_desk_says_why_and_what_to_do_next(
    tmp_path: Path, sign_in: SignIn, rules: str, connected: tuple[str, ...], said: str, leads_to: list[str]
) -> None:
    Stage(tmp_path).publish(rules)
    Channel.objects.all().delete()
    for connector in connected:
        channels.do_add_channel(
            actor=None, connector=connector, name="", settings=READER if connector == "matrix" else ROBOT
        )  # fmt: skip
    page = text_of(sign_in(), "desk")
    assert said in page
    assert "还没有应答规则" not in page
    for name in leads_to:
        assert f'href="{reverse(name)}"' in page.partition("desk-none")[2]


def test_an_empty_desk_leads_nobody_where_they_may_not_go(tmp_path: Path, sign_in: SignIn) -> None:
    Stage(tmp_path).publish(ANSWERS)
    Channel.objects.all().delete()
    page = text_of(sign_in(Role.SUPPORT_AGENT), "desk").partition("desk-none")[2]
    assert "还没有群接进来" in page
    assert not any(f'href="{reverse(name)}"' in page for name in ("channels", "practice", "replay"))


def test_when_all_is_answered_the_page_says_so(sign_in: SignIn, stage: Stage) -> None:
    DeskThread.objects.update(state=ThreadState.ANSWERED, ended_ms=now_ms())
    assert "都回复完了" in text_of(sign_in(), "desk")


def test_a_lost_table_is_made_again_from_the_engine_s_memory(stage: Stage) -> None:
    before = sorted(DeskThread.objects.values_list("seq", "group_id", "asked_seq", "due_ms", "late"))
    DeskThread.objects.filter(group_id=Group.objects.get(name="二群").pk).delete()
    DeskThread.objects.create(
        seq=999, group_id=1, identity_id=1, rule_id="x", version="x", mode="observe", need="question", stage="first",
        state=ThreadState.WAITING, opened_ms=1, asked_seq=999, asked_ms=1, due_ms=1,
    )  # fmt: skip
    stage.restart()
    stage.react()
    waiting = DeskThread.objects.filter(state=ThreadState.WAITING)
    assert sorted(waiting.values_list("seq", "group_id", "asked_seq", "due_ms", "late")) == before
    assert DeskThread.objects.get(pk=999).reason == "lost"
    assert table.align(stage.reactor._database, stage.reactor.state, "1", now_ms()) == 0


def test_an_answer_from_the_page_goes_out_quoting_and_stops_the_clock_as_its_author_s(sign_in: SignIn, stage: Stage) -> None:
    row = thread_of("演练一群")
    client = sign_in(Role.SUPERVISOR)
    client.post(reverse("reply-thread", args=[row.seq]), {"text": " 洗完脸敷十五分钟 <i>哦</i> "})
    client.post(reverse("reply-thread", args=[row.seq]), {"text": "洗完脸敷十五分钟 <i>哦</i>"})
    assert Delivery.objects.count() == 1
    assert "正在发送" in text_of(client, "desk-thread", row.seq)
    stage.wait(2)
    assert stage.deliver() == ["message.send"]
    stage.react()
    said = Message.objects.order_by("-seq").first()
    assert said is not None
    assert said.text == "洗完脸敷十五分钟 <i>哦</i>"
    assert said.reply_to == row.asked_seq
    row.refresh_from_db()
    assert (row.state, row.staff, row.reason) == (ThreadState.ANSWERED, "supervisor-0", "console")
    assert row.owner_id == Staff.objects.get(username="supervisor-0").pk
    page = text_of(client, "desk-thread", row.seq, show="ended")
    assert "supervisor-0 已回复" in page
    assert "已送达" in page
    assert "<i>" not in page
    assert DeskThread.objects.filter(state=ThreadState.WAITING).count() == 1


def test_words_of_patience_start_the_clock_for_the_next_answer(sign_in: SignIn, stage: Stage) -> None:
    row = thread_of("演练一群")
    sign_in().post(reverse("reply-thread", args=[row.seq]), {"text": "稍等，我问一下"})
    stage.wait(2)
    stage.deliver()
    stage.react()
    row.refresh_from_db()
    assert (row.state, row.stage) == (ThreadState.WAITING, "next")
    assert row.asked_seq == row.seq


@pytest.mark.parametrize("how", ["simulated", "no_channel"])
def test_where_nothing_can_be_sent_a_colleague_says_it_by_hand_and_taps(how: str, sign_in: SignIn, stage: Stage) -> None:
    Channel.objects.update(**({"mode": "simulated"} if how == "simulated" else {"enabled": False}))
    row = thread_of("演练一群")
    client = sign_in()
    page = client.post(reverse("reply-thread", args=[row.seq]), {"text": "洗完脸敷"}, follow=True).content.decode()
    assert "等您在群里发出" in page
    assert 'data-copy="洗完脸敷"' in page
    assert stage.deliver() == []
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.reason) == (State.HUMAN, how)
    stage.react()
    row.refresh_from_db()
    assert row.state == ThreadState.WAITING
    client.post(reverse("finish-reply", args=[row.seq, delivery.pk]), {"done": "yes"})
    stage.wait(1)
    stage.react()
    row.refresh_from_db()
    assert (row.state, row.staff) == (ThreadState.ANSWERED, "admin-0")
    assert "由人发出" in text_of(client, "desk-thread", row.seq)


def test_an_answer_given_up_leaves_the_clock_running(sign_in: SignIn, stage: Stage) -> None:
    Channel.objects.update(enabled=False)
    row = thread_of("演练一群")
    client = sign_in()
    client.post(reverse("reply-thread", args=[row.seq]), {"text": "洗完脸敷"})
    client.post(reverse("finish-reply", args=[row.seq, Delivery.objects.get().pk]), {"done": "no"})
    stage.react()
    row.refresh_from_db()
    assert row.state == ThreadState.WAITING
    assert client.post(reverse("finish-reply", args=[thread_of("二群").seq, Delivery.objects.get().pk])).status_code == 404


def test_what_a_simulated_channel_pretends_is_no_answer(sign_in: SignIn, stage: Stage) -> None:
    row = thread_of("演练一群")
    sign_in().post(reverse("reply-thread", args=[row.seq]), {"text": "洗完脸敷"})
    stage.connector = DryRun(stage.connector)
    stage.wait(2)
    stage.deliver()
    stage.react()
    assert Delivery.objects.get().receipt.startswith("simulated:")
    row.refresh_from_db()
    assert row.state == ThreadState.WAITING


def test_what_cannot_be_sent_stays_in_the_field(sign_in: SignIn, stage: Stage) -> None:
    row = thread_of("演练一群")
    response = sign_in().post(reverse("reply-thread", args=[row.seq]), {"text": "长" * 2_001})
    assert response.status_code == 422
    page = response.content.decode()
    assert "太长了" in page
    assert "长" * 2_001 in page
    assert not Delivery.objects.exists()


def test_links_of_a_response_go_with_its_words_and_the_rest_is_named_for_the_hand(sign_in: SignIn, stage: Stage) -> None:
    stage.publish({"playbook.yaml": ANSWERS, "replies.yaml": REPLIES})
    row, client = thread_of("演练一群"), sign_in()
    page = text_of(client, "desk-thread", row.seq, part="found", q="面膜")
    assert 'data-insert="小红 先洁面再敷 15 分钟。\nhttps://example.org/mask"' in page
    assert '图片</span> <span class="words">面膜用法.png</span>' in page
    client.post(reverse("reply-thread", args=[row.seq]), {"text": "先洁面", "response": "answer.mask"})
    shown = text_of(client, "desk-thread", row.seq).partition("to-add")[2].partition("</article>")[0]
    assert "面膜用法.png" in shown
    assert "https://example.org/mask" not in shown, "the link went with the words"
    assert 'data-copy="面膜用法.png"' in shown
    stage.wait(2)
    stage.deliver()
    assert "面膜用法.png" in text_of(client, "desk-thread", row.seq).partition("to-add")[2], "it is still to be added"


def test_the_library_is_searched_narrowed_and_copied(sign_in: SignIn, stage: Stage, django_assert_num_queries: object) -> None:
    assert "还没有话术" in text_of(sign_in(), "responses")
    stage.publish({"playbook.yaml": ANSWERS, "replies.yaml": REPLIES})
    agent = sign_in(Role.SUPPORT_AGENT)
    page = text_of(agent, "responses")
    assert page.count("data-row") == 2
    assert "{name} 先洁面再敷 15 分钟。" in page
    assert text_of(agent, "responses", kind="welcome").count("data-row") == 1
    found = text_of(agent, "responses", **{"with": "materials"})
    assert found.count("data-row") == 1
    assert 'data-copy="面膜用法.png"' in found
    assert "没有找到" in text_of(agent, "responses", q="zzz")
    assert reverse("edit-playbook") not in text_of(agent, "responses")


def test_a_replay_counts_an_answer_from_the_console(sign_in: SignIn, stage: Stage) -> None:
    sign_in().post(reverse("reply-thread", args=[thread_of("演练一群").seq]), {"text": "洗完脸敷"})
    stage.wait(2)
    stage.deliver()
    program = core.compile_rules(parse({"playbook.yaml": ANSWERS}))
    state, answered = core.State(), []
    for happening in Resolver(stage.ingest.database).happenings(stage.ingest.journal.read(0, 100)):
        decided = core.step(state, happening, program, happening.event.ts_ms)
        answered += [one for one in decided if one.verdict == "answered"]
    assert [one.staff for one in answered if isinstance(one, DeskDecision)] == ["admin-0"]


@pytest.fixture
def spoken(stage: Stage) -> Stage:
    """The stage with canned responses in force."""
    replies = gallery.texts("dianshang")["replies.yaml"]
    stage.publish({"playbook.yaml": ANSWERS, "replies.yaml": replies}, reason="话术")
    return stage


def test_fitting_responses_are_offered_with_their_variables_put_in(sign_in: SignIn, spoken: Stage) -> None:
    page = text_of(sign_in(), "desk-thread", thread_of("二群").seq)
    assert 'data-response="answer.not_shipped"' in page
    assert "老王 抱歉让您久等了" in page
    assert "{name}" not in page


def test_a_search_finds_responses_and_a_used_one_is_counted(sign_in: SignIn, spoken: Stage) -> None:
    row = thread_of("演练一群")
    client = sign_in()
    found = text_of(client, "desk-thread", row.seq, part="found", q="发票")
    assert found.index("answer.invoice") < len(found)
    assert "<html" not in found
    assert "没有找到" in text_of(client, "desk-thread", row.seq, part="found", q="zzz")
    client.post(reverse("reply-thread", args=[row.seq]), {"text": "可以开", "response": "answer.invoice"})
    assert "用过 1 次" in text_of(client, "desk-thread", row.seq, part="found", q="发票")


def test_the_tags_of_the_member_stand_on_the_card(sign_in: SignIn, stage: Stage) -> None:
    row = thread_of("演练一群")
    TagHolding.objects.create(
        target="member", identity_id=row.identity_id, group_id=0, tag="小白", kept="hand", put_ms=1, changed_ms=1, seq=1
    )
    assert '<span class="chip">小白</span>' in text_of(sign_in(), "desk-thread", row.seq)
