"""Calling colleagues: whom an alarm reaches, what ends it, and what is told to a group of ours."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from qunce.accounts.models import Role, Staff, StaffScope
from qunce.domain.commands import SendMessage
from qunce.outbox.models import Delivery, State
from qunce.readmodels.models import Group
from qunce.runtime.clock import now_ms
from qunce.runtime.live import channels, plans
from qunce.runtime.models import Case, Channel, DeskAlarm, DeskThread
from qunce.testing.live import Stage

pytestmark = pytest.mark.django_db

RULES = """\
schema_version: 1
playbook: {playbook_id: practice, title: 演练}
answers:
  - rule_id: sla
    title: 三分钟应答
    mode: suggest
    duty: team
    escalate: [{after: 5m, to: [supervisor]}, {after: 10m, to: [wmNobody]}]
duties:
  - duty_id: team
    title: 客服组
    shifts: [{title: 前半天, hours: "00:00-12:00", staff: [lili]}, {title: 后半天, hours: "12:00-00:00", staff: [lili]}]
"""
QUARREL = """\
schema_version: 1
playbook: {playbook_id: practice, title: 演练}
lexicons: [{lexicon_id: rude, title: 粗话, terms: [滚蛋啊]}]
rules:
  - rule_id: conduct.abuse
    title: 辱骂
    category: abuse
    reason: 好好说话。
    when: [{check: terms, lexicons: [rude]}]
  - rule_id: conduct.quarrel
    title: 争吵
    category: quarrel
    reason: 有话慢慢说。
    mode: suggest
    when: [{check: quarrel, categories: [abuse], findings: 2, people: 2, window: 10m}]
