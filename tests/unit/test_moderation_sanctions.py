"""What is done and said: texts, quiet hours, allowlist, blocklist, a raid."""

from __future__ import annotations

import textwrap

import pytest

from qunce.domain.decisions import Action, Approved, Decision, Undone
from qunce.domain.ids import GroupId, IdentityId
from qunce.engine import core
from qunce.engine.happening import Happening, Other
from qunce.playbook.load import parse
from qunce.testing.builders import joined
from qunce.testing.scenario import START_MS, Runner, play

BOOK = """schema_version: 1
playbook:
  playbook_id: test
  title: 测试
  quiet_hours: "22:30-08:00"
  notice: "{name} 因「{rule}」在{group}被处理：{reason}"
  warning: "@{name} {reason}（第 {count} 次）"
exempt: {members: [老顾问]}
blocklist: [骗子]
ladders:
  - ladder_id: gentle
    title: 温和
    steps:
      - {do: talk, notice: "请和 {name} 聊聊"}
      - {do: warn, private: true}
      - {do: mute, for: 2h, notice: "{name} 禁言 {duration}"}
      - {do: remove}
rules:
  - rule_id: ads
    title: 广告
    category: ads
    mode: act
    ladder: gentle
    reason: 群里不发广告。
    when: [{check: pattern, any_of: ["代购"]}]
  - rule_id: blocked
    title: 黑名单
    category: people
    mode: act
    ladder: gentle
    reason: 不能入群。
    when: [{check: blocked}]
  - rule_id: raid
    title: 集中入群
    category: people
    mode: suggest
    reason: 请确认来源。
    when: [{check: raid, joins: 20, window: 1m}]
"""


def program() -> core.Program:
    return core.compile_rules(parse({"playbook.yaml": BOOK}))


def actions(runner: Runner) -> list[tuple[Action, ...]]:
    return [decision.actions for decision in runner.decisions if isinstance(decision, Decision)]


def test_each_step_does_and_says_its_own() -> None:
    scenario = """
        group 一群
        09:00 小红: 代购
          => talk ads
        10:00 小红: 代购
          => warn ads
        11:00 小红: 代购
          => mute ads for=2h
        14:00 小红: 代购
          => remove ads
    """
    talk, warn, mute, remove = actions(play(program(), textwrap.dedent(scenario)))
    assert talk == (Action(do="talk", text="请和 小红 聊聊", private=True),)
    assert warn == (Action(do="warn", text="@小红 群里不发广告。（第 2 次）", private=True),)
    assert mute == (Action(do="mute", duration_s=7_200), Action(do="notice", text="小红 禁言 2 小时"))
    assert remove == (Action(do="remove"), Action(do="notice", text="小红 因「广告」在一群被处理：群里不发广告。"))


def test_a_public_notice_waits_for_the_end_of_quiet_hours_and_the_mute_does_not() -> None:
    scenario = """
        20:00 小红: 代购
          => talk ads
        21:00 小红: 代购
          => warn ads
        23:00 小红: 代购
          => mute ads
    """
    mute, notice = actions(play(program(), textwrap.dedent(scenario)))[-1]
    assert mute.not_before_ms is None
    assert notice.not_before_ms == START_MS + 24 * 3_600_000  # 08:00 of the next day in UTC+8


def test_who_is_on_the_allowlist_is_not_bound_and_who_is_on_the_blocklist_is_found() -> None:
    scenario = """
        老顾问: 代购
        骗子 joins
          => talk blocked
    """
    play(program(), textwrap.dedent(scenario))


@pytest.mark.parametrize(
    ("others", "found"),
    [
        pytest.param({}, False, id="an account nobody linked is a stranger"),
        pytest.param({IdentityId(3): Other("骗子")}, True, id="another account of theirs is on the playbook's list"),
        pytest.param({IdentityId(7): Other("x")}, True, id="another account of theirs was banned"),
        pytest.param({IdentityId(8): Other("x")}, False, id="another account of theirs did nothing"),
    ],
)
def test_the_blocklist_covers_a_persons_other_accounts(others: dict[IdentityId, Other], found: bool) -> None:
    state = core.State()
    state.moderation.blocked[IdentityId(7)] = ["1:ads"]
    happening = Happening(9, joined("一群", "小号", at="09:00"), group=GroupId(1), subject=IdentityId(5), others=others)
    assert happening.member == min([5, *others])
    decisions = core.step(state, happening, program(), happening.event.ts_ms)
    assert [decision.rule_id for decision in decisions if isinstance(decision, Decision)] == ["blocked"] * found


def test_a_raid_of_a_thousand_is_found_and_remembered_within_bounds() -> None:
    runner = Runner(program())
    for number in range(1_000):
        runner.run(f"成员{number} joins")
        runner.now_ms += 60
    found = [decision for decision in runner.decisions if isinstance(decision, Decision)]
    assert len(found) == 1_000 - 19
    assert len(runner.state.moderation.groups[next(iter(runner.groups.values()))].joins) <= 1_000
    assert len(core.dump(runner.state)) < 400_000


def test_undo_of_an_unknown_decision_is_no_error() -> None:
    state = core.State()
    for word in (Undone, Approved):
        core.fold(state, word(decision_id="9:ads", group_id=GroupId(7)))
    assert core.load(core.dump(state)) == state
