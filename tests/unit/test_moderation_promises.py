"""Each thing that specs/moderation.md §1 promises, in its order, as chat lines, clock ticks and expected decisions.

`PROMISES` is the list: the words of the specification, and what must come of a chat. Disguises have test_moderation_variants.py
besides, sanctions test_moderation_sanctions.py; live undo, teaching and appeals are held by test_live_teaching.py,
test_live_path.py and the console's tests.
"""

from __future__ import annotations

import textwrap

import pytest

from qunce.domain.decisions import Decision
from qunce.engine import core
from qunce.engine.learning.lessons import Lesson, learn, taken_back
from qunce.engine.learning.shipped import shipped
from qunce.playbook.errors import InvalidPlaybook
from qunce.playbook.load import parse
from qunce.testing.scenario import Runner, play

HEAD = """schema_version: 1
playbook: {playbook_id: test, title: 测试, notice: "{name} 因「{rule}」被移出：{reason}"}
ladders:
  - ladder_id: gentle
    title: 温和
    grace: 30s
    forget_after: 7d
    steps: [{do: talk}, {do: warn}, {do: mute, for: 30m}, {do: remove}, {do: ban}]
  - {ladder_id: out, title: 移出, steps: [{do: remove, clear: 1h}]}
  - {ladder_id: never, title: 零容忍, steps: [{do: ban, clear: 24h}]}
lexicons:
  - lexicon_id: words
    title: 词
    terms: [代购返现, 加*微信, 三黄片, 刷单兼职, {text: 高仿包包, severity: 1}, {text: 代开发票, severity: 5}]
    allow: [三黄片剂]
"""


def book(*whens: str, extra: str = "mode: suggest", ladder: str = "") -> str:
    """Return a playbook with a rule a condition: r, r2, r3 …"""
    rules = [
        f"""
  - rule_id: r{number if number > 1 else ""}
    title: 规则
    category: c
    reason: 请遵守群规。
    {extra}
    {"ladder: " + ladder if ladder else "severity: 3"}
    when: [{when}]"""
        for number, when in enumerate(whens, start=1)
    ]
    used = "".join(rules)
    keep = [name for name in ("gentle", "out", "never") if f"ladder: {name}" not in used]
    rules += [
        f"\n  - {{rule_id: idle.{name}, title: 闲, category: idle, reason: 无, ladder: {name}, groups: [没有这个群], "
        f"when: [{{check: terms, lexicons: [words]}}]}}"
        for name in keep
    ]
    return HEAD + "rules:" + "".join(rules)


def program(text: str) -> core.Program:
    return core.compile_rules(parse({"playbook.yaml": text}))


TERMS = "{check: terms, lexicons: [words]}"


def concept(*names: str) -> str:
    return "{check: concept, any_of: [" + ", ".join(names) + "]}"


