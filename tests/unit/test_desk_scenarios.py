"""The answer clock in the notation operators think in."""

from __future__ import annotations

import pytest

from qunce.engine import core
from qunce.playbook.load import parse
from qunce.testing.scenario import Runner, differences, play

HEAD = "schema_version: 1\nplaybook: {playbook_id: test, title: 测试}\n"
ALWAYS = """
answers:
  - rule_id: sla
    title: 三分钟应答
    first_within: 3m
    next_within: 5m
    sooner: [{need: complaint, within: 1m}]
    escalate: [{after: 5m, to: [supervisor]}, {after: 10m, to: [owner]}]
    brands: [客服]
    give_up_after: 1h
"""
DUTY = """
answers:
  - rule_id: sla
    title: 三分钟应答
    duty: day
    escalate: [{after: 5m, to: [supervisor]}]
duties:
  - duty_id: day
    title: 日班
    holidays: cn
    shifts:
      - {title: 早班, hours: "mon-fri 09:00-18:00", breaks: ["12:00-13:00"], staff: [小助理]}
      - {title: 晚班, hours: "mon-fri 19:00-21:00", staff: [小夜]}
holidays:
  - holidays_id: cn
    title: 节假日
    closed: [{first: 2026-01-07, last: 2026-01-08, title: 放假}]
    workdays: [{date: 2026-01-10, like: mon, title: 调休}]
"""


def program(rules: str) -> core.Program:
    return core.compile_rules(parse({"playbook.yaml": HEAD, "answers.yaml": f"schema_version: 1\n{rules}"}))


