"""The two invariants on golden journals, and that parts walked apart give what one walk gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import pytest

from qunce.domain.events import Event
from qunce.domain.ids import GroupId, IdentityId
from qunce.engine import core
from qunce.engine.happening import Happening
from qunce.playbook import gallery
from qunce.playbook.load import parse
from qunce.runtime.replay.parts import Part, Results, Task, in_this_process, share_out, walk_all
from qunce.runtime.replay.walk import Span, Walk
from qunce.testing.builders import chat, flagged, joined, left, linked, moment, placed, said
from qunce.testing.happenings import happenings
from qunce.testing.simulator import simulate

END_MS = 1_773_000_000_000
ANSWERS = """schema_version: 1
answers:
  - rule_id: sla
    title: 三分钟应答
    duty: day
    mode: suggest
    escalate: [{after: 10m, to: [supervisor]}]
duties:
  - {duty_id: day, title: 日班, shifts: [{title: 日班, hours: "09:00-22:00", breaks: ["12:00-13:00"]}]}
"""
BANS = """schema_version: 1
playbook: {playbook_id: bans, title: 封禁}
ladders:
  - {ladder_id: once, title: 一次, grace: 1s, steps: [{do: ban}]}
lexicons:
  - {lexicon_id: ads, title: 广告, terms: [加微信, 日结, 领红包, 砍一刀, 代购返现]}
  - {lexicon_id: poison, title: 连坐, terms: [帮他说话]}
rules:
  - {rule_id: ads, title: 广告, category: ads, reason: 广告, mode: act, ladder: once, when: [{check: terms, lexicons: [ads]}]}
  - rule_id: poison
    title: 连坐
    category: ads
    reason: 连坐
    mode: act
    ladder: once
    when: [{check: terms, lexicons: [poison]}, {check: blocked}]
  - {rule_id: back, title: 回来, category: ads, reason: 黑名单, mode: suggest, when: [{check: blocked}]}
  - rule_id: name
    title: 仿冒
    category: ads
    reason: 仿冒
    mode: suggest
    when: [{check: name, lexicons: [], like_staff: true}]
