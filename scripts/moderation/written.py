"""Write advertisements and ordinary chat to train the shipped spam model on. Every word was written for this project.

Advertisements are patterns with slots, many of them put into a disguise; ordinary chat comes from the simulator, with sentences
beside it that look a little like ads and are none (asking for a WeChat number of the customer service, prices, thanks).
"""

# ruff: noqa: RUF001  # word lists are long lines, and disguises use look-alikes

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Final

from qunce.engine.text.shapes import splits
from qunce.testing.simulator.texts import common
from qunce.testing.simulator.texts.phrases import Answered, Phrase, Slots, speak
from qunce.testing.simulator.texts.themes import THEMES

SLOTS: Final[dict[str, list[str]]] = {
    "job": ["手工活", "打字员", "点赞员", "刷单员", "客服兼职", "剪辑兼职", "抄写员", "试玩员", "数据录入", "短视频点赞"],
    "pay": [
        "日结200",
        "日赚300",
        "一天五百",
        "月入过万",
        "一单15元",
        "佣金日结",
        "时薪80",
        "日入五张",
        "单单现结",
        "一天两三百",
    ],
    "goods": [
        "高仿包包",
        "名牌手表",
        "复刻球鞋",
        "免税店香水",
        "海外奶粉",
        "进口面膜",
        "原单大衣",
        "一手烟酒",
        "品牌尾货",
        "莆田鞋",
        "茅台",
        "中华烟",
    ],
    "cheap": ["骨折价", "全网最低", "一折起", "清仓", "出厂价", "内部价", "亏本甩卖", "比专柜便宜一半", "一件也批发"],
    "contact": [
        "加微{id}",
        "薇信{id}",
        "V信:{id}",
        "vx",
        "{id}",
        "加扣{qq}",
        "Q{qq}",
        "加我{id}",
        "威❤{id}",
        "➕V{id}",
        "加我q{qq}",
        "扣扣{qq}",
        "联系{phone}",
        "电话{phone}",
        "私聊我",
        "加我好友",
        "滴滴我",
        "私我拿资料",
        "进群{qq}",
        "裙号{qq}",
        "戳头像加我",
        "看我头像",
        "看我主页",
        "主页有联系方式",
    ],
    "game": [
        "传奇私服",
        "捕鱼游戏",
        "棋牌",
        "斗地主",
        "麻将",
        "彩票计划",
        "时时彩",
        "赛车",
        "快三",
        "百家乐",
        "电竞投注",
        "六合彩",
    ],
    "win": [
        "包赢",
        "稳赚不赔",
        "带你回血",
        "首充送100",
        "注册送88",
        "秒提现",
        "天天送彩金",
        "跟单必中",
        "导师一对一",
        "亏了包赔",
        "百分百中",
    ],
    "loan": [
        "无抵押贷款",
        "秒批贷款",
        "黑户可贷",
        "凭身份证借款",
        "信用卡提额",
        "花呗套现",
        "白条变现",
        "公积金贷",
        "网贷",
        "养卡提额",
        "过桥垫资",
    ],
    "fast": ["当天下款", "三分钟到账", "不看征信", "利息低", "额度二十万", "下款再收费", "随借随还", "无前期"],
    "thing": ["助力", "砍一刀", "点一下", "帮忙砍价", "投个票", "帮我加速", "复制打开", "点链接", "帮点一下", "扫码助力"],
    "prize": ["免费拿手机", "领现金红包", "提现一百", "免单", "拿免费水果", "领大额券", "得空气炸锅", "拿纸巾", "拿行李箱"],
    "group": [
        "羊毛群",
        "优惠券群",
        "内购群",
        "返利群",
        "线报群",
        "福利群",
        "资源群",
        "炒股群",
        "交流小群",
        "捡漏群",
        "吃瓜群",
        "兼职群",
    ],
    "adult": [
        "看片",
        "约",
        "同城",
        "小姐姐上门",
        "裸聊",
        "资源视频",
        "深夜福利",
        "不可描述",
        "福利姬",
        "大尺度",
        "附近空降",
        "黄片",
    ],
    "lose": ["十天瘦二十斤", "祛斑无效退款", "三天增高", "一夜丰胸", "根治失眠", "祖传秘方", "七天白三度", "不手术治近视"],
    "stock": [
        "内幕消息",
        "明日涨停",
        "老师荐股",
        "免费诊股",
        "三只黑马股",
        "翻倍牛股",
        "跟着老师吃肉",
        "合约带单",
        "usdt高价收",
    ],
    "service": [
        "代开发票",
        "办证刻章",
        "代写论文",
        "查开房记录",
        "定位找人",
        "微信恢复",
        "刷粉刷赞",
        "卖微信号",
        "收支付宝账号",
        "跑分",
        "四件套",
    ],
    "buyer": ["姐妹们", "宝妈们", "家人们", "各位老板", "亲们", "朋友们", "群友", "兄弟们", "宝子们", "各位"],
    "hook": ["想要的", "有需要的", "感兴趣的", "想了解的", "想赚钱的", "懂的来", "要的", "诚心的", "手慢无", "不是骗子"],
}

