"""Make the people: names, ids of each platform, archetypes, and who they are in a group."""

from __future__ import annotations

from random import Random
from typing import Final, Literal

from qunce.domain.events import Party, Source

from .rhythm import DAY

Archetype = Literal["silent", "lurker", "chatter", "asker", "koc", "hunter", "spammer"]
Platform = Literal["wecom", "qq", "wechat", "telegram"]

ARCHETYPES: Final[tuple[tuple[Archetype, float], ...]] = (
    ("silent", 0.56), ("lurker", 0.76), ("chatter", 0.86), ("asker", 0.92), ("hunter", 0.98), ("koc", 1.0),
)  # fmt: skip
"""Cumulative shares: more than half never speak, a fifth speaks rarely."""

SPEAKING: Final = ("lurker", "chatter", "asker", "hunter", "koc")

_SURNAMES: Final = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余叶蒋杜苏魏程吕丁沈任姚卢傅钟姜崔"
    "谭廖范汪陆金石戴贾韦夏邱方侯邹熊孟秦白江阎薛尹段雷黎史龙陶贺顾毛郝龚邵万钱严"
)
_GIVEN: Final = (
    "芳娜敏静丽艳娟霞秀玲婷雪慧莹洁梅琳素云莲真环荣爱妹香月莺媛瑞凡佳嘉琼勤珍贞莉桂娣叶璧璐娅琦晶妍茜秋珊莎锦黛青倩婉"
    "娴瑾颖露瑶怡婵雁蓓纨仪荷丹蓉眉君琴蕊薇菁梦岚苑婕馨瑗琰韵融园艺咏卿聪澜纯毓悦昭冰爽琬茗羽希宁欣飘育滢馥筠柔竹霭凝"
    "晓欢霄枫芸菲寒伊亚宜可姬舒影荔枝思伟刚勇毅俊峰强军平保东文辉力明永健世广志义兴良海山仁波宁贵福生龙元全国胜学祥才"
    "发武新利清飞彬富顺信子杰涛昌成康星光天达安岩中茂进林有坚和彪博诚先敬震振壮会思群豪心邦承乐绍功松善厚庆磊民友裕河"
    "哲江超浩亮政谦亨奇固之轮翰朗伯宏言若鸣朋斌梁栋维启克伦翔旭鹏泽晨辰士以建家致树炎德行时泰盛雄琛钧冠策腾楠榕风航弘"
)
_NICK_HEAD: Final = (
    "小", "爱笑的", "西瓜", "柠檬", "奶茶", "阿", "橘子", "月亮", "星星", "向日葵", "慢慢", "糖糖", "豆豆",
    "米粒", "云朵", "山里的", "海边的", "早起的", "不吃香菜的", "快乐的", "周末的", "努力的", "晚风", "南方的", "北方的",
)  # fmt: skip
_NICK_TAIL: Final = (
    "桃子", "兔子", "妈妈", "姐姐", "团子", "鱼", "猫", "麻麻", "小鹿", "同学", "老师", "汤圆", "冬瓜",
    "土豆", "阿姨", "叶子", "果冻", "咖啡", "雨", "雪", "海棠", "青柠", "布丁", "石头", "大叔",
)  # fmt: skip
_NICK_MARK: Final = ("", "", "", "", "🌸", "☀️", "🍀", "🌙", "_", "~", "·")


class Member:
    """A person in one group. Small and mutable: there is one for each membership."""

    __slots__ = ("archetype", "at", "busy_ms", "buys", "fades_ms", "joined_ms", "muted_ms", "party")

    def __init__(self, party: Party, archetype: Archetype, joined_ms: int, fades_ms: int) -> None:
        self.party = party
        self.archetype: Archetype = archetype
        self.joined_ms = joined_ms
        self.fades_ms = fades_ms
        """After this moment the member only lurks."""
        self.busy_ms = joined_ms
        """Their latest act, also when it lies ahead: nobody leaves before it."""
        self.muted_ms = 0
        self.buys = 0
        self.at = -1
        """Place in the pool of the group."""


def source_of(platform: Platform) -> Source:
    """Return the source of everything that comes from this platform."""
    origin: Final = {"wecom": "archive", "qq": "callback", "wechat": "import", "telegram": "callback"}
    return Source(connector=platform, account="chunfengli", origin=origin[platform])  # type: ignore[arg-type]  # closed above


def platform_id(platform: Platform, number: int) -> str:
    """Return the id of person `number`, in the look of the platform; unique for numbers under 2 milliards."""
    mixed = (number + 1) * 48_271 % 2_147_483_647
    if platform == "wecom":
        return f"wmCFL{mixed:08x}"
    if platform == "wechat":
        return f"wxid_{mixed:08x}"
    return str(mixed + (100_000_000 if platform == "qq" else 5_000_000_000))


class People:
    """Make new people, one after another. Holds nothing of those made."""

    def __init__(self, seed: int) -> None:
        self._random = Random(f"{seed}:people")
        self.count = 0

    def new(self, platform: Platform, *, spammer: bool = False) -> tuple[Party, Archetype]:
        """Return the next person."""
        party = Party(platform_id=platform_id(platform, self.count), kind="member", name=self._name())
        self.count += 1
        return party, "spammer" if spammer else self._archetype()

    def fades_after_ms(self, archetype: Archetype) -> int:
        """Return for how long someone stays keen: exponential, KOCs longest."""
        days = {"koc": 240.0, "chatter": 60.0, "asker": 30.0, "hunter": 45.0}.get(archetype, 1_000.0)
        return int(self._random.expovariate(1 / days) * DAY)

    def _archetype(self) -> Archetype:
        draw = self._random.random()
        return next(name for name, upto in ARCHETYPES if draw < upto)

    def _name(self) -> str:
        random = self._random.random
        if random() < 0.42:
            given = "".join(_GIVEN[int(random() * len(_GIVEN))] for _ in range(1 if random() < 0.4 else 2))
            return _SURNAMES[int(random() * len(_SURNAMES))] + given
        head, tail = _NICK_HEAD[int(random() * len(_NICK_HEAD))], _NICK_TAIL[int(random() * len(_NICK_TAIL))]
        return head + tail + _NICK_MARK[int(random() * len(_NICK_MARK))]