CASES: dict[str, tuple[str, str]] = {
    "a question starts a clock and an answer stops it": (
        ALWAYS,
        """
        staff 小助理
        09:00 小红: 这个面膜怎么用呀
          => awaits sla by=小红 need=question due=09:03 stage=first
        09:02 小助理 -> 1: 洗完脸敷十五分钟
          => answered sla by=小红 from=小助理 role=staff waited=2m why=reply
        """,
    ),
    "an answer from the console is its author's, whoever our account is there": (
        ALWAYS,
        """
        bot 群策
        09:00 小红: 这个面膜怎么用呀
          => awaits sla by=小红
        09:02 群策 -> 1: 洗完脸敷十五分钟
        09:02 小红 is answered by lili
          => answered sla by=小红 staff=lili role=staff waited=2m why=console
        """,
    ),
    "words of patience from the console start the next clock": (
        ALWAYS,
        """
        09:00 小红: 这个面膜怎么用呀
          => awaits sla by=小红
        09:01 小红 is answered by lili with patience
          => answered sla by=小红 staff=lili waited=1m holding
          => awaits sla by=小红 stage=next due=09:06 why=holding
        """,
    ),
    "an answer from the console to who does not wait changes nothing": (
        ALWAYS,
        """
        09:00 小红: 早上好
        09:01 小红 is answered by lili
        """,
    ),
    "any colleague stops the clock, not only the group's owner": (
        ALWAYS,
        """
        staff 小助理
        owner 群主
        staff 群主
        09:00 小红: 几点开始直播
          => awaits sla
        09:01 小助理: 八点
          => answered sla from=小助理 why=recency
        """,
    ),
    "a second message of the same member does not move the deadline": (
        ALWAYS,
        """
        staff 小助理
        09:00 小红: 什么时候开团
          => awaits sla due=09:03
        09:02 小红: 有人在吗
        09:02:30 小红: 怎么没人说话
        09:03:01 tick
          => late sla by=小红 at=09:03 waited=3m
        09:04 小助理 -> 1: 今晚八点
          => answered sla waited=4m late
        """,
    ),
    "a graver second message brings the deadline forward, never back": (
        ALWAYS,
        """
        09:00 小红: 什么时候开团
          => awaits sla need=question due=09:03
        09:01 小红: 再不说话我要投诉了
          => awaits sla need=complaint due=09:02
        09:01:50 小红: 投诉投诉
        09:02:01 tick
          => late sla at=09:02 waited=2m
        """,
    ),
    "chatter, thanks and talk between members start no timer": (
        ALWAYS,
        """
        staff 小助理
        小红: 哈哈哈哈笑死我了
        小红: 今天天气真好
        小红: 好的收到
        小红: 谢谢大家
        小红: 👍
        小红: 我在开车呢
        小红: 好几天没睡好
        小红: 是不是很好看
        小兰: @小红 你家宝宝多大了
        小兰 -> 1: 什么好笑的
        小红 -> 10: 没什么
        """,
    ),
    "thanks after the answer do not restart the clock, a new question starts the next one": (
        ALWAYS,
        """
        staff 小助理
        09:00 小红: 面膜怎么用
          => awaits sla stage=first due=09:03
        09:01 小助理 -> 1: 敷十五分钟
          => answered sla stage=first
        09:02 小红: 好的谢谢
        09:03 小红: 那要洗掉吗
          => awaits sla stage=next due=09:08
        09:05 小助理 -> 4: 不用洗
          => answered sla stage=next waited=2m
        """,
    ),
    "a question long after the answer opens a new matter": (
        ALWAYS,
        """
        staff 小助理
        09:00 小红: 面膜怎么用
          => awaits sla stage=first
        09:01 小助理 -> 1: 敷十五分钟
          => answered sla
        11:00 小红: 链接呢
          => awaits sla stage=first due=11:03
        """,
    ),
    "one member in two groups has two clocks": (
        ALWAYS,
        """
        staff 小助理
        group 一群
        09:00 小红: 什么时候发货
          => awaits sla need=order_trouble due=09:03
        group 二群
        09:01 小红: 什么时候发货
          => awaits sla need=order_trouble due=09:04
        09:02 小助理 -> 1: 今天
          => answered sla waited=1m
        09:03:30 tick
          => late sla by=小红 at=09:03
        """,
    ),
    "in a busy group a quote answers whom it quotes": (
        ALWAYS,
        """
        staff 小助理
        09:00:00 小红: 怎么报名
          => awaits sla by=小红
        09:00:10 小兰: 多少钱一盒
          => awaits sla by=小兰
        09:01:00 小助理 -> 1: 点链接报名
          => answered sla by=小红 why=reply
        09:02:30 小助理: 九十九
          => answered sla by=小兰 why=recency
        """,
    ),
    "a name in the answer says whom it is for": (
        ALWAYS,
        """
        staff 小助理
        09:00:00 小红: 怎么报名
          => awaits sla by=小红
        09:00:10 小兰: 多少钱一盒
          => awaits sla by=小兰
        09:01:00 小助理: @小红 点链接报名
          => answered sla by=小红 why=mention
        """,
    ),
    "an answer said to nobody is for who asked last": (
        ALWAYS,
        """
        staff 小助理
        09:00:00 小红: 怎么报名
          => awaits sla by=小红
        09:00:10 小兰: 多少钱一盒
          => awaits sla by=小兰
        09:01:00 小助理: 九十九
          => answered sla by=小兰 why=recency
        09:01:20 小助理: 两盒一百八
        09:02:40 小助理: 报名点链接
          => answered sla by=小红 why=recency
        """,
    ),
    "one answer for everybody stops every clock": (
        ALWAYS,
        """
        staff 小助理
        09:00 小红: 怎么报名
          => awaits sla by=小红
        09:01 小兰: 多少钱一盒
          => awaits sla by=小兰
        09:02 小助理: 大家的问题统一回复一下：九十九，点链接
          => answered sla by=小红 why=everybody
          => answered sla by=小兰 why=everybody
        """,
    ),
    "a notice, a greeting and a talk with somebody else are no answers": (
        ALWAYS,
        """
        staff 小助理
        staff 小李
        09:00 小红: 怎么报名
          => awaits sla by=小红
        09:00:30 小兰: 早上好
        09:01 小助理: 【公告】今晚八点直播
        09:01 小助理: 早上好
        09:01 小助理: @小李 你看一下
        09:01 小助理 -> 2: 今天挺早
        09:01 小助理: @所有人 记得签到
        """,
    ),
    "words of patience are a response, and the next one is due": (
        ALWAYS,
        """
        staff 小助理
        09:00 小红: 怎么还没发货
          => awaits sla need=order_trouble
        09:01 小助理 -> 1: 稍等，我帮您查一下
          => answered sla stage=first holding waited=1m
          => awaits sla stage=next due=09:06 why=holding
        09:04 小助理 -> 1: 今天晚上发
          => answered sla stage=next waited=3m
        """,
    ),
    "escalation goes step by step, and at last nobody answered": (
        ALWAYS,
        """
        09:00 小红: 怎么报名
          => awaits sla
        09:30 tick
          => late sla at=09:03
          => escalate sla at=09:05 level=1 waited=5m
          => escalate sla at=09:10 level=2 waited=10m
        10:03:01 tick
          => expired sla at=10:03 late
        11:00 tick
        """,
    ),
    "without a tick the next message tells the moments that passed": (
        ALWAYS,
        """
        staff 小助理
        09:00 小红: 怎么报名
          => awaits sla
        09:06 小助理 -> 1: 点链接
          => late sla at=09:03
          => escalate sla at=09:05
          => answered sla waited=6m late
        """,
    ),
    "an answer that reached us late is not a late answer": (
        ALWAYS,
        """
        staff 小助理
        09:00 小红: 怎么报名
          => awaits sla delay=0s
        delay 40s
        09:02 小助理 -> 1: 点链接
          => answered sla waited=2m delay=40s
        """,
    ),
    "bots and house personas neither ask nor answer": (
        ALWAYS,
        """
        bot 机器人
        persona 马甲
        机器人: 今天吃什么呢？
        马甲: 怎么报名呀
        小红: 怎么报名
          => awaits sla by=小红
        马甲 -> 3: 点链接
        机器人 -> 3: 点链接
        """,
    ),
    "an informed member's answer counts, shown apart": (
        ALWAYS,
        """
        小娟 is tagged KOC
        09:00 小红: 怎么报名
          => awaits sla
        09:01 小蓝 -> 1: 我也不知道
        09:02 小娟 -> 1: 点群公告里的链接
          => answered sla from=小娟 role=peer waited=2m
        """,
    ),
    "where the rule says so an informed answer is only noted": (
        ALWAYS.replace("brands:", "peers: note\n    peer_members: [小娟]\n    brands:"),
        """
        staff 小助理
        09:00 小红: 怎么报名
          => awaits sla
        09:01 小娟 -> 1: 点群公告里的链接
          => answered sla from=小娟 role=peer why=noted
        09:02 小助理 -> 1: 对，点链接
          => answered sla from=小助理 role=staff waited=2m
        """,
    ),
    "an informed member said to nobody answers nobody": (
        ALWAYS,
        """
        小娟 is tagged KOC
        09:00 小红: 怎么报名
          => awaits sla
        09:02 小娟: 今天的面膜真好用
        """,
    ),
    "the matter goes when it is settled, taken back, or who asked leaves": (
        ALWAYS,
        """
        小红: 怎么报名
          => awaits sla by=小红
        小红: 不用了，找到了
          => released sla by=小红 why=withdrawn
        小兰: 多少钱
          => awaits sla by=小兰
        小兰 retracts 3
          => released sla by=小兰 why=retracted
        小梅: 几点开始
          => awaits sla by=小梅
        小梅 leaves
          => released sla by=小梅 why=left
        """,
    ),
    "thanks end the matter only after somebody spoke to them": (
        ALWAYS,
        """
        小红: 怎么报名
          => awaits sla
        小红: 谢谢大家
        小兰 -> 1: 点公告里的链接
        小红: 😂😂
        小红: 谢谢
          => released sla why=helped
        """,
    ),
    "calling us by name needs an answer, quoting us does not": (
        ALWAYS,
        """
        staff 小助理
        小助理: 今晚有直播
        小红: @客服 出来一下
          => awaits sla need=mention
        小兰 -> 1: 期待期待呀
        小梅: @小助理 谢谢
        """,
    ),
    "the first words of a newcomer are to be greeted": (
        ALWAYS,
        """
        小红 joins
        小红: 大家好，我是新来的
          => awaits sla need=first_post
        小红: 请多关照
        小兰: 欢迎欢迎
        """,
    ),
    "a welcome greets everybody who is new, and another line does not": (
        ALWAYS,
        """
        staff 小助理
        09:00 小红 joins
        09:00 小兰 joins
        09:01 小红: 大家好，我是新来的
          => awaits sla by=小红
        09:01 小兰: 新人报到
          => awaits sla by=小兰
        09:02 小助理: 今晚八点直播
        09:02:30 小助理: 欢迎两位新朋友
          => answered sla by=小红 why=welcome
          => answered sla by=小兰 why=welcome
        """,
    ),
    "first words long after joining are no introduction": (
        ALWAYS,
        """
        小红 joins
        day 20
        09:00 小红: 今天天气真好
        """,
    ),
    "a line said to nobody long after the question is no answer to it": (
        ALWAYS,
        """
        staff 小助理
        09:00 小红: 怎么报名
          => awaits sla
        09:20 小助理: 今晚八点直播
          => late sla
          => escalate sla
          => escalate sla
        09:21 小助理 -> 1: 点公告里的链接
          => answered sla waited=21m late
        """,
    ),
    "outside duty the clock waits for the next shift": (
        DUTY,
        """
        staff 小助理
        08:00 小红: 怎么报名
          => awaits sla due=09:03 duty=
        09:01 小助理 -> 1: 点链接
          => answered sla waited=1m clock=61m duty=小助理
        """,
    ),
    "breaks stop the clock": (
        DUTY,
        """
        staff 小助理
        11:58 小红: 怎么报名
          => awaits sla due=13:01 duty=小助理
        13:00:30 小助理 -> 1: 点链接
          => answered sla waited=150s clock=3750s
        """,
    ),
    "holidays and weekends do not count, days worked in their place do": (
        DUTY,
        """
        staff 小助理
        day 2
        20:59 小红: 怎么报名
          => awaits sla due=d5/09:02 duty=小夜
        day 5
        09:01 小助理 -> 1: 点链接
          => answered sla waited=2m
        20:58 小兰: 多少钱
          => awaits sla due=d6/09:01
        """,
    ),
    "escalation too counts duty time only": (
        DUTY,
        """
        17:58 小红: 怎么报名
          => awaits sla due=19:01
        19:04 tick
          => late sla at=19:01 duty=小夜
          => escalate sla at=19:03
        """,
    ),
    "people on the roster are colleagues without being flagged": (
        DUTY,
        """
        09:00 小助理: 早上问一下，大家到货了吗
        09:01 小红: 没收到货
          => awaits sla need=order_trouble
        09:02 小助理 -> 2: 单号发我
          => answered sla from=小助理
        """,
    ),
}


@pytest.mark.parametrize(("rules", "scenario"), CASES.values(), ids=CASES.keys())
def test_desk(rules: str, scenario: str) -> None:
    play(program(rules), scenario)


def test_a_failure_in_between_loses_no_measurement() -> None:
    first = Runner(program(ALWAYS))
    begun = first.run("staff 小助理\n09:00 小红: 怎么报名\n => awaits sla\n")
    first.state = core.load(core.dump(first.state))
    first.program = program(ALWAYS)
    ended = first.run("09:04 小助理 -> 1: 点链接\n => late sla at=09:03\n => answered sla waited=4m late\n")
    assert differences([*begun, *ended], first) == []