ADS: Final = """
招{job}，{pay}，{contact}
{buyer}在家也能赚钱，{job}{pay}，{hook}{contact}
{job}招人啦，不收押金，{pay}
宝妈学生都能做的{job} {pay} {contact}
手机就能做，{pay}，{hook}{contact}
{goods}{cheap}，{contact}
专业{goods}，{cheap}，支持验货，{contact}
出一批{goods} {cheap} {hook}{contact}
{buyer}看过来，{goods}{cheap}了
一手货源{goods}，招代理，一件代发{contact}
{goods}厂家直销，诚招代理，{contact}
代购{goods}，{cheap}，{hook}{contact}
{game}{win}，{contact}
{game}平台{win}，{hook}{contact}
跟着我玩{game}，{win}
新开{game}，{win}，点击{url}
{win} {game} {url}
{loan}，{fast}，{contact}
{loan}{fast}，{hook}{contact}
急用钱找我，{loan}，{fast}
{buyer}帮我{thing}，{prize}，就差一个人了
帮忙{thing}{url}
{thing}就能{prize} {url}
求{thing}，马上就能{prize}了，谢谢{buyer}
差最后一刀，{buyer}帮我{thing}
复制这条信息打开手机淘宝{code}{prize}
{code} 复制打开，{prize}
拼多多{thing}，{prize}，{url}
我建了个{group}，{hook}{contact}
{group}，每天{prize}，{contact}
拉你们进{group}，{hook}私聊我
{buyer}加我进{group}，比这个群便宜
这里太贵了，来我的{group}
{group}扫码进，名额不多
{adult}，{contact}
{adult}{url}
想{adult}的加{qq}
{adult}看我头像
{id}{adult}
{lose}，{hook}{contact}
我用了这个{lose}，{contact}
专治各种，{lose}，{contact}
{stock}，{contact}
加{group}送{stock}
{stock}免费领，{hook}{contact}
{service}，{contact}
专业{service}，{hook}{contact}
{service}{qq}
私下加我，{cheap}给你
加我好友，{goods}给你成本价
加我微信送{prize}
{buyer}加一下我{id}，有福利
{contact}有惊喜
{contact}
加{id}
{qq}加q
+{qq}
{phone}同微
扫我头像二维码{prize}
点我头像，{prize}
小程序游戏{game}，邀请你一起玩
我在{game}里等你，{win}{url}
{url} {prize}
{url}
""".strip().splitlines()

NEAR: Final = """
客服的微信是多少呀
售后电话打不通，怎么联系
请问加哪个微信领赠品
群主可以发一下链接吗
链接打不开了
昨天那个优惠券还能用吗
我已经加客服微信了，还没通过
怎么申请退款
这款多少钱
活动价到什么时候
有没有满减
能便宜点吗
红包已领，谢谢老板
谢谢群主的红包
抽奖什么时候开奖
我中奖了，怎么领
快递单号发我一下
地址和电话已经私信客服了
这个面膜是正品吗
奶粉还有货吗
昨天下的单，今天发货吗
兼职宝妈表示太累了
我老公做销售的，天天加班
今天砍价买菜省了五块
群里别发广告啦
又有人发拼多多
别点那个链接，骗人的
我投了一票
帮我看看这个色号适合我吗
谁有上次课程的回放
二维码过期了
扫码签到在哪里
股市今天又跌了
孩子发烧38度5怎么办
早上跑了10公里，配速6分
报名表填好了
我住朝阳区，同城的举手
求推荐一款好用的防晒
123
1
666
哈哈哈哈哈
收到
好的谢谢
+1
我要两份
3号楼502
订单尾号8842
微信支付不了
支付宝可以吗
能开发票吗
给我拍一件
明天几点直播
主播好可爱
关注了
加油
大家晚上好
这个群好热闹
主播唱得真好听
求歌名
点歌可以吗
扣1扣1
能听到扣1
进群这么久第一次发言
刚加群，大家好
新人报到
""".strip().splitlines()

COMMON: Final = (
    "QUESTIONS", "MORNING", "REPLIES", "THANKS", "CHATTER", "PRAISE", "COMPLAINTS", "SOOTHE", "QUARREL", "CALM", "NEWCOMERS",
    "WELCOMES", "FESTIVE", "MEMBER_DAY", "FESTIVAL_NOTICES", "RULES_REMINDER", "GROUP_NOTICES",
)  # fmt: skip
"""What the simulator's people say in every group; its advertisements and floods are left out."""

