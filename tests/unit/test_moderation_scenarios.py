"""Decisions in the notation operators think in."""

from __future__ import annotations

import textwrap

import pytest

from qunce.engine import core
from qunce.playbook.load import parse
from qunce.testing.scenario import Runner, play

HEAD = "schema_version: 1\nplaybook: {playbook_id: test, title: 测试}\n"
LADDER = """
ladders:
  - ladder_id: gentle
    title: 温和
    grace: 30s
    forget_after: 7d
    steps: [{do: warn}, {do: mute, for: 30m}, {do: remove}, {do: ban}]
"""


def program(rules: str) -> core.Program:
    body = textwrap.dedent(rules)
    ladder = LADDER if "ladder: gentle" in body else ""
    return core.compile_rules(parse({"playbook.yaml": HEAD, "rules.yaml": f"schema_version: 1\n{ladder}\n{body}"}))


TERMS = """
lexicons:
  - lexicon_id: ads
    title: 广告
    terms: [代购返现, 加*微信, 刷单兼职, 三黄片, 微商, vx]
    allow: [三黄片剂, 微商城]
rules:
  - rule_id: ads
    title: 广告词
    category: ads
    reason: 群里不发广告。
    mode: act
    ladder: gentle
    delete: true
    when: [{check: terms, lexicons: [ads]}]
"""

FLOOD = """
rules:
  - rule_id: flood
    title: 刷屏
    category: flood
    reason: 请慢一点发。
    mode: act
    ladder: gentle
    delete: true
    when: [{check: flood, messages: 4, window: 10s}]
"""

CASES: dict[str, tuple[str, str]] = {
    "a forbidden term inside a sentence is warned about": (
        TERMS,
        """
        09:00 小红: 大家好，今天天气真好
        09:01 小红: 有代购返现的吗
          => warn ads offence=1 delete=1
        """,
    ),
    "an allow word rescues the longer word and nothing else": (
        TERMS,
        """
        小红: 这家微商城不错
        小红: 三黄片剂怎么吃
        +1m
        小红: 三黄片哪里看
          => warn ads
        """,
    ),
    "Latin terms stand alone, not inside a word": (
        TERMS,
        """
        小红: 我在用 savx 这个软件
        +1m
        小红: 加vx聊
          => warn ads
        """,
    ),
    "a wildcard joins words a few characters apart, not farther": (
        TERMS,
        """
        小红: 加一下我的微信
          => warn ads
        +1m
        小红: 加班到现在，手机里的微信都没空看
        """,
    ),
    "offences climb the ladder and are forgotten after a time": (
        TERMS,
        """
        09:00 小红: 代购返现
          => warn ads offence=1
        09:10 小红: 代购返现
          => mute ads offence=2 for=30m
        09:50 小红: 代购返现
          => remove ads offence=3
        day 20
        09:00 小红: 代购返现
          => warn ads offence=1
        """,
    ),
    "what follows at once belongs to the same offence": (
        TERMS,
        """
        09:00:00 小红: 代购返现
          => warn ads offence=1
        09:00:05 小红: 代购返现
          => warn ads offence=0 covered delete=1
        """,
    ),
    "offences of one person do not count for another": (
        TERMS,
        """
        09:00 小红: 代购返现
          => warn ads offence=1
        09:05 小明: 代购返现
          => warn ads offence=1
        """,
    ),
    "the same person starts anew in another group": (
        TERMS,
        """
        group 一群
        09:00 小红: 代购返现
          => warn ads offence=1
        group 二群
        09:05 小红: 代购返现
          => warn ads offence=1
        """,
    ),
    "undo takes one offence back and leaves the others": (
        TERMS,
        """
        09:00 小红: 代购返现
          => warn ads offence=1
        09:10 小红: 刷单兼职
          => mute ads offence=2
        undo ads
        09:50 小红: 代购返现
          => mute ads offence=2
        """,
    ),
    "a flood is found at its n-th message and all of it is deleted": (
        FLOOD,
        """
        09:00:00 小红: 一
        09:00:01 小红: 二
        09:00:02 小红: 三
        09:00:03 小红: 四
          => warn flood delete=4
        """,
    ),
    "several people writing fast are no flood": (
        FLOOD,
        """
        09:00:00 小红: 一
        09:00:01 小明: 二
        09:00:02 小刚: 三
        09:00:03 小丽: 四
        """,
    ),
    "slow messages are no flood": (
        FLOOD,
        """
        09:00:00 小红: 一
        09:00:04 小红: 二
        09:00:08 小红: 三
        09:00:12 小红: 四
        """,
    ),
    "staff, bots and the group's owner are not bound by members' rules": (
        TERMS,
        """
        staff 小助理
        bot 播报
        owner 群主
        小助理: 代购返现
        播报: 代购返现
        群主: 代购返现
        """,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_scenario(name: str) -> None:
    rules, scenario = CASES[name]
    play(program(rules), textwrap.dedent(scenario))


def test_replay_from_a_checkpoint_gives_the_same_decisions() -> None:
    rules, scenario = CASES["offences climb the ladder and are forgotten after a time"]
    compiled = program(rules)
    whole = Runner(compiled)
    whole.run(scenario)
    for cut in range(len(whole.happenings)):
        state, decisions = core.State(), []
        for index, happening in enumerate(whole.happenings):
            if index == cut:
                state = core.load(core.dump(state))
            decisions += core.step(state, happening, compiled, happening.event.ts_ms)
        assert decisions == whole.decisions
        assert state == whole.state
