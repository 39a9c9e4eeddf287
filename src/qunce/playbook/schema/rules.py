"""Declare rules, lexicons, ladders and lists, and the playbook that holds them."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

from qunce.playbook.schema.base import ID_PATTERN, SCHEMA_VERSION, Id, Mode, Part, Text, Title, duration, key
from qunce.playbook.schema.checks import DAY, AnyCheck
from qunce.playbook.schema.desk import AnswerRule, Duty, Holidays
from qunce.playbook.schema.profile import Attribute, TagGroup
from qunce.playbook.schema.replies import Response
from qunce.playbook.schema.segments import Segment
from qunce.playbook.schema.tiers import Scheme

Do = Literal["talk", "warn", "mute", "remove", "ban"]
Kind = Literal["staff", "bot", "house_persona"]
Role = Literal["owner", "admin"]
View = Literal["sound", "shape", "split", "reverse"]

NOTICE_NAMES: Final = frozenset({"name", "reason", "rule", "duration", "count", "group"})
"""What a notice template may mention in braces."""


class Step(Part, frozen=True, kw_only=True):
    """One rung of a ladder."""

    do: Annotated[
        Do, key("动作", "talk = a colleague talks in private first; warn; mute; remove; ban = remove for good", "warn")
    ]
    for_s: Annotated[int, duration("时长", "How long a mute lasts; only with mute", "30m", le=30 * DAY)] | None = None
    private: Annotated[bool, key("私下", "Say it in private instead of in the group", True)] = False
    clear_s: (
        Annotated[
            int,
            duration("撤回此前的消息", "Takes back what they wrote in this time before; not with talk, warn", "24h", le=DAY),
        ]
        | None
    ) = None
    notice: Annotated[Text, key("说明模板", "Says why, instead of the default", "@{name} {reason}", kind="template")] | None = (
        None
    )


class Ladder(Part, frozen=True, kw_only=True):
    """Sanctions that grow with repetition, and are forgotten after a time."""

    ladder_id: Id
    title: Title
    steps: Annotated[tuple[Step, ...], key("阶梯", "First offence takes the first step, and so on; the last one repeats", [])]
    grace_s: Annotated[
        int, duration("宽限", "Offences this soon after a sanction belong to it and do not climb", "1m", le=DAY)
    ] = 60
    forget_after_s: Annotated[int, duration("多久后清零", "Offences older than this no longer count", "30d", ge=60)] = 30 * DAY


class Term(Part, frozen=True, kw_only=True):
    """A watch term that is more than plain characters."""

    text: Annotated[str, key("词", "The term; * stands for up to 6 characters, ? for one", "加*微信", max_length=64)]
    severity: Annotated[int, key("程度", "1 light … 5 grave", 3, ge=1, le=5)] = 3


class Lexicon(Part, frozen=True, kw_only=True):
    """A list of watch terms. A match is evidence, never a violation in itself."""

    lexicon_id: Id
    title: Title
    terms: Annotated[tuple[Text | Term, ...], key("词条", "Terms; text alone, or text with a severity", "代购返现")]
    allow: Annotated[tuple[Text, ...], key("放行词", "Longer words in which a term is fine", "路口交通")] = ()
    views: Annotated[tuple[View, ...], key("变体", "Disguises to see through besides the plain ones", ["sound", "shape"])] = (
        "sound", "shape", "split", "reverse",
    )  # fmt: skip


class Rule(Part, frozen=True, kw_only=True):
    """What is looked for, what it means, and what follows."""

    rule_id: Id
    title: Title
    title_en: Annotated[str, key("英文名称", "Name in English; empty = the title", "Bargain links", max_length=80)] = ""
    category: Annotated[
        str, key("类别", "What it is about; findings are counted by it", "ads", pattern=ID_PATTERN, max_length=64)
    ]
    when: Annotated[tuple[AnyCheck, ...], key("条件", "Checks; all of them must hold", [])]
    reason: Annotated[Text, key("给成员的理由", "Said to members; polite and short", "群里不发砍价链接，谢谢理解。")]
    enabled: Annotated[bool, key("启用", "false switches the rule off", True)] = True
    mode: Annotated[Mode, key("模式", "observe = only record; suggest = ask a colleague; act = do it", "observe")] = "observe"
    modes: Annotated[dict[str, Mode], key("各群模式", "Mode in single groups, by name or id", {"福利一群": "act"})] = (
        msgspec.field(default_factory=dict)
    )
    groups: Annotated[tuple[Text, ...], key("适用的群", "Names or ids, with *; empty = all groups", "母婴*")] = ()
    applies_to: Annotated[
        Literal["members", "staff", "everyone"], key("适用对象", "staff = colleagues, to protect the brand's voice", "members")
    ] = "members"
    ladder: Annotated[Id, key("处罚阶梯", "A ladder_id; without one a colleague decides", "gentle")] | None = None
    delete: Annotated[bool, key("撤回消息", "Take the messages of the finding out of the group", True)] = False
    severity: Annotated[int, key("程度", "1 light … 5 grave; the gravest rule decides", 3, ge=1, le=5)] = 3
    free_hours: Annotated[
        tuple[Text, ...], key("放宽时段", "Hours in which the rule rests", "fri 20:00-22:00", kind="hours")
    ] = ()
    announced: Annotated[bool, key("写进群规", "The reason stands in the rules that members read", True)] = True
    stale_after_s: Annotated[int, duration("过期", "Older messages are only suggested, never acted on", "6h", ge=60)] = (
        6 * 3_600
    )


class Exempt(Part, frozen=True, kw_only=True):
    """Who is not bound by rules that apply to members (白名单)."""

    kinds: Annotated[tuple[Kind, ...], key("身份", "Flags of accounts", ["staff"])] = ("staff", "bot", "house_persona")
    roles: Annotated[tuple[Role, ...], key("群内角色", "Roles on the platform", ["owner"])] = ("owner", "admin")
    members: Annotated[tuple[Text, ...], key("成员", "Platform ids", "wmAAA")] = ()


class Info(Part, frozen=True, kw_only=True):
    """What the playbook is called, and the hours it lives by."""

    playbook_id: Id
    title: Title
    title_en: Annotated[str, key("英文名称", "Name in English", "Mother and baby", max_length=80)] = ""
    version: Annotated[int, key("版本号", "Grows by one with each publish", 1, ge=1, le=1_000_000)] = 1
    time_zone: Annotated[str, key("时区", "IANA name", "Asia/Shanghai")] = "Asia/Shanghai"
    quiet_hours: Annotated[Text, key("免打扰时段", "Public notices wait until its end", "22:30-08:00", kind="hours")] | None = (
        None
    )
    notice: Annotated[
        Text, key("公开说明模板", "Says in the group why somebody was removed", "{name}：{reason}", kind="template")
    ] = "{name} 因「{rule}」被处理：{reason}"
    warning: Annotated[Text, key("提醒模板", "Says it to the person", "@{name} {reason}", kind="template")] = "@{name} {reason}"


class Playbook(Part, frozen=True, kw_only=True):
    """A whole playbook, bound from all its files."""

    schema_version: Annotated[int, key("格式版本", "Version of the notation", 1, ge=1, le=SCHEMA_VERSION)] = SCHEMA_VERSION
    playbook: Info
    exempt: Exempt = Exempt()
    blocklist: Annotated[tuple[Text, ...], key("黑名单", "Platform ids that may not be in any group", "wmBBB")] = ()
    lexicons: tuple[Lexicon, ...] = ()
    ladders: tuple[Ladder, ...] = ()
    rules: tuple[Rule, ...] = ()
    answers: tuple[AnswerRule, ...] = ()
    duties: tuple[Duty, ...] = ()
    holidays: tuple[Holidays, ...] = ()
    segments: tuple[Segment, ...] = ()
    tiers: tuple[Scheme, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    tag_groups: tuple[TagGroup, ...] = ()
    replies: tuple[Response, ...] = ()