"""


@cache
def journal(seed: int) -> tuple[Event, ...]:
    return tuple(simulate(groups=5, members=120, days=6, seed=seed, end_ms=END_MS, activity=1.0))


@cache
def files(name: str) -> dict[str, str]:
    if name == "bans":
        return {"bans.yaml": BANS, "answers.yaml": ANSWERS}
    return {**gallery.texts(name), "answers.yaml": ANSWERS}


@cache
def program(name: str) -> core.Program:
    return core.compile_rules(parse(files(name)))


def decide_all(state: core.State, items: Sequence[Happening], rules: core.Program) -> list[core.AnyDecision]:
    return [decision for item in items for decision in core.step(state, item, rules, item.event.ts_ms)]


@pytest.mark.parametrize("seed", [1, 7])
@pytest.mark.parametrize("name", ["muying", "bans"])
def test_state_from_a_checkpoint_and_the_tail_is_the_state_of_the_whole(name: str, seed: int) -> None:
    items = list(happenings(journal(seed)))
    whole = core.State()
    decisions = decide_all(whole, items, program(name))
    for cut in (0, len(items) // 3, len(items) - 1):
        state = core.State()
        head = decide_all(state, items[:cut], program(name))
        state = core.load(core.dump(state))
        assert [*head, *decide_all(state, items[cut:], program(name))] == decisions
        assert state == whole


@pytest.mark.parametrize("seed", [1, 7])
@pytest.mark.parametrize("name", ["muying", "bans"])
def test_deciding_again_gives_the_same_decisions(name: str, seed: int) -> None:
    first = decide_all(core.State(), list(happenings(journal(seed))), program(name))
    again = decide_all(core.State(), list(happenings(journal(seed))), core.compile_rules(parse(files(name))))
    assert first == again
    assert len({decision.decision_id for decision in first}) == len(first)
    assert {type(decision).__name__ for decision in first} == {"Decision", "DeskDecision"}


@pytest.mark.parametrize("name", ["muying", "bans"])
def test_signs_leave_out_no_rule_that_would_find_something(name: str) -> None:
    state = core.State()
    for item in happenings(journal(7)):
        quick = core.decide(state, item, program(name), item.event.ts_ms)
        asked_all = core.decide(state, item, program(name), item.event.ts_ms, ask_pass=True)
        assert quick == tuple(decision for decision in asked_all if decision.verdict != "pass")
        core.step(state, item, program(name), item.event.ts_ms)


def test_folding_stored_decisions_gives_the_same_state() -> None:
    items = list(happenings(journal(1)))
    decided, folded = core.State(), core.State()
    for item in items:
        decisions = core.step(decided, item, program("muying"), item.event.ts_ms)
        core.fold(folded, item)
        for decision in decisions:
            core.fold(folded, decision)
    assert folded == decided


def walker(events: Sequence[Event], rules: str, against: str | None) -> Callable[[Task, Part], Results]:
    def walk_part(task: Task, part: Part) -> Results:
        walk = Walk(
            program(rules), program(against) if against else None, task.span, wanted=part.groups.__contains__,
            foreign=part.foreign, foreign_against=part.foreign_against,
        )  # fmt: skip
        walk.take(happenings(events))
        return walk.finish()

    return walk_part


def walked(events: Sequence[Event], parts: int, rules: str, against: str | None = None, since_ms: int | None = None) -> Results:
    items = list(happenings(events))
    sizes: dict[GroupId, int] = {}
    present: dict[GroupId, set[IdentityId]] = {}
    for item in items:
        if item.group is not None:
            sizes[item.group] = sizes.get(item.group, 0) + 1
            there = (item.actor, item.subject, *item.others)
            present.setdefault(item.group, set()).update(who for who in there if who is not None)
    task = Task(
        files=files(rules), version="1", against_files=None, against_version="", head=len(items),
        span=Span(since_ms=since_ms, until_ms=max(event.ts_ms for event in events) + 1),
    )  # fmt: skip
    return walk_all(
        task, share_out(sizes, parts), in_this_process(walker(events, rules, against)),
        lambda people: frozenset(group for group, there in present.items() if not there.isdisjoint(set(people))),
    )  # fmt: skip


def spread_of_bans() -> list[Event]:
    """Somebody is banned in one group and goes on in others; there they take somebody else with them, who goes on in turn."""
    return [
        joined("三群", "小明", at="08:00"),
        *chat("一群", "09:00 小明: 加微信 日结"),
        *chat("二群", "09:05 小明: 帮他说话"),
        *chat("三群", "09:06 小明: 大家好"),
        *chat("四群", "09:07 小兰: 大家好"),
        *chat("二群", "09:10 小兰: 领红包"),
        *chat("四群", "09:20 小兰: 帮他说话\n09:21 小明: 我又来了"),
        *chat("五群", "09:30 小梅: 怎么报名"),
    ]


def staff_told_elsewhere() -> list[Event]:
    """Who is staff is told in one group, and counts in another."""
    return [
        said("一群", "小助理", "今晚直播", at="09:00", kind="staff"),
        said("二群", "小红", "怎么报名", at="09:01"),
        said("二群", "小助理", "点公告里的链接", at="09:02", kind="unknown"),
        joined("二群", "小助理", at="09:10", kind="unknown"),
        flagged("小红", "staff", at="09:11"),
        said("一群", "小兰", "几点开始", at="09:12"),
        said("一群", "小红", "八点", at="09:13", kind="unknown"),
    ]


def sister_groups() -> list[Event]:
    """Somebody is in one group of a community, was removed from another, and joins a third."""
    return [
        *(placed(group, "宝妈", at="08:00") for group in ("一群", "二群", "三群", "四群")),
        joined("一群", "小明", at="09:00"),
        joined("二群", "小明", at="09:01"),
        left("二群", "小明", at="09:02", kicked_by="群主"),
        *chat("四群", "09:03 小兰: 大家好"),
        joined("三群", "小明", at="09:10"),
        joined("三群", "小兰", at="09:11"),
        joined("三群", "小梅", at="09:12"),
    ]


def two_accounts() -> list[Event]:
    """Somebody is banned by one account and comes back by another, also next door."""
    return [
        *(placed(group, "宝妈", at="08:00") for group in ("一群", "二群", "三群", "四群")),
        *chat("一群", "09:00 小明: 加微信 日结"),
        joined("二群", "小明的手机", at="09:10"),
        joined("三群", "小明的手机", at="09:11"),
        joined("四群", "小兰", at="09:12"),
        linked("小明", "小明的手机", at="10:00"),
    ]


STORIES: dict[str, Callable[[], Sequence[Event]]] = {
    "bans reach across groups": spread_of_bans,
    "staff is told elsewhere": staff_told_elsewhere,
    "sister groups are decided on by other parts": sister_groups,
    "two accounts of one person": two_accounts,
    "a simulated community": lambda: journal(1),
    "another simulated community": lambda: journal(7),
}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES.keys())
@pytest.mark.parametrize("parts", [2, 3])
def test_parts_give_what_one_walk_gives(story: Callable[[], Sequence[Event]], parts: int) -> None:
    events = story()
    assert walked(events, parts, "bans", "muying") == walked(events, 1, "bans", "muying")


def test_a_ban_in_one_group_is_seen_in_the_others() -> None:
    found = walked(spread_of_bans(), 3, "bans")
    rules = {group: {key.rule_id for key in result.tally.counts} for group, result in found.items()}
    # Groups are numbered in order of appearance: 三群, 一群, 二群, 四群, 五群.
    assert rules[GroupId(1)] == {"back"}
    assert rules[GroupId(2)] == {"ads"}
    assert rules[GroupId(3)] >= {"ads", "back", "poison"}
    assert rules[GroupId(4)] >= {"back", "poison"}
    assert rules[GroupId(5)] == {"sla"}


def test_who_is_in_a_sister_group_is_seen_by_the_part_that_does_not_decide_on_it() -> None:
    found = walked(sister_groups(), 4, "muying")
    counts = [
        count for result in found.values() for key, count in result.tally.counts.items() if key.rule_id == "people.sister"
    ]
    # 小明 joining 二群 while in 一群; 小明 and 小兰 joining 三群; 小梅 is new everywhere.
    assert sorted(count.decisions for count in counts) == [1, 2]


def test_a_ban_and_a_sister_group_are_seen_by_the_other_account_of_a_person() -> None:
    found = walked(two_accounts(), 4, "bans", "muying")
    blocked = {group for group, result in found.items() for key in result.tally.counts if key.rule_id == "back"}
    assert blocked == {GroupId(2), GroupId(3)}
    sisters = {
        group for group, result in found.items() if result.against for key in result.against.counts
        if key.rule_id == "people.sister"
    }  # fmt: skip
    assert sisters == {GroupId(2), GroupId(3)}
    apart = walked(two_accounts()[:-1], 4, "bans", "muying")
    assert not any(key.rule_id == "back" for result in apart.values() for key in result.tally.counts)


def test_the_difference_of_a_playbook_with_itself_is_nothing() -> None:
    for result in walked(journal(1), 1, "muying", "muying").values():
        assert result.difference is not None
        assert (result.difference.added, result.difference.removed) == ({}, {})
        assert result.tally == result.against


def test_the_difference_names_what_only_one_decides() -> None:
    (result,) = walked(chat("一群", "09:00 小明: 加微信 日结\n09:01 小红: 怎么报名"), 1, "bans", "muying").values()
    assert result.difference is not None
    added = {(key.rule_id, key.verdict): count.samples[0].seq for key, count in result.difference.added.items()}
    assert added == {("ads", "ban"): 1}
    assert "ads" not in {key.rule_id for key in result.difference.removed}
    assert result.difference.same >= 1


def test_only_the_wanted_stretch_is_reported_and_all_of_it_is_decided() -> None:
    events = [*chat("一群", "09:00 小明: 加微信 日结"), *chat("一群", "09:00 小明: 大家好", day=2)]
    (result,) = walked(events, 1, "bans", since_ms=moment("00:00", 1)).values()
    assert [key.rule_id for key in result.tally.counts] == ["back"]