PROMISES: dict[str, tuple[str, str]] = {
    # Text evidence
    "forbidden terms inside unspaced Chinese": (
        book(TERMS),
        """
        小红: 昨天有人问我做不做刷单兼职我没理
          => review r
        """,
    ),
    "wildcard terms": (
        book(TERMS),
        """
        小红: 加一下我的微信
          => review r
        小红: 加班的时候一直在看群里的微信
        """,
    ),
    "regular expressions": (
        book("{check: pattern, any_of: ['满.{1,4}返.{1,4}元']}"),
        """
        小红: 今天满三百返五十元
          => review r
        小红: 满了三百多次也不返
        """,
    ),
    "case, 全角, 繁简, zero-width, spaces, punctuation, emoji and rare symbols": (
        book(TERMS.replace("words", "vip")).replace(
            "lexicons:\n", "lexicons:\n  - {lexicon_id: vip, title: 会员, terms: [vip资源群]}\n", 1
        ),
        """
        小红: VIP资源群
          => review r
        小红: ｖｉｐ資源羣
          => review r
        小红: vip\u200b资\u200b源群
          => review r
        小红: v i p 资-源_群
          => review r
        小红: VIP🔥资❤️源ᚰ群
          => review r
        小红: 我是VIP，资源在群文件里
        """,
    ),
    "repeated characters": (
        book(TERMS),
        """
        小红: 代代购购返返返现
          => review r
        """,
    ),
    "谐音, only for terms of three hanzi or more and on syllable boundaries": (
        book(TERMS.replace("words", "short")).replace(
            "lexicons:\n", "lexicons:\n  - {lexicon_id: short, title: 短, terms: [套现, 刷单兼职]}\n", 1
        ),
        """
        小红: 刷丹煎职有人做吗
          => review r
        小红: shua单jian职
          => review r
        小红: 讨嫌
        """,
    ),
    "拆字 and 形近": (
        book(TERMS),
        """
        小红: 亻弋购返现
          => review r
        小红: 刷单兼耳只
          => review r
        小红: 伐购返现
          => review r
        """,
    ),
    "A + B combination terms": (
        book("{check: combination, all_of: [[免费, 白送], [奶粉, 尿不湿]], within_chars: 12}"),
        """
        小红: 奶粉今天白送
          => review r
        小红: 奶粉很贵，谁家的孩子不是这样过来的呢，所以我从来不等免费的
        """,
    ),
    "an allow list that rescues a longer word": (
        book(TERMS),
        """
        小红: 医生开了三黄片剂
        小红: 三黄片剂和三黄片是一样的吗
          => review r
        """,
    ),
    "term categories and severities": (
        book("{check: terms, lexicons: [words], severity: 4}", TERMS),
        """
        小红: 高仿包包
          => review r2
        小红: 代开发票
          => review r
          => review r2 covered
        """,
    ),
    # Concepts
    "广告": (book(concept("ad")), "小红: 厂家直销，诚招代理\n=> review r\n小红: 我在看广告"),
    "拼多多/砍价 links": (
        book(concept("bargain")),
        "小红: 帮我砍一刀\n=> review r\n小红: [link 快来 https://mobile.yangkeduo.com/x]\n=> review r\n小红: 菜价砍不下来",
    ),
    "口令": (book(concept("token_code")), "小红: 復制这条信息，打开手机淘宝 ￥x￥\n=> review r\n小红: 门禁口令是多少"),
    "小程序 cards": (
        book(concept("mini_program")),
        """
        小红: #小程序://优惠团/AbCdEf
          => review r
        小红: [card 好物分享 https://mp.weixin.qq.com/mp/waerrpage?appid=wx1&type=upgrade]
          => review r
        小红: [card 一起看 com.tencent.miniapp_01]
          => review r
        小红: [card 春风里会员中心]
        小红: 小程序打不开了怎么办 https://example.com/a
        """,
    ),
    "游戏小程序 cards": (
        book(concept("game_card")),
        "小红: [card 快来和我一起玩羊了个羊小游戏]\n=> review r\n小红: [card 报名表]",
    ),
    "私加好友": (book(concept("poach_friend")), "小红: 私下加我，给你便宜\n=> review r\n小红: 谁有客服微信"),
    "私拉小群": (book(concept("poach_group")), "小红: 我另建一个群，拉你们进群\n=> review r\n小红: 我们群真热闹"),
    "QR codes in images": (
        book("{check: qr, allow_hosts: [example.com]}"),
        "小红: [qr https://u.wechat.com/x]\n=> review r\n小红: [qr https://shop.example.com/a]\n小红: [image]",
    ),
    "phone, QQ and 微信 numbers": (
        book("{check: contact, kinds: [phone, qq, wechat]}"),
        """
        小红: 打我电话一三八 0013 8000
          => review r
        小红: 扣扣 8811 9900
          => review r
        小红: 薇 abc_12345
          => review r
        小红: 订单号 20260105123456
        """,
    ),
    "黄色": (
        book(concept("porn")),
        """
        小红: 同城约❤炮加我
          => review r
        小红: 上门服务，学生妹都有
          => review r
        小红: 忽然一夜清香发
        小红: 家政上门服务很好
        """,
    ),
    "暴力": (
        book(concept("violence")),
        """
        小红: 信不信我砍死你
          => review r
        小红: 出售枪支，包邮
          => review r
        小红: 笑死我了
        小红: 看似你很受欢迎
        """,
    ),
    "政治": (
        book(concept("politics")),
        "小红: 大家一起上街游行\n=> review r\n小红: 推荐个翻墙软件\n=> review r\n小红: 周末游行花车好看\n小红: 我学的是政治学",
    ),
    "辱骂": (book(concept("abuse")), "小红: 你就是个傻逼\n=> review r\n小红: 我真傻，买贵了"),
    # Behaviour evidence
    "flood by rate": (
        book("{check: flood, messages: 3, window: 10s}"),
        "09:00:00 小红: 一\n09:00:01 小红: 二\n09:00:02 小红: 三\n=> review r\n09:01:00 小红: 四",
    ),
    "the same text by one member": (
        book("{check: duplicate, times: 3, window: 10m}"),
        "小红: 新店开业欢迎光临\n小红: 新店开业欢迎光临！\n小红: 新店 开业，欢迎光临\n=> review r",
    ),
    "near-duplicate text across members": (
        book("{check: duplicate, by: many, times: 3, window: 30m}"),
        """
        甲: 这款奶粉我家宝宝喝了三个月长胖了真的推荐
        乙: 这款奶粉我家宝宝喝了三个月长胖了真的推荐哦
        丙: 这款奶粉我家宝宝喝了三个月长胖了，真的推荐呀！
          => review r
        丁: 我家宝宝只喝母乳
        """,
    ),
    "mention spam": (
        book("{check: mention, people: 3}"),
        "小红: @甲 @乙 看\n小红: @甲 @乙 @丙 看\n=> review r\n小红: @所有人 看\n=> review r",
    ),
    "image only, card only, link only": (
        book("{check: media, types: [image, card, link]}"),
        """
        小红: [image]
          => review r
        小红: [card 名片]
          => review r
        小红: https://shop.example.com/item?id=3
          => review r
        小红: shop.example.com/a http://b.example.com
          => review r
        小红: 看看这个 https://shop.example.com/item?id=3
        小红: 看看这张 [image]
        """,
    ),
    "links only, counted within a time": (
        book("{check: media, types: [link], times: 3, window: 5m}"),
        """
        小红: https://a.example.com/1
        小红: 好看 https://a.example.com/2
        小红: https://a.example.com/3
        小红: https://a.example.com/4
          => review r
        """,
    ),
    "first-message probation": (
        book("{check: newcomer, first_messages: 2}, {check: link}"),
        """
        09:00 小红 joins
        09:01 小红: 大家好
        09:02 小红: 看看 https://shop.example.com
          => review r
        09:03 小红: 看看 https://shop.example.com
        """,
    ),
    "join raids": (
        book("{check: raid, joins: 3, window: 1m}"),
        "09:00:00 甲 joins\n09:00:10 乙 joins\n09:00:20 丙 joins\n=> review r\n09:05:00 丁 joins",
    ),
    "suspicious names": (
        book("{check: name, lexicons: [words], contact: true, like_staff: true}"),
        """
        staff 春风客服
        春风-客服 joins
          => review r
        刷单兼职小李 joins
          => review r
        小红 joins
        小红 renames to 加微abc12345
          => review r
        小红 renames to 小红妈妈
        """,
    ),
    "member reports: threshold": (
        book("{check: report, reporters: 3, window: 1h}"),
        "坏人: 快来买\n甲 -> 1: 举报\n甲 -> 1: 举报\n乙 -> 1: 举报\n丙 -> 1: 举报\n=> review r by=坏人",
    ),
    "member reports: whoever reports everything counts for nothing": (
        book("{check: report, reporters: 2, window: 1h, daily_limit: 2}"),
        """
        甲: 一
        乙: 二
        丙: 三
        恶人 -> 1: 举报
        恶人 -> 2: 举报
        恶人 -> 3: 举报
        小明 -> 3: 举报
        """,
    ),
    "member reports: nobody is silenced by one person's second account being asked twice": (
        book("{check: report, reporters: 2, window: 1h}"),
        "甲: 一\n恶人 -> 1: 举报\n恶人 -> 1: 举报\n恶人 -> 1: report",
    ),
    # Sanctions
    "private, polite talk first, then warn, mute, remove, ban, and all is forgotten after a time": (
        book(TERMS, extra="mode: act", ladder="gentle"),
        """
        09:00 小红: 代购返现
          => talk r offence=1
        10:00 小红: 代购返现
          => warn r offence=2
        11:00 小红: 代购返现
          => mute r offence=3 for=30m
        12:00 小红: 代购返现
          => remove r offence=4
        13:00 小红: 代购返现
          => ban r offence=5
        day 20
        09:00 小红: 代购返现
          => talk r offence=1
        """,
    ),
    "whitelist and roles exempt": (
        book(TERMS).replace("ladders:", "exempt: {members: [顾问]}\nladders:", 1),
        "staff 客服\nadmin 管理\nowner 群主\nbot 机器人\n客服: 代购返现\n管理: 代购返现\n群主: 代购返现\n机器人: 代购返现\n"
        "顾问: 代购返现\n小红: 代购返现\n=> review r",
    ),
    "the offender's earlier messages go with the removal, nobody else's and none from before": (
        book(TERMS, extra="mode: act\n    delete: true", ladder="out"),
        """
        08:00 小红: 早上好
        10:00 小红: 看看我家的包包
        10:01 小明: 好看
        10:02 小红: 要的私聊
        10:03 小红: 代购返现
          => remove r delete=3
        """,
    ),
    "blocklist across all groups": (
        book(TERMS, "{check: blocked}", extra="mode: act", ladder="never"),
        """
        group 一群
        骗子: 代购返现
          => ban r
        group 二群
        +1h
        骗子 joins
          => ban r2
        """,
    ),
    # Undo
    "undo restores everything the case did and nothing else": (
        book(TERMS, "{check: blocked}", extra="mode: act", ladder="never"),
        """
        group 一群
        骗子: 代购返现
          => ban r
        坏人: 代购返现
          => ban r
        undo r
        group 二群
        +1h
        坏人 joins
        骗子 joins
          => ban r2
        """,
    ),
    # Modes
    "observe, suggest, act per rule and per group": (
        book(TERMS, extra="mode: observe\n    modes: {老群: suggest, 新群: act}", ladder="gentle"),
        """
        group 试点
        小红: 代购返现
          => talk r observe
        group 老群
        小红: 代购返现
          => talk r suggest
        group 新群
        小红: 代购返现
          => talk r act
        """,
    ),
}