"""


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    stage = Stage(tmp_path)
    stage.now_ms = now_ms() - 3_600_000
    return stage


def asked(stage: Stage, rules: str = RULES) -> DeskThread:
    stage.publish(rules)
    stage.say("小红", "这个面膜怎么用呀？")
    stage.react()
    return DeskThread.objects.get()


def pass_time(stage: Stage, seconds: int) -> None:
    stage.wait(seconds)
    stage.react()


def staff(name: str, role: str, groups: tuple[int, ...] = ()) -> Client:
    made = Staff.objects.create_user(name, "correct-horse-9", role=role)
    StaffScope.objects.bulk_create(StaffScope(staff=made, group_id=pk) for pk in groups)
    client = Client()
    client.force_login(made)
    return client


def bell(client: Client) -> str:
    response = client.get(reverse("pulse"))
    assert response.status_code == 200
    return response.content.decode()


def test_a_late_answer_calls_who_is_on_duty_and_a_step_of_the_escalation_whom_it_names(stage: Stage) -> None:
    row = asked(stage)
    lili = staff("lili", Role.SUPPORT_AGENT, (row.group_id,))
    boss = staff("boss", Role.SUPERVISOR)
    other = staff("other", Role.SUPPORT_AGENT, (row.group_id,))
    pass_time(stage, 200)
    assert "提问超时未回" in bell(lili)
    assert "现在没有叫您的事" in bell(boss)
    assert "现在没有叫您的事" in bell(other)
    pass_time(stage, 120)
    page = bell(boss)
    assert "等了 5 分" in page
    assert reverse("desk-thread", args=[row.seq]) in page
    assert "面膜" not in page
    assert "小红" not in page


def test_an_alarm_keeps_to_the_scope(stage: Stage) -> None:
    asked(stage)
    stage.say("阿强", "早上好", group="别的群")
    elsewhere = staff("boss", Role.SUPERVISOR, (Group.objects.get(name="别的群").pk,))
    pass_time(stage, 400)
    assert DeskAlarm.objects.filter(kind="escalate").exists()
    assert "现在没有叫您的事" in bell(elsewhere)


def test_whom_nobody_can_call_is_called_by_those_who_lead(stage: Stage) -> None:
    asked(stage)
    admin = staff("root", Role.ADMIN)
    pass_time(stage, 700)
    assert [alarm.audience for alarm in DeskAlarm.objects.order_by("created_ms", "pk")] == [
        ["lili", "*"], ["supervisor", "supervisor", "admin"], ["wmNobody", "supervisor", "admin"],
    ]  # fmt: skip
    assert "请您来" in bell(admin)


def test_an_answer_ends_every_alarm_of_the_matter(stage: Stage) -> None:
    asked(stage)
    boss = staff("boss", Role.SUPERVISOR)
    pass_time(stage, 400)
    assert "请您来" in bell(boss)
    stage.take(stage.said("小助理", "洗完脸敷十五分钟", kind="staff"))
    stage.react()
    assert "现在没有叫您的事" in bell(boss)
    assert not DeskAlarm.objects.filter(cleared_ms=None).exists()


def test_ending_a_matter_by_hand_ends_its_alarms_at_once(stage: Stage) -> None:
    row = asked(stage)
    boss = staff("boss", Role.SUPERVISOR)
    pass_time(stage, 400)
    boss.post(reverse("settle-thread", args=[row.seq]))
    assert "现在没有叫您的事" in bell(boss)


def test_what_was_noticed_rings_no_more_and_still_stands_there(stage: Stage) -> None:
    asked(stage)
    boss = staff("boss", Role.SUPERVISOR)
    pass_time(stage, 400)
    assert "1 条新提醒" in bell(boss)
    page = boss.post(reverse("see-alarms")).content.decode()
    assert "0 条新提醒" in page
    assert "请您来" in page
    rev = page.split("rev=")[1].split('"')[0]
    assert boss.get(reverse("pulse"), {"rev": rev}).status_code == 204


def test_a_rule_that_only_measures_calls_nobody(stage: Stage) -> None:
    asked(stage, RULES.replace("mode: suggest", "mode: observe"))
    pass_time(stage, 700)
    assert Case.objects.filter(area="answers", verdict="escalate").count() == 2
    assert not DeskAlarm.objects.exists()


def test_a_quarrel_calls_the_group_managers_until_somebody_decides(stage: Stage) -> None:
    stage.publish(QUARREL)
    stage.say("甲", "你滚蛋啊")
    stage.say("乙", "你才滚蛋啊")
    stage.say("甲", "来啊")
    stage.react()
    manager = staff("guan", Role.MANAGER, (Group.objects.get().pk,))
    page = bell(manager)
    assert "争吵要人调解" in page
    case = Case.objects.get(rule_id="conduct.quarrel")
    assert reverse("case", args=[case.decision_id]) in page
    manager.post(reverse("approve-case", args=[case.decision_id]))
    assert "现在没有叫您的事" in bell(manager)


def test_a_robot_is_told_what_and_how_long_and_nothing_of_the_member(stage: Stage) -> None:
    channels.do_add_channel(
        actor=None, connector="wecom_robot", name="值班群机器人", mode="live", clock=stage.clock,
        settings={"name": "r1", "conv_id": "值班群", "key": "secret-key"},
    )  # fmt: skip
    asked(stage, RULES.replace("    duty: team", "    duty: team\n    notify: [值班群机器人, 没有的群]"))
    pass_time(stage, 310)
    pass_time(stage, 1)
    row = Delivery.objects.get()
    assert (row.connector, row.account, row.conv_id, row.state) == ("wecom_robot", "r1", "值班群", State.READY)
    for said in ("演练一群", "提问", "5 分", "/desk/"):
        assert said in row.command
    for kept in ("小红", "面膜"):
        assert kept not in row.command


def add_mail(stage: Stage) -> None:
    settings = {"host": "mail.example", "sender": "qunce@shop.example", "password": "secret-code"}
    channels.do_add_channel(
        actor=None, connector="mail", name="邮件", mode="live", clock=stage.clock, settings=settings
    )  # fmt: skip


def called(stage: Stage, names: str) -> Delivery:
    asked(stage, RULES.replace("    duty: team", f"    duty: team\n    notify: [{names}]"))
    pass_time(stage, 310)
    pass_time(stage, 1)
    return Delivery.objects.get()


@pytest.mark.parametrize(
    ("language", "subject"),
    [
        ("", "【应答提醒】「演练一群」有一条提问等了5 分钟还没有人回复（第 1 级）。"),
        ("en", "[Waiting] “演练一群”: no answer for 5 minutes"),
    ],
)
def test_a_colleague_named_by_login_gets_a_mail_that_leads_to_the_matter(stage: Stage, language: str, subject: str) -> None:
    add_mail(stage)
    Staff.objects.create_user("lili", role=Role.SUPERVISOR, email="lili@shop.example", language=language)
    row = called(stage, "lili")
    assert (row.connector, row.account, row.state) == ("mail", "qunce@shop.example", State.READY)
    assert row.conv_id == "lili@shop.example"
    command = plans.decode(row.command)
    assert isinstance(command, SendMessage)
    first, address = command.content.text.split("\n")
    assert first.startswith(subject)
    assert address.endswith(f"/desk/{DeskThread.objects.get().seq}")
    for kept in ("小红", "面膜"):
        assert kept not in row.command


@pytest.mark.parametrize(
    ("role", "email", "channel", "why"),
    [
        (Role.SUPERVISOR, "", True, "no_address"),
        (Role.SUPERVISOR, "lili@shop.example", False, "no_channel"),
        (Role.MANAGER, "lili@shop.example", True, "no_access"),
    ],
)
def test_a_mail_that_cannot_go_says_why(stage: Stage, role: Role, email: str, channel: bool, why: str) -> None:
    if channel:
        add_mail(stage)
    Staff.objects.create_user("lili", role=role, email=email)
    row = called(stage, "lili")
    assert (row.state, row.reason) == (State.SUPPRESSED, why)


@pytest.mark.parametrize(("connector", "mentions"), [("wecom_robot", ("tel:13800000000",)), ("feishu_robot", ())])
def test_a_robot_calls_by_phone_whom_the_step_names(stage: Stage, connector: str, mentions: tuple[str, ...]) -> None:
    secret = {"wecom_robot": "key", "feishu_robot": "hook"}[connector]
    channels.do_add_channel(
        actor=None, connector=connector, name="值班群机器人", mode="live", clock=stage.clock,
        settings={"name": "r1", "conv_id": "值班群", secret: "secret-key"},
    )  # fmt: skip
    Staff.objects.create_user("lili", role=Role.SUPERVISOR, mobile="13800000000")
    Staff.objects.create_user("away", role=Role.SUPERVISOR, mobile="13900000000", is_active=False)
    Staff.objects.create_user("other", role=Role.EXECUTOR, mobile="13700000000")
    command = plans.decode(called(stage, "值班群机器人").command)
    assert isinstance(command, SendMessage)
    assert command.content.mentions == mentions


def test_a_group_of_ours_that_no_channel_reaches_is_named_as_not_told(stage: Stage) -> None:
    stage.say("店长", "开会了", group="值班群")
    asked(stage, RULES.replace("    duty: team", "    duty: team\n    notify: [值班群]"))
    Channel.objects.update(enabled=False)
    pass_time(stage, 310)
    assert [(row.state, row.reason) for row in Delivery.objects.all()] == [(State.SUPPRESSED, "no_channel")]


def test_the_bell_costs_the_same_however_much_calls(stage: Stage, django_assert_num_queries: Callable[..., object]) -> None:
    asked(stage)
    boss = staff("boss", Role.SUPERVISOR)
    pass_time(stage, 400)
    bell(boss)
    for number in range(20):
        stage.say(f"人{number}", "请问多少钱？", group=f"群{number}")
    pass_time(stage, 400)
    with django_assert_num_queries(8):  # type: ignore[attr-defined]  # pytest-django's own context manager
        assert "99+" not in bell(boss)


def test_an_analyst_has_no_bell(stage: Stage) -> None:
    assert staff("ana", Role.ANALYST).get(reverse("pulse")).status_code == 403
