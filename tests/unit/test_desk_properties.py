"""What holds of the answer clock whatever happens in a group."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qunce.domain.desk import DeskDecision
from qunce.domain.events import Event
from qunce.engine import core
from qunce.engine.desk import needs
from qunce.engine.desk.needs import asked, is_holding, tone
from qunce.engine.happening import Happening
from qunce.engine.text.views import Views
from qunce.playbook.load import parse
from qunce.testing.builders import deleted, joined, moment, said
from qunce.testing.happenings import happenings

PLAYBOOK = """schema_version: 1
playbook: {playbook_id: test, title: 测试}
answers:
  - rule_id: sla
    title: 应答
    duty: day
    sooner: [{need: complaint, within: 1m}]
    escalate: [{after: 5m, to: [supervisor]}]
    give_up_after: 2h
duties:
  - {duty_id: day, title: 日班, shifts: [{title: 早, hours: "09:00-18:00", breaks: ["12:00-13:00"]}]}
"""
PROGRAM = core.compile_rules(parse({"playbook.yaml": PLAYBOOK}))
TEXTS = (
    "怎么报名", "什么时候发货", "你们太差了，我要投诉", "谢谢", "好的收到", "哈哈哈", "不用了，解决了", "@客服 在吗",
    "今天天气真好", "稍等，我查一下", "今天下午发", "大家的问题统一回复一下：明天", "欢迎新朋友", "？？？",
)  # fmt: skip
STEPS = st.lists(
    st.tuples(
        st.integers(0, 40), st.sampled_from(["小红", "小兰", "小梅", "小助理", "马甲"]), st.sampled_from(TEXTS),
        st.integers(0, 3), st.sampled_from(["一群", "二群"]), st.sampled_from(["say", "reply", "join", "retract"]),
    ),
    max_size=40,
)  # fmt: skip
KINDS = {"小助理": "staff", "马甲": "house_persona"}


def story(steps: list[tuple[int, str, str, int, str, str]]) -> list[Event]:
    """Return events of a group's day: each step some minutes after the one before."""
    events: list[Event] = []
    minute = 8 * 60 + 30
    for number, (wait, who, text, back, group, what) in enumerate(steps):
        minute = min(minute + wait, 23 * 60 + 59)
        at = f"{minute // 60:02}:{minute % 60:02}:{number:02}"
        kind = KINDS.get(who, "member")
        messages = [event for event in events if event.type == "message.created" and event.conv and event.conv.name == group]
        target = messages[-1 - back % len(messages)] if messages else None
        if what == "join":
            events.append(joined(group, who, at=at, kind=kind))  # type: ignore[arg-type]  # kinds of parties
        elif what == "retract" and target is not None:
            events.append(deleted(target, at=at))
        else:
            reply_to = target if what == "reply" else None
            events.append(said(group, who, text, at=at, kind=kind, id=str(number), reply_to=reply_to))  # type: ignore[arg-type]
    return events


def play(items: list[Happening], state: core.State | None = None) -> tuple[list[DeskDecision], core.State]:
    state = state or core.State()
    decisions: list[core.AnyDecision] = []
    for item in items:
        decisions += core.step(state, item, PROGRAM, item.event.ts_ms)
    decisions += core.tick(state, PROGRAM, moment("12:00", 3))
    return [decision for decision in decisions if isinstance(decision, DeskDecision)], state


@given(STEPS)
@settings(max_examples=60, deadline=None)
def test_deciding_again_gives_the_same(steps: list[tuple[int, str, str, int, str, str]]) -> None:
    events = story(steps)
    assert play(list(happenings(events))) == play(list(happenings(events)))


@given(STEPS, st.integers(0, 40))
@settings(max_examples=40, deadline=None)
def test_a_checkpoint_in_between_changes_nothing(steps: list[tuple[int, str, str, int, str, str]], cut: int) -> None:
    items = list(happenings(story(steps)))
    whole, state = play(items)
    first = core.State()
    head = [decision for item in items[:cut] for decision in core.step(first, item, PROGRAM, item.event.ts_ms)]
    tail, resumed = play(items[cut:], core.load(core.dump(first)))
    assert [*head, *tail] == whole
    assert resumed == state


@given(STEPS, st.lists(st.integers(0, 900), max_size=8))
@settings(max_examples=40, deadline=None)
def test_looking_at_the_clock_more_often_tells_the_same(
    steps: list[tuple[int, str, str, int, str, str]], looks: list[int]
) -> None:
    items = list(happenings(story(steps)))
    whole, _ = play(items)
    state = core.State()
    told: list[core.AnyDecision] = []
    moments = sorted(moment("08:00") + minute * 60_000 for minute in looks)
    for item in items:
        while moments and moments[0] <= item.event.ts_ms:
            told += core.tick(state, PROGRAM, moments.pop(0))
        told += core.step(state, item, PROGRAM, item.event.ts_ms)
    told += core.tick(state, PROGRAM, moment("12:00", 3))

    def essence(decisions: list[core.AnyDecision] | list[DeskDecision]) -> list[tuple[object, ...]]:
        return sorted((d.decision_id, d.ts_ms, d.verdict) for d in decisions)

    assert essence(told) == essence(whole)