_WORDS: Final = ("ai", "xia", "le", "mm", "qq", "wx", "fu", "li", "zz", "hao", "an", "xi")


class Writer:
    """Write texts; the same seed writes the same ones."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def fill(self, pattern: str) -> str:
        while "{" in pattern:
            before, _, rest = pattern.partition("{")
            name, _, after = rest.partition("}")
            pattern = before + self.slot(name) + after
        return pattern

    def slot(self, name: str) -> str:
        pick = self.random
        match name:
            case "id":
                return pick.choice(_WORDS) + pick.choice(_WORDS) + str(pick.randrange(10**3, 10**6))
            case "qq":
                return str(pick.randrange(10**7, 10**10))
            case "phone":
                return "1" + pick.choice("3456789") + f"{pick.randrange(10**9):09}"
            case "url":
                host = pick.choice(_WORDS) + str(pick.randrange(1_000)) + pick.choice((".com", ".cc", ".xyz", ".top", ".cn"))
                return pick.choice(("", "http://", "https://", "www.")) + host + pick.choice(("", "/a", "/?id=7", "/x8"))
            case "code":
                return "￥" + "".join(pick.choices("abcdefgXYZ0123456789", k=11)) + "￥"
            case _:
                return pick.choice(SLOTS[name])

    def disguise(self, text: str) -> str:
        pick = self.random
        match pick.randrange(9):
            case 0:
                return " ".join(text)
            case 1:
                return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)
            case 2:
                return "".join(char + pick.choice("✨🔥❤·*_~") if pick.random() < 0.3 else char for char in text)
            case 3:
                ways = splits()
                return "".join(ways[char][0] if char in ways and pick.random() < 0.25 else char for char in text)
            case 4:
                digits = "零一二三四五六七八九" if pick.random() < 0.5 else "⓪①②③④⑤⑥⑦⑧⑨"
                return "".join(
                    digits[int(char)] if char.isascii() and char.isdigit() and pick.random() < 0.6 else char for char in text
                )
            case 5:
                swaps = dict(zip("微信加群扣我聊钱赚", "嶶訫咖裙抠莪蓼米赚", strict=True))
                return "".join(swaps.get(char, char) for char in text)
            case 6:
                return "".join(char + "\u200b" if pick.random() < 0.4 else char for char in text)
            case 7:
                return pick.choice("🔥💰❤️🎁") * pick.randrange(1, 4) + text + pick.choice("🔥💰❤️🎁") * pick.randrange(1, 4)
            case _:
                return text[: pick.randrange(3, 24)]

    def advert(self) -> str:
        text = self.fill(self.random.choice(ADS))
        return self.disguise(text) if self.random.random() < 0.55 else text


def adverts(count: int, seed: int = 1) -> Iterator[str]:
    """Yield advertisements."""
    writer = Writer(seed)
    for _ in range(count):
        yield writer.advert()


def ordinary(count: int, seed: int = 1) -> Iterator[str]:
    """Yield ordinary chat: sentences that look a little like ads, then what the simulator's people say, without its ads."""
    yield from NEAR * 6
    pick = random.Random(seed)
    spoken = list(_phrases())
    for _ in range(count):
        slots, phrase = pick.choice(spoken)
        try:
            text = speak(pick.random, phrase, slots)
        except KeyError:  # a slot that only the simulator fills
            continue
        yield text + pick.choice(common.TAILS) if pick.random() < 0.2 else text


def numbers(count: int, seed: int = 1) -> Iterator[str]:
    """Yield what ordinary people write in digits and letters: house numbers, order numbers, sizes, pet names."""
    pick = random.Random(seed)
    frames = ("{}", "{}", "见{}", "#{}", "订单{}", "{}号", "{}元", "{}分", "第{}章", "hh{}", "ok{}", "Re#{}", "{}+1")
    for _ in range(count):
        word = "".join(pick.choices(_WORDS, k=pick.randrange(1, 4)))
        number = str(pick.randrange(10 ** pick.randrange(1, 7)))
        yield pick.choice(frames).format(pick.choice((number, number, word, word + number[:3])))


def _phrases() -> Iterator[tuple[Slots, Phrase]]:
    for name in COMMON:
        for item in getattr(common, name):
            yield from ((common.SLOTS, phrase) for phrase in _sentences(item))
    for theme in THEMES:
        slots = {**common.SLOTS, **theme.slots}
        for item in (*theme.starters, *theme.answers, *theme.questions, *theme.checkins, *theme.promotions, *theme.topics):
            yield from ((slots, phrase) for phrase in _sentences(item))


def _sentences(item: Phrase | Answered) -> tuple[Phrase, ...]:
    return (item.question, item.answer) if isinstance(item, Answered) else (item,)
