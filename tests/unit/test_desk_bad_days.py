"""The answer clock when platforms, clocks and members misbehave."""

from __future__ import annotations

from functools import cache

import pytest

from qunce.domain.desk import DeskDecision
from qunce.domain.events import Event, MemberUpdated, MessageCreated
from qunce.domain.ids import GroupId, IdentityId
from qunce.engine import core
from qunce.engine.desk.fold import MAX_NEWCOMERS
from qunce.engine.desk.state import MAX_AUTHORS, MAX_SPEAKERS
from qunce.engine.happening import Happening
from qunce.playbook.load import parse
from qunce.testing.builders import flagged, happened, joined, moment, person, said
from qunce.testing.happenings import happenings

HEAD = "schema_version: 1\nplaybook: {playbook_id: test, title: 测试}\n"
RULE = "answers: [{rule_id: sla, title: 应答, give_up_after: 1h, staff_roles: [owner]}]\n"


@cache
def program(rule: str = RULE) -> core.Program:
    return core.compile_rules(parse({"playbook.yaml": HEAD + rule}))


def play(events: list[Event], state: core.State | None = None, now_ms: int | None = None) -> list[DeskDecision]:
    state = state or core.State()
    decisions: list[core.AnyDecision] = []
    for item in happenings([flagged("小助理", "staff", at="00:00"), *events]):
        decisions += core.step(state, item, program(), item.event.ts_ms if now_ms is None else now_ms)
    return [decision for decision in decisions if isinstance(decision, DeskDecision)]


def told(decisions: list[DeskDecision]) -> list[tuple[str, int, bool]]:
    return [(decision.verdict, decision.waited_s, decision.late) for decision in decisions]


def test_an_answer_that_arrives_before_its_question_stops_the_clock_at_its_own_time() -> None:
    answer = said("群", "小助理", "点链接", at="09:02", kind="staff", reply_to="q")
    assert told(play([answer, said("群", "小红", "怎么报名", at="09:00", id="q")])) == [
        ("awaits", 0, False),
        ("answered", 120, False),
    ]
    late = said("群", "小助理", "点链接", at="09:09", kind="staff", reply_to="q")
    assert told(play([late, said("群", "小红", "怎么报名", at="09:00", id="q")])) == [
        ("awaits", 0, False),
        ("answered", 540, True),
    ]


def test_an_answer_given_in_time_that_arrives_after_the_deadline_is_in_time() -> None:
    question, answer = said("群", "小红", "怎么报名", at="09:00"), said("群", "小助理", "点链接", at="09:02", kind="staff")
    found = play([question, answer, said("群", "小兰", "哈哈", at="09:10")], now_ms=moment("09:30"))
    assert told(found) == [("awaits", 0, False), ("answered", 120, False)]


def test_a_clock_that_runs_ahead_lets_no_deadline_pass() -> None:
    events = [said("群", "小红", "怎么报名", at="09:00"), said("群", "小兰", "哈哈", at="09:00", day=900)]
    assert told(play(events, now_ms=moment("09:01"))) == [("awaits", 0, False)]


def test_a_clock_set_back_waits_no_negative_time() -> None:
    question = said("群", "小红", "怎么报名", at="09:00")
    answer = said("群", "小助理", "点链接", at="08:30", kind="staff", reply_to=question)
    assert told(play([question, answer])) == [("awaits", 0, False), ("answered", 0, False)]


def test_a_question_is_found_after_hundreds_of_other_messages() -> None:
    question = said("群", "小红", "怎么报名", at="09:00")
    chatter = [said("群", f"人{n}", "哈哈哈", at="09:01", id=str(n)) for n in range(500)]
    quoted = said("群", "小助理", "点链接", at="09:02", kind="staff", reply_to=question)
    named = said("群", "小助理", "@小红 点链接", at="09:02", kind="staff", mentions=("小红",))
    for answer in (quoted, named):
        assert told(play([question, *chatter, answer])) == [("awaits", 0, False), ("answered", 120, False)]


def test_what_is_remembered_of_a_group_is_bounded() -> None:
    state = core.State()
    raid = [joined("群", f"人{n}", at="09:00") for n in range(1_500)]
    play([*raid, *(said("群", f"人{n}", "哈哈哈", at="09:01", id=str(n)) for n in range(1_500))], state)
    (group,) = state.desk.groups.values()
    assert len(group.newcomers) <= MAX_NEWCOMERS
    assert len(group.authors) <= MAX_AUTHORS
    assert len(group.speakers) - 2 * len(group.threads) <= MAX_SPEAKERS


@pytest.mark.parametrize("text", ["怎么" * 300_000, "?" * 900_000, "谢" * 900_000, "@" * 900_000, "没收到" + "好" * 900_000])
def test_a_message_of_a_megabyte_is_judged_by_its_beginning(text: str) -> None:
    assert len(play([said("群", "小红", text, at="09:00", id="1")])) <= 1


def test_a_message_without_an_id_can_be_answered() -> None:
    (item,) = happenings([said("群", "小红", "怎么报名", at="09:00")])
    body = MessageCreated(message_id=None, text="怎么报名")
    asked = Event(
        ts_ms=item.event.ts_ms,
        source=item.event.source,
        body=body,
        dedupe_key="x",
        conv=item.event.conv,
        actor=item.event.actor,
    )
    state = core.State()
    happening = Happening(1, asked, group=GroupId(1), actor=IdentityId(1))
    assert [decision.verdict for decision in core.step(state, happening, program(), asked.ts_ms)] == ["awaits"]


def test_a_rule_that_is_gone_leaves_no_decisions_and_a_changed_one_goes_on() -> None:
    state = core.State()
    play([said("群", "小红", "怎么报名", at="09:00")], state)
    gone = program("answers: [{rule_id: other, title: 别的, groups: [别的群]}]\n")
    assert core.tick(state, gone, moment("12:00")) == ()
    stricter = program("answers: [{rule_id: sla, title: 应答, give_up_after: 1h, escalate: [{after: 1m, to: [supervisor]}]}]\n")
    assert [(d.verdict, d.ts_ms) for d in core.tick(state, stricter, moment("12:00"))] == [
        ("escalate", moment("09:01")), ("late", moment("09:03")), ("expired", moment("10:03")),
    ]  # fmt: skip


def test_the_owner_answers_for_us_where_the_rule_says_so() -> None:
    owner = happened(
        MemberUpdated(field="role", new="owner"), "role", "群主", at="08:00", group="群", subject=person("群主", "unknown")
    )
    answer = said("群", "群主", "点链接", at="09:01", kind="unknown")
    assert told(play([owner, said("群", "小红", "怎么报名", at="09:00"), answer])) == [
        ("awaits", 0, False),
        ("answered", 60, False),
    ]