@given(STEPS)
@settings(max_examples=60, deadline=None)
def test_a_deadline_never_moves_back_and_lateness_is_told_once(steps: list[tuple[int, str, str, int, str, str]]) -> None:
    decisions, state = play(list(happenings(story(steps))))
    due: dict[tuple[int, int], int] = {}
    late: set[tuple[int, int]] = set()
    open_since: dict[int, int] = {}
    for decision in decisions:
        if decision.verdict == "awaits":
            if decision.thread not in open_since:
                open_since[decision.thread] = decision.event
                due.pop((decision.thread, decision.event), None)
            clock = decision.thread, open_since[decision.thread]
            assert decision.due_ms <= due.get(clock, decision.due_ms)
            due[clock] = decision.due_ms
            continue
        clock = decision.thread, open_since[decision.thread]
        if decision.verdict == "late":
            assert clock not in late
            assert decision.ts_ms == decision.due_ms
            late.add(clock)
        elif decision.verdict in ("answered", "released"):
            assert decision.late == (clock in late)
            assert 0 <= decision.waited_s <= decision.clock_s
        if decision.verdict in ("answered", "released", "expired"):
            del open_since[decision.thread]
    assert not open_since, "three days later nobody waits any more"
    assert all(not thread.waits for group in state.desk.groups.values() for thread in group.threads.values())


@given(STEPS)
@settings(max_examples=30, deadline=None)
def test_groups_do_not_touch_each_other(steps: list[tuple[int, str, str, int, str, str]]) -> None:
    items = list(happenings(story(steps)))
    whole, _ = play(items)
    for group in {item.group for item in items}:
        alone, _ = play([item for item in items if item.group == group])
        assert [decision for decision in whole if decision.group_id == group] == alone


@pytest.mark.parametrize(
    ("pattern", "hint"),
    [
        (needs._COMPLAINT, needs._COMPLAINT_HINT),
        (needs._ORDER, needs._ORDER_HINT),
        (needs._ASKS, needs._QUESTION_HINT),
        (needs._SHORT_TAG, needs._QUESTION_HINT),
    ],
    ids=["complaints", "trouble with orders", "questions", "short questions"],
)
def test_the_quick_look_misses_nothing(pattern: re.Pattern[str], hint: re.Pattern[str]) -> None:
    @given(st.from_regex(pattern))
    @settings(max_examples=200, deadline=None)
    def holds(text: str) -> None:
        assert hint.search(text)

    holds()


@given(st.text(max_size=20) | st.sampled_from(["怎麼", "請問", "WHERE", "？", "﹖", "𝐰𝐡𝐞𝐫𝐞", "⑴"]))
@settings(max_examples=500, deadline=None)
def test_the_quick_look_at_unfolded_text_misses_nothing(text: str) -> None:
    folded = Views(text).folded
    if any(hint.search(folded) for hint in (needs._COMPLAINT_HINT, needs._ORDER_HINT, needs._QUESTION_HINT)):
        assert needs._ANY_HINT.search(text)


@given(st.text(max_size=3_000))
@settings(max_examples=200, deadline=None)
def test_any_text_is_judged(text: str) -> None:
    views = Views(text)
    found = asked(views)
    if found is not None:
        start, end = views.written("folded", found.start, found.end)
        assert 0 <= start < end <= len(views.text)
    assert tone(views) in ("closing", "withdrawn", "other")
    assert is_holding(views) in (True, False)


SOUGHT = {"complaint": needs._COMPLAINT, "order": needs._ORDER, "question": needs._ASKS}
PIECES = {
    name: sorted({piece for run in re.findall(r"[\w \'?]+", sought.pattern.partition(")")[2]) for piece in (run, run[0])})
    for name, sought in SOUGHT.items()
}
"""The words in each pattern, with the first character of each, which may be one of a choice."""


@pytest.mark.parametrize("name", SOUGHT)
@settings(max_examples=1_500, deadline=None)
@given(data=st.data())
def test_words_are_found_wherever_they_begin(name: str, data: st.DataObject) -> None:
    sought = SOUGHT[name]
    everywhere = re.compile(sought.pattern.partition(")")[2])
    text = "".join(data.draw(st.lists(st.sampled_from(PIECES[name]), min_size=1, max_size=5)))
    found, expected = sought.search(text), everywhere.search(text)
    assert (found and found.span()) == (expected and expected.span())
