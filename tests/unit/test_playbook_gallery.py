"""What each playbook of the gallery finds, as it is shipped, in lines that members and colleagues write."""

from __future__ import annotations

from functools import cache

import pytest

from qunce.domain.decisions import Decision
from qunce.engine import core
from qunce.playbook import gallery
from qunce.testing.scenario import Runner

FOUND: dict[str, tuple[str, str]] = {
    "an advertisement": ("小红: 一件代发，诚招代理，有需要加我", "ads.advert"),
    "a bargain link in words": ("小红: 姐妹们帮我砍一刀，还差一个人", "ads.bargain"),
    "a bargain link as a card": ("小红: [card 快来帮我砍价免费拿 https://m.yangkeduo.com/x]", "ads.bargain"),
    "a game card": ("小红: [card 我在玩羊了个羊，快来和我一起玩]", "ads.bargain"),
    "sexual content": ("小红: 同城约炮", "topics.sexual"),
    "violence": ("小红: 哪里卖枪支", "topics.violence"),
    "politics": ("小红: 去参加游行示威", "topics.politics"),
    "gambling in disguise": ("小红: 时 时 彩计划带你稳赢", "topics.gambling"),
    "abuse": ("小红: 你有病吧，滚蛋", "conduct.abuse"),
    "a colleague who quarrels": ("staff 客服\n客服: 你才有病，滚蛋", "conduct.owner"),
    "asking members to add a private contact": ("小红: 私下加我，给你内部价", "poaching.friend"),
    "luring members into another group": ("小红: 我建了个群，拉你们进群聊", "poaching.group"),
    "a flood": ("\n".join(f"小红: 第{number}句话" for number in range(40)), "flood.rate"),
    "the same text again and again": ("\n".join(["小红: 今天团购的水蜜桃又大又甜快来看看"] * 6), "flood.repeat"),
    "members' reports": ("小红: 看看这个\n小明 -> 1: 举报\n小刚 -> 1: 举报\n小丽 -> 1: 举报", "conduct.report"),
    "speaking while muted": ("小红 is muted for 30m\n小红: 凭什么", "people.muted"),
}
HARMLESS: dict[str, str] = {
    "talk": "小红: 大家早上好，今天带娃去公园了\n小明: 天气真好",
    "a question": "小红: 请问这个什么时候发货",
    "the bot's own notices": "bot 播报\n播报: 群里不发广告，砍价助力和小游戏链接请不要发",
    "a colleague's offer": "staff 客服\n客服: 今天的优惠券已经放在群公告里，扫码领取",
    "what the group's owner announces": "owner 群主\n群主: 限时特惠，有需要私聊我",
}
QUARREL = """
甲: 你这个骗子公司的托，不要脸，滚蛋
+1m
乙: 你才不要脸，神经病啊，滚远点
+1m
甲: 傻逼
+1m
乙: 滚蛋，傻逼
+1m
乙: 算了
"""


@cache
def program(name: str) -> core.Program:
    return core.compile_rules(gallery.load(name))


def moderated(name: str, scenario: str) -> list[Decision]:
    runner = Runner(program(name))
    runner.run(scenario)
    return [decision for decision in runner.decisions if isinstance(decision, Decision)]


@pytest.mark.parametrize("name", gallery.names())
@pytest.mark.parametrize("case", FOUND)
def test_it_finds_and_does_nothing_until_told_to(name: str, case: str) -> None:
    scenario, rule_id = FOUND[case]
    found = moderated(name, scenario)
    assert rule_id in {decision.rule_id for decision in found}
    assert {decision.mode for decision in found} == {"observe"}


@pytest.mark.parametrize("name", gallery.names())
@pytest.mark.parametrize("case", HARMLESS)
def test_it_leaves_in_peace(name: str, case: str) -> None:
    assert moderated(name, HARMLESS[case]) == []


@pytest.mark.parametrize("name", gallery.names())
def test_a_quarrel_is_put_before_a_colleague(name: str) -> None:
    assert "conduct.quarrel" in {decision.rule_id for decision in moderated(name, QUARREL)}
