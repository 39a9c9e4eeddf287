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


def rule(check: str, *, extra: str = "mode: act\n    ladder: gentle", rule_id: str = "r") -> str:
    return f"""
rules:
  - rule_id: {rule_id}
    title: 规则
    category: {rule_id}
    reason: 请遵守群规。
    {extra}
    when: [{check}]
"""


def concept(*names: str) -> str:
    return rule("{check: concept, any_of: [" + ", ".join(names) + "]}")


NEW_CONTACT = rule("{check: newcomer, joined_within: 1h}, {check: contact, kinds: [phone, qq, wechat]}")
REPORT = rule(
    "{check: report, reporters: 2, window: 1h, daily_limit: 2}", extra="mode: act\n    ladder: gentle\n    delete: true"
)
ABUSE = concept("abuse").replace("rule_id: r", "rule_id: abuse").replace("category: r", "category: abuse")
QUARREL = (
    ABUSE
    + """
  - rule_id: quarrel
    title: 争吵
    category: quarrel
    reason: 请冷静。
    when: [{check: quarrel, categories: [abuse], findings: 3, people: 2, window: 10m}]
"""
)
BANS = """
ladders:
  - {ladder_id: grave, title: 零容忍, steps: [{do: ban}]}
rules:
  - rule_id: fraud
    title: 诈骗
    category: fraud
    reason: 请不要相信。
    mode: act
    ladder: grave
    when: [{check: pattern, any_of: ["安全账户.{0,6}转账"]}]
  - rule_id: blocked
    title: 黑名单
    category: people
    reason: 不能再次入群。
    mode: act
    ladder: grave
    when: [{check: blocked}]
"""
TWO_MODES = TERMS.replace("mode: act", "mode: observe\n    modes: {福利群: act, 老群: suggest}")
MUTED = rule("{check: speaks_while_muted}", rule_id="muted") + TERMS.partition("rules:")[2]
MUTED = TERMS.partition("rules:")[0] + MUTED


