"""Declare what a rule can look for: one closed record for each kind of check.

A rule holds when all of its checks hold. `TRIGGERS` says on which happenings a check can hold; a rule whose checks share none
could never fire and is refused.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal, get_args

from qunce.playbook.schema.base import Id, Part, Text, duration, key

Trigger = Literal["message", "join", "profile"]
Concept = Literal[
    "ad", "bargain", "token_code", "poach_friend", "poach_group", "mini_program", "game_card", "part_time", "loan", "gambling",
    "abuse", "porn", "violence", "politics",
]  # fmt: skip
ContactKind = Literal["phone", "qq", "wechat", "email"]
Standing = Literal["in", "left", "removed"]
CrisisKind = Literal["self_harm", "health", "safety", "legal", "media", "collective", "authority"]
CRISIS_KINDS: Final[tuple[CrisisKind, ...]] = get_args(CrisisKind)
ModelName = Literal["spam", "abuse"]
MediaType = Literal["image", "voice", "video", "file", "sticker", "link", "card", "location", "poll", "forward", "red_packet"]

HOUR: Final = 3_600
DAY: Final = 86_400
MESSAGE: Final[frozenset[Trigger]] = frozenset({"message"})
JOIN: Final[frozenset[Trigger]] = frozenset({"join"})


class Check(Part, frozen=True, kw_only=True, tag_field="check"):
    """Base of all checks."""

    triggers: ClassVar[frozenset[Trigger]] = MESSAGE


class Terms(Check, frozen=True, kw_only=True, tag="terms"):
    """The text holds terms of a lexicon, also in disguise (spaces, full width, 繁体, 谐音, 拆字, 形近 …)."""

    lexicons: Annotated[tuple[Id, ...], key("词库", "Lexicons to look in", ["ads"])]
    at_least: Annotated[int, key("至少命中", "How many different terms must be found", 1, ge=1, le=20)] = 1
    severity: Annotated[int, key("最低程度", "Terms lighter than this are left out", 4, ge=1, le=5)] = 1


class Combination(Check, frozen=True, kw_only=True, tag="combination"):
    """A + B: at least one word of every list stands within a short stretch of text."""

    all_of: Annotated[
        tuple[tuple[Text, ...], ...], key("组合", "Lists of words; one of each must be there", [["加"], ["微信"]])
    ]
    within_chars: Annotated[int, key("相隔字数", "Longest stretch that holds them all, in characters", 20, ge=2, le=500)] = 30


class Pattern(Check, frozen=True, kw_only=True, tag="pattern"):
    """A regular expression of bounded cost finds something in the folded text."""

    any_of: Annotated[
        tuple[Text, ...], key("正则", "Regular expressions; only bounded repeats", "限时.{0,6}返现", kind="regex")
    ]


class ConceptCheck(Check, frozen=True, kw_only=True, tag="concept"):
    """The text or a card shows something that is known by meaning rather than by one word."""

    any_of: Annotated[tuple[Concept, ...], key("概念", "Concepts; one is enough", ["bargain"])]
    at_least: Annotated[float, key("把握", "Least score from 0 to 1", 0.6, ge=0.05, le=1)] = 0.6


class Contact(Check, frozen=True, kw_only=True, tag="contact"):
    """The text gives a way to be contacted elsewhere, also when the digits are disguised."""

    kinds: Annotated[tuple[ContactKind, ...], key("联系方式", "Kinds of contact; one is enough", ["phone", "wechat"])]


class Link(Check, frozen=True, kw_only=True, tag="link"):
    """The message holds a link."""

    hosts: Annotated[
        tuple[Text, ...], key("禁止的域名", "Only these hosts and their subdomains; empty = all", "yangkeduo.com")
    ] = ()
    allow_hosts: Annotated[tuple[Text, ...], key("放行的域名", "Hosts that are always fine", "example.com")] = ()


class QrCode(Check, frozen=True, kw_only=True, tag="qr"):
    """A picture of the message holds a QR code that leads outside."""

    allow_hosts: Annotated[tuple[Text, ...], key("放行的域名", "Hosts to which a code may lead", "example.com")] = ()


class Media(Check, frozen=True, kw_only=True, tag="media"):
    """The message consists of the named kinds of content. A text that is nothing but links counts as `link`."""

    types: Annotated[tuple[MediaType, ...], key("内容类型", "Kinds of content; one is enough", ["image"])]
    without_text: Annotated[bool, key("没有文字", "Only when nothing is written beside it", True)] = True
    times: Annotated[int, key("次数", "How many such messages of one person", 5, ge=1, le=60)] = 1
    window_s: Annotated[int, duration("时间窗", "Within which time they are counted", "10m", le=DAY)] = 600


class Flood(Check, frozen=True, kw_only=True, tag="flood"):
    """One person writes too many messages in a short time."""

    messages: Annotated[int, key("条数", "How many messages make a flood", 8, ge=2, le=60)]
    window_s: Annotated[int, duration("时间窗", "Within which time", "30s", le=HOUR)]


class Duplicate(Check, frozen=True, kw_only=True, tag="duplicate"):
    """The same text, or nearly the same, is posted again and again."""

    times: Annotated[int, key("次数", "How often in all", 3, ge=2, le=60)]
    window_s: Annotated[int, duration("时间窗", "Within which time", "10m", le=DAY)]
    by: Annotated[Literal["one", "many"], key("由谁", "one = by one person; many = by several people together", "one")] = "one"
    similarity: Annotated[
        Literal["same", "near"], key("相似度", "same = equal after folding; near = most of it is equal", "near")
    ] = "near"
    min_chars: Annotated[int, key("最少字数", "Shorter texts (好的, 谢谢) are not counted", 6, ge=1, le=200)] = 6


class Mention(Check, frozen=True, kw_only=True, tag="mention"):
    """A message calls too many people."""

    people: Annotated[int, key("人数", "How many people are mentioned at once", 5, ge=1, le=200)] = 5
    everyone: Annotated[bool, key("@所有人", "Mentioning everyone counts too", True)] = True


class Newcomer(Check, frozen=True, kw_only=True, tag="newcomer"):
    """The person is new here. A condition beside others: alone it would punish everybody who joins."""

    triggers: ClassVar[frozenset[Trigger]] = frozenset({"message", "profile"})
    joined_within_s: Annotated[int, duration("入群多久内", "Time since joining", "24h", le=90 * DAY)] | None = None
    first_messages: Annotated[int, key("前几条发言", "Among their first messages here", 3, ge=1, le=50)] | None = None


class Raid(Check, frozen=True, kw_only=True, tag="raid"):
    """Many people join in a short time; each joiner of the wave is found."""

    triggers: ClassVar[frozenset[Trigger]] = JOIN
    joins: Annotated[int, key("人数", "How many joins make a raid", 20, ge=3, le=1_000)]
    window_s: Annotated[int, duration("时间窗", "Within which time", "1m", le=HOUR)]


class Name(Check, frozen=True, kw_only=True, tag="name"):
    """A name is suspicious. Looked at on joining and on renaming."""

    triggers: ClassVar[frozenset[Trigger]] = frozenset({"join", "profile"})
    lexicons: Annotated[tuple[Id, ...], key("词库", "Lexicons to look in", ["ads"])] = ()
    contact: Annotated[bool, key("含联系方式", "Names that hold a phone, QQ or WeChat number", True)] = False
    like_staff: Annotated[bool, key("冒充工作人员", "Names that look like a staff member's", True)] = False


class Report(Check, frozen=True, kw_only=True, tag="report"):
    """Several members report a message by answering it with 举报 or report. The reported author is found, not the reporter."""

    reporters: Annotated[int, key("人数", "How many different people", 2, ge=1, le=50)]
    window_s: Annotated[int, duration("时间窗", "Within which time", "1h", le=DAY)] = HOUR
    daily_limit: Annotated[
        int, key("每人每日上限", "Reports of one person beyond this in 24 h are ignored", 5, ge=1, le=100)
    ] = 5


class Model(Check, frozen=True, kw_only=True, tag="model"):
    """A learned model is sure enough. It knows what it was shown, so let people decide on what it finds."""

    model: Annotated[ModelName, key("模型", "Which model", "spam")]
    at_least: Annotated[
        float,
        key("把握", "Least score of the shipped model; once it has learnt here, its own threshold holds", 0.9, ge=0.5, le=1),
    ] = 0.9


class Crisis(Check, frozen=True, kw_only=True, tag="crisis"):
    """The text is worded like the beginning of a crisis: poisoning, media, a lawyer, self-harm. A matter for a person."""

    any_of: Annotated[
        tuple[CrisisKind, ...],
        key(
            "类型",
            "self_harm 5, health 5, safety 4, legal 4, media 4, collective 4, authority 3 (severity); empty = all",
            ["health", "media"],
        ),
    ] = ()
    severity: Annotated[int, key("最低程度", "Kinds lighter than this are left out", 1, ge=1, le=5)] = 1
    at_least: Annotated[float, key("把握", "Least score from 0 to 1", 0.6, ge=0.05, le=1)] = 0.6


class Mood(Check, frozen=True, kw_only=True, tag="mood"):
    """The text sounds discontented: a complaint, disappointment, annoyance. A hint for a person, never a verdict."""

    at_least: Annotated[float, key("把握", "Least score from 0 to 1", 0.8, ge=0.5, le=1)] = 0.8
    min_chars: Annotated[int, key("最少字数", "Shorter texts say too little", 6, ge=1, le=200)] = 6


class SpeaksWhileMuted(Check, frozen=True, kw_only=True, tag="speaks_while_muted"):
    """A person writes although muted here: the platform cannot mute, or the mute was got round."""


class Blocked(Check, frozen=True, kw_only=True, tag="blocked"):
    """A person on the blocklist joins or writes again."""

    triggers: ClassVar[frozenset[Trigger]] = frozenset({"join", "message"})


class Rejoin(Check, frozen=True, kw_only=True, tag="rejoin"):
    """A person joins again and again, by any of their accounts."""

    triggers: ClassVar[frozenset[Trigger]] = JOIN
    times: Annotated[int, key("次数", "How many joins in all", 3, ge=2, le=20)]
    window_s: Annotated[int, duration("时间窗", "Within which time", "7d", le=90 * DAY)]


class Sister(Check, frozen=True, kw_only=True, tag="sister"):
    """A person joins who is in another group of the same community, or went or was removed from one.

    Any account of the person counts, in this group too; links between accounts are in the evidence.
    """

    triggers: ClassVar[frozenset[Trigger]] = JOIN
    was: Annotated[tuple[Standing, ...], key("与姊妹群的关系", "How the person stands to another group", ["in", "removed"])] = (
        "in",
        "removed",
    )
    window_s: Annotated[int, duration("时间窗", "Leaving and removals longer ago do not count", "90d", le=365 * DAY)] = 90 * DAY


class Quarrel(Check, frozen=True, kw_only=True, tag="quarrel"):
    """Several people hurt one another: findings of the named categories pile up. Needs a person to mediate."""

    categories: Annotated[tuple[Id, ...], key("类别", "Categories of rules whose findings count", ["abuse"])] = ("abuse",)
    findings: Annotated[int, key("次数", "How many findings", 3, ge=2, le=30)] = 3
    people: Annotated[int, key("人数", "Of how many different people", 2, ge=2, le=20)] = 2
    window_s: Annotated[int, duration("时间窗", "Within which time", "10m", le=DAY)] = 600


class Length(Check, frozen=True, kw_only=True, tag="length"):
    """A message is very long."""

    over_chars: Annotated[int, key("字数", "Longer than this many characters", 1_500, ge=50, le=100_000)]


AnyCheck = (
    Terms | Combination | Pattern | ConceptCheck | Contact | Link | QrCode | Media | Flood | Duplicate | Mention | Newcomer
    | Raid | Name | Report | Model | Crisis | Mood | SpeaksWhileMuted | Blocked | Rejoin | Sister | Quarrel | Length
)  # fmt: skip

TITLES: Final[dict[type[Check], tuple[str, str]]] = {
    Terms: ("词库命中", "terms"),
    Combination: ("组合词", "combination of words"),
    Pattern: ("正则表达式", "regular expression"),
    ConceptCheck: ("概念", "concept"),
    Contact: ("联系方式", "contact"),
    Link: ("链接", "link"),
    QrCode: ("二维码", "QR code"),
    Media: ("图片、卡片等", "media"),
    Flood: ("刷屏", "flood"),
    Duplicate: ("重复内容", "duplicate"),
    Mention: ("@ 多人", "mentions"),
    Newcomer: ("新人", "newcomer"),
    Raid: ("集中入群", "raid"),
    Name: ("可疑昵称", "suspicious name"),
    Report: ("成员举报", "member report"),
    Model: ("模型", "model"),
    Crisis: ("危机言论", "wording of a crisis"),
    Mood: ("不满情绪", "discontent"),
    SpeaksWhileMuted: ("禁言中发言", "speaks while muted"),
    Blocked: ("黑名单", "blocklist"),
    Rejoin: ("反复入群", "joins again and again"),
    Sister: ("姊妹群", "sister group"),
    Quarrel: ("争吵", "quarrel"),
    Length: ("超长", "very long"),
}
"""Name of each check in Chinese and English."""