@pytest.mark.parametrize("name", PROMISES)
def test_promise(name: str) -> None:
    text, scenario = PROMISES[name]
    play(program(text), textwrap.dedent(scenario))


def test_one_term_is_updated_while_the_group_talks_and_nothing_is_forgotten() -> None:
    before = book(TERMS, extra="mode: act", ladder="gentle")
    runner = Runner(program(before))
    runner.run("09:00 小红: 代购返现")
    runner.run("09:05 小明: 团长内部价")
    assert [decision.verdict for decision in runner.decisions] == ["talk"]
    runner.program = program(before.replace("terms: [代购返现", "terms: [团长内部价, 代购返现"))
    runner.run("09:10 小红: 团长内部价")
    last = runner.decisions[-1]
    assert isinstance(last, Decision)
    assert (last.verdict, last.offence) == ("warn", 2)
    assert last.version != runner.decisions[0].version, "a decision names the version it was made by"


def test_a_removal_says_in_the_group_why() -> None:
    runner = play(program(book(TERMS, extra="mode: act", ladder="out")), "小红: 代购返现\n=> remove r")
    decision = runner.decisions[0]
    assert isinstance(decision, Decision)
    (notice,) = [action for action in decision.actions if action.do == "notice"]
    assert notice.text == "小红 因「规则」被移出：请遵守群规。"