CRISIS = rule("{check: crisis}", extra="mode: suggest", rule_id="crisis")
GRAVE = rule("{check: crisis, any_of: [health, authority], severity: 4}", extra="mode: suggest", rule_id="crisis")
MOOD = rule("{check: mood}", extra="mode: suggest", rule_id="mood")


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
    "wording of a crisis asks a colleague and never acts": (
        CRISIS,
        """
        小红: 宝宝喝了你们的奶粉全身起红疹，在急诊
          => review crisis suggest
        小明: 再不退钱我就发抖音曝光你们这家黑店
          => review crisis suggest
        小刚: 律师函这两天就到
          => review crisis suggest
        小美: 我真的不想活了
          => review crisis suggest
        小李: 大家联合起来要求集体退款
          => review crisis suggest
        小王: 我已经向12315投诉了
          => review crisis suggest
        """,
    ),
    "what only looks like a crisis is let through": (
        CRISIS,
        """
        小红: 宝宝有点过敏体质，用什么润肤乳好
        小明: 你们的曝光量好高
        小刚: 我老公是律师，天天加班
        小美: 我笑死了哈哈哈
        小李: 接龙报名：1.小红 2.小明
        小王: 好吃到想死，再来一份
        """,
    ),
    "only the kinds and the severity asked for are found": (
        GRAVE,
        """
        小红: 孩子吃完你们的果泥就吐了，在急诊
          => review crisis suggest
        小王: 我已经向12315投诉了
        小刚: 律师函这两天就到
        """,
    ),
    "discontent is shown to a colleague, an everyday question is not": (
        MOOD,
        """
        小红: 质量太差了，客服还爱答不理，再也不买了
          => review mood suggest
        小明: 请问什么时候发货
        小刚: 很好用，五星好评，下次还来
        小美: 差评
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
    "an ad that is edited in afterwards is found, and an edit is no further message": (
        TERMS + FLOOD.partition("rules:")[2],
        """
        09:00:00 小红: 大家好
        09:00:01 小红: 早上好
        09:00:02 小红: 吃了吗
        09:00:03 小红 edits 1 to 大家早
        09:00:04 小红 edits 1 to 代购返现
          => warn ads delete=1
        """,
    ),
    "bargain links are known in disguise": (
        concept("bargain"),
        """
        小红: 帮 我 砍 一 刀
          => warn r
        +5m
        小明: 姐妹们帮忙坎一刀，就差一个人了
          => warn r
        +5m
        小刚: [card 快来帮我砍价免费拿 https://m.yangkeduo.com/x]
          => warn r
        +5m
        小丽: 今天买菜跟老板砍了半天价
        """,
    ),
    "codes to be copied are known": (
        concept("token_code"),
        """
        小红: 复制这条信息打开手机淘宝 ￥AbC123￥
          => warn r
        +1m
        小明: 这个口令怎么用
        """,
    ),
    "game cards are known by their titles": (
        concept("game_card"),
        """
        小红: [card 我在玩羊了个羊，快来和我一起玩]
          => warn r
        +1m
        小明: [card 春风里会员中心]
        """,
    ),
    "asking members to add a private contact is known": (
        concept("poach_friend"),
        """
        小红: 私下加我，给你内部价
          => warn r
        +1m
        小明: 加我微信领福利
          => warn r
        +1m
        小刚: ➕薇 领取资料
          => warn r
        +1m
        小丽: 我已经加客服微信了，还没通过
        """,
    ),
    "luring members into another group is known": (
        concept("poach_group"),
        """
        小红: 我建了个群，拉你们进群聊
          => warn r
        +1m
        小明: 刚进群，大家好
        """,
    ),
    "fake jobs, loans and gambling are known": (
        concept("part_time", "loan", "gambling"),
        """
        小红: 手机兼职日结两百，有需要联系我
          => warn r
        +1m
        小明: 黑户可做无抵押贷款，当天放款
          => warn r
        +1m
        小刚: 时时彩计划带你稳赢
          => warn r
        +1m
        小丽: 我周末做兼职好累
        """,
    ),
    "contacts of newcomers are found in disguise, those of old hands are not looked for": (
        NEW_CONTACT,
        """
        老王: 我的微信是 wang12345
        09:00 小红 joins
        09:05 小红: 有问题加微信 abc12345
          => warn r offence=1
        09:10 小红: 一三八 0013 八零零零
          => mute r offence=2
        09:20 小红: 加扣 ⑥⑥8811⑨
          => remove r offence=3
        11:00 小红: 微信 abc12345
        """,
    ),
    "the first messages can be watched too": (
        rule("{check: newcomer, first_messages: 2}, {check: link, allow_hosts: [example.com]}"),
        """
        09:00 小红 joins
        09:01 小红: 看看 https://www.example.com/a
        09:02 小红: 看看 shop。evil。com 很便宜
          => warn r
        09:05 小红: 看看 http://evil.com/
        """,
    ),
    "forbidden hosts are found with and without scheme, also in cards": (
        rule("{check: link, hosts: [evil.com]}"),
        """
        小红: 去 a.evil.com/x 看
          => warn r
        +1m
        小明: [link 好物 https://evil.com/y]
          => warn r
        +1m
        小刚: https://good.com/evil.com 和 notevil.com
        """,
    ),
    "combinations need one word of each list, near to each other": (
        rule("{check: combination, all_of: [[免费, 白送], [领取, 拿走]], within_chars: 10}"),
        """
        小红: 白送你拿走
          => warn r
        +1m
        小明: 免费的东西总是最贵的，这个道理我懂，所以我从不领取
        """,
    ),
    "regular expressions see the folded text": (
        rule("{check: pattern, any_of: ['限时.{0,6}返\\d{1,4}元']}"),
        """
        小红: 限時大促返５０元
          => warn r
        """,
    ),
    "the same text again and again is found, short courtesies are not": (
        rule("{check: duplicate, times: 3, window: 10m}"),
        """
        小红: 春风里面膜买一送一快来
        小红: 谢谢
        小红: 春风里面膜买一送一快来！！
        小红: 谢谢
        小红: 谢谢
        小红: 春 风里面膜买一送一，快来呀
          => warn r
        """,
    ),
    "nearly the same text by several people is a campaign": (
        rule("{check: duplicate, by: many, times: 3, window: 30m, min_chars: 10}", extra="mode: suggest"),
        """
        小红: 这家店的牛肉干特别好吃推荐大家去买
        小明: 这家店的牛肉干特别好吃，推荐大家都去买
        小刚: 这家店的牛肉干特别好吃推荐大家去买哦
          => review r suggest
        小丽: 我家的牛肉干是自己做的，晒了三天
        """,
    ),
    "calling too many people or everyone is found": (
        rule("{check: mention, people: 3}"),
        """
        小红: @小明 @小刚 在吗
        小红: @小明 @小刚 @小丽 在吗
          => warn r
        +2m
        小刚: @所有人 快来
          => warn r
        """,
    ),
    "a row of pictures without words is found": (
        rule(
            "{check: media, types: [image, video], times: 3, window: 2m}",
            extra="mode: act\n    delete: true\n    ladder: gentle",
        ),
        """
        小红: [image]
        小红: [image]
        小红: 看看 [image]
        小红: [image]
          => warn r delete=3
        """,
    ),
    "very long messages are found": (
        rule("{check: length, over_chars: 50}", extra=""),
        f"""
        小红: {"好" * 50}
        小红: {"好" * 51}
          => review r observe
        """,
    ),
    "each joiner of a raid is found from the n-th on": (
        rule("{check: raid, joins: 4, window: 1m}", extra="mode: suggest"),
        """
        09:00:00 甲 joins
        09:00:10 乙 joins
        09:00:20 丙 joins
        09:00:30 丁 joins
          => review r suggest
        09:00:40 戊 joins
          => review r suggest
        09:05:00 己 joins
        """,
    ),
    "joining again and again is found": (
        rule("{check: rejoin, times: 3, window: 7d}", extra=""),
        """
        09:00 甲 joins
        10:00 甲 joins
        11:00 甲 joins
          => review r
        11:30 乙 joins
        """,
    ),
    "who joins while being in a sister group is found": (
        rule("{check: sister, was: [in]}", extra="mode: suggest"),
        """
        group 宝妈一群
        community 宝妈
        09:00 甲 joins
        09:01 乙: 大家早
        group 宝妈二群
        community 宝妈
        09:10 甲 joins
          => review r suggest by=甲
        09:11 乙 joins
          => review r suggest by=乙
        09:12 丙 joins
        group 读书会
        community 读书
        09:20 甲 joins
        """,
    ),
    "whoever was removed from a sister group is found at the next door, for a time": (
        rule("{check: sister, was: [removed], window: 2d}", extra=""),
        """
        group 宝妈一群
        community 宝妈
        09:00 甲 joins
        09:01 甲 is removed
        09:02 乙 joins
        09:03 乙 leaves
        group 宝妈二群
        community 宝妈
        10:00 甲 joins
          => review r observe
        10:01 乙 joins
        10:02 甲 leaves
        day 4
        10:00 甲 joins
        """,
    ),
    "leaving counts when asked for, and coming back ends it": (
        rule("{check: sister, was: [left]}", extra=""),
        """
        group 宝妈一群
        community 宝妈
        09:00 甲 joins
        09:01 甲 leaves
        group 宝妈二群
        community 宝妈
        09:10 甲 joins
          => review r
        09:11 甲 leaves
        group 宝妈一群
        09:20 甲: 我又回来了
        group 宝妈三群
        community 宝妈
        09:30 甲 joins
          => review r
        group 宝妈二群
        09:40 甲 joins
        """,
    ),
    "a group that moves to another community has other sisters": (
        rule("{check: sister}", extra=""),
        """
        group 一群
        community 宝妈
        09:00 甲 joins
        group 二群
        community 读书
        09:10 甲 joins
        community 宝妈
        09:20 甲 joins
          => review r
        """,
    ),
    "who is in a sister group by another account is found, with the link": (
        rule("{check: sister, was: [in]}", extra="mode: suggest"),
        """
        group 宝妈一群
        community 宝妈
        09:00 小红 joins
        group 宝妈二群
        community 宝妈
        09:10 小红的手机 joins
        09:11 小红的手机 leaves
        小红 is also 小红的手机
        09:20 小红的手机 joins
          => review r suggest by=小红的手机 link=小红=小红的手机
        09:21 小红的手机 leaves
        小红 is not 小红的手机
        09:30 小红的手机 joins
        """,
    ),
    "a link may lead over a third account, that was never in a group": (
        rule("{check: sister, was: [removed]}", extra=""),
        """
        group 宝妈一群
        community 宝妈
        09:00 小红 joins
        09:01 小红 is removed
        小红 is also 小红的店铺号
        小红的店铺号 is also 红红
        group 宝妈二群
        community 宝妈
        09:10 红红 joins
          => review r link=小红的店铺号=红红,小红=小红的店铺号
        """,
    ),
    "being in this very group by another account is found, also where it has no sisters": (
        rule("{check: sister, was: [in]}", extra=""),
        """
        09:00 小红 joins
        小红 is also 小红的手机
        09:10 小红的手机 joins
          => review r link=小红=小红的手机
        09:11 小红 joins
          => review r link=小红=小红的手机
        09:12 小红 leaves
        09:13 小红 joins
          => review r link=小红=小红的手机
        09:14 小兰 joins
        """,
    ),
    "joining by turns with two accounts is joining again and again": (
        rule("{check: rejoin, times: 3, window: 7d}", extra=""),
        """
        小红 is also 小红的手机
        09:00 小红 joins
        10:00 小红的手机 joins
        11:00 小红 joins
          => review r link=小红=小红的手机
        11:30 小兰 joins
        11:40 小兰 joins
        """,
    ),
    "the blocklist names the link to the account it was made for": (
        "\nblocklist: [坏人]\n" + rule("{check: blocked}", extra="mode: suggest"),
        """
        09:00 换了号 joins
        坏人 is also 换了号
        09:10 换了号 joins
          => review r suggest link=坏人=换了号
        09:11 坏人 joins
          => review r suggest link=
        """,
    ),
    "colleagues may be in every group": (
        rule("{check: sister}", extra=""),
        """
        group 一群
        community 宝妈
        staff 小助理
        09:00 小助理 joins
        group 二群
        community 宝妈
        09:10 小助理 joins
        """,
    ),
    "names with contacts or like a colleague's are suspicious": (
        rule("{check: name, contact: true, like_staff: true}", extra="mode: suggest"),
        """
        staff 春风客服
        加微abc12345 joins
          => review r
        春风_客服 joins
          => review r
        小红 joins
        小红 renames to 春风·客服
          => review r by=小红
        小红 renames to 小红红
        """,
    ),
    "members' reports find the reported author once enough different people report": (
        REPORT,
        """
        坏人: 快来买
        小红 -> 1: 举报
        小红 -> 1: 举报
        小明 -> 1: @管理员 举报这个人
          => warn r by=坏人 delete=1
        小刚 -> 1: 举报
        """,
    ),
    "whoever reports too much is not counted": (
        REPORT,
        """
        甲: 一
        乙: 二
        丙: 三
        小红 -> 1: 举报
        小红 -> 2: 举报
        小红 -> 3: 举报
        小明 -> 3: 举报
        小刚 -> 3: 举报
          => warn r by=丙
        """,
    ),
    "nobody reports themselves": (
        REPORT,
        """
        甲: 一
        甲 -> 1: 举报
        小明 -> 1: 举报
        """,
    ),
    "a quarrel of several people calls for a person": (
        QUARREL,
        """
        09:00 甲: 你这个骗子公司的托，不要脸，滚蛋
          => warn abuse
        09:02 乙: 你才不要脸，神经病啊，滚远点
          => warn abuse
        09:04 甲: 傻逼
          => mute abuse
        09:05 乙: 算了
          => review quarrel
        09:06 丙: 大家冷静一下
        """,
    ),
    "who was removed for good cannot come back, in any group": (
        BANS,
        """
        group 一群
        骗子: 安全账户要先转账
          => ban fraud
        group 二群
        +1h
        骗子 joins
          => ban blocked
        """,
    ),
    "undo lifts the block it made": (
        BANS,
        """
        骗子: 安全账户要先转账
          => ban fraud
        undo fraud
        +1h
        骗子 joins
        """,
    ),
    "modes differ by group; observing counts apart from acting": (
        TWO_MODES,
        """
        group 新群
        09:00 小红: 代购返现
          => warn ads observe offence=1
        09:05 小红: 代购返现
          => mute ads observe offence=2
        group 老群
        09:10 小红: 代购返现
          => warn ads suggest offence=1
        09:15 小红: 代购返现
          => warn ads suggest offence=1
        group 福利群
        09:20 小红: 代购返现
          => warn ads act offence=1
        """,
    ),
    "an approved suggestion counts like an act": (
        TWO_MODES,
        """
        group 老群
        09:10 小红: 代购返现
          => warn ads suggest offence=1
        approve ads
        09:15 小红: 代购返现
          => mute ads suggest offence=2
        """,
    ),
    "who speaks while muted is found, until the mute ends or is lifted": (
        MUTED,
        """
        09:00 小红 is muted for 30m
        09:10 小红: 我还能说话
          => warn muted
        09:31 小红: 现在可以了
        09:32 小红 is muted for 30m
        09:33 小红 is unmuted
        09:34 小红: 谢谢
        """,
    ),
    "a mute by ourselves counts although the platform never said so": (
        MUTED,
        """
        09:00 小红: 代购返现
          => warn ads offence=1
        09:05 小红: 代购返现
          => mute ads offence=2
        09:10 小红: 凭什么
          => remove muted offence=3
        """,
    ),
    "the gravest rule acts, the others only record": (
        TERMS + concept("poach_friend").partition("rules:")[2].replace("reason:", "severity: 5\n    reason:"),
        """
        小红: 代购返现，加我微信领红包
          => warn r offence=1
          => warn ads offence=0 covered delete=1
        """,
    ),
    "a rule rests in its free hours": (
        rule("{check: flood, messages: 2, window: 10s}", extra='free_hours: ["mon 20:00-22:00"]'),
        """
        19:59:00 小红: 一
        19:59:01 小红: 二
          => review r
        20:30:00 小红: 一
        20:30:01 小红: 二
        day 2
        20:30:00 小红: 一
        20:30:01 小红: 二
          => review r
        """,
    ),
    "rules for colleagues protect the brand's voice and never sanction": (
        rule("{check: concept, any_of: [abuse]}", extra="applies_to: staff\n    mode: act\n    ladder: inner").replace(
            "rules:", "ladders: [{ladder_id: inner, title: 内部, steps: [{do: talk}]}]\nrules:"
        ),
        """
        staff 客服
        小红: 你有病吧，滚蛋
        客服: 你才有病，滚蛋
          => talk r
        """,
    ),
    "rules hold only in the groups they name": (
        rule("{check: length, over_chars: 50}", extra='groups: ["母婴*"]'),
        f"""
        group 美妆一群
        小红: {"好" * 60}
        group 母婴一群
        小红: {"好" * 60}
          => review r
        """,
    ),
    "the spam model finds what no word list holds": (
        rule("{check: model, model: spam, at_least: 0.9}", extra="mode: suggest"),
        """
        小红: 宝妈们在家就能做的手工活，日结200，有需要的私聊我
          => review r suggest
        小明: 今天宝宝会叫妈妈了
        """,
    ),
    "the abuse model finds contempt without swear words": (
        rule("{check: model, model: abuse, at_least: 0.9}", extra="mode: suggest"),
        """
        小红: 这种女人真恶心，就是欠揍，活该没人要
          => review r suggest
        小明: 谢谢老师的讲解，收获很大
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
        state = core.State()
        decisions: list[core.AnyDecision] = []
        for index, happening in enumerate(whole.happenings):
            if index == cut:
                state = core.load(core.dump(state))
            decisions += core.step(state, happening, compiled, happening.event.ts_ms)
        assert decisions == whole.decisions
        assert state == whole.state


def test_the_worked_example_of_concepts() -> None:
    runner = play(program(concept("bargain")), "小红: 帮我点一下链接，就差一个人了\n=> warn r\n小明: 帮我看一下这个颜色")
    evidence = runner.decisions[0].evidence[0]
    assert (evidence.note, evidence.score) == ("bargain", 0.76)
    assert {span.what for span in evidence.spans} == {"帮我+助力", "就差一个人"}