def test_every_verdict_names_rule_version_evidence_and_score() -> None:
    text = "今天 代-购返现 了"
    runner = play(program(book(TERMS)), f"小红: 大家好\n小红: {text}\n=> review r")
    decision = runner.decisions[0]
    assert isinstance(decision, Decision)
    assert (decision.rule_id, decision.version, decision.event) == ("r", runner.program.version, 2)
    (span,) = decision.evidence[0].spans
    assert (text[span.start : span.end], span.what, decision.score) == ("代-购返现", "代购返现", 0.6)


def test_a_pass_tells_in_the_preview_how_near_it_came() -> None:
    near = book(concept("bargain"), "{check: newcomer, joined_within: 1h}, {check: link}", "{check: model, model: spam}")
    runner = play(program(near), "09:00 小红 joins\n09:01 小红: 菜市场砍价真难")
    happening = runner.happenings[-1]
    passes = core.decide(core.State(), happening, runner.program, happening.event.ts_ms, ask_pass=True)
    by_rule = {decision.rule_id: decision for decision in passes if isinstance(decision, Decision)}
    assert {decision.verdict for decision in by_rule.values()} == {"pass"}
    assert {decision.version for decision in by_rule.values()} == {runner.program.version}
    bargain, model = by_rule["r"], by_rule["r3"]
    assert (bargain.score, bargain.evidence[0].note, bargain.evidence[0].spans[0].what) == (0.45, "bargain", "砍价")
    assert 0 < model.score < 0.9
    assert by_rule["r2"].score == 0, "a rule is no nearer than its check that shows nothing"


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("{check: terms, lexicons: [short], severity: 4}", "impossible"),
        ("{do: warn, clear: 1h}", "no_op"),
    ],
)
def test_what_could_never_hold_is_refused(written: str, code: str) -> None:
    text = book("{check: terms, lexicons: [words]}")
    if "do:" in written:
        text = text.replace("{do: warn}", written)
    else:
        text = text.replace("lexicons:\n", "lexicons:\n  - {lexicon_id: short, title: 短, terms: [套现]}\n", 1)
        text = text.replace("{check: terms, lexicons: [words]}", written, 1)
    with pytest.raises(InvalidPlaybook) as refused:
        parse({"playbook.yaml": text})
    assert [problem.code for problem in refused.value.problems] == [code]


def lessons(spam: int, ham: int) -> tuple[Lesson, ...]:
    marks = [(f"第{n}期雷霆计划，名额{n}个", True) for n in range(spam)]
    marks += [(f"第{n}天打卡，跑了{n}公里", False) for n in range(ham)]
    return tuple(Lesson(lesson_id=str(number), text=text, label=label) for number, (text, label) in enumerate(marks))


def test_learning_needs_both_classes_and_never_falls_below_the_minimum() -> None:
    assert learn(lessons(40, 0), shipped("spam")).model is None
    assert learn(lessons(0, 40), shipped("spam")).model is None
    enough = lessons(20, 20)
    assert learn(enough, shipped("spam")).model is not None
    back = learn(taken_back(enough, "0"), shipped("spam"))
    assert (back.model, back.missing) == (None, (1, 0)), "the lesson taken back was needed: the shipped model judges again"
