"""Declare what is known of people beside what they did: attributes with a type, and tags with the rules that put them."""

from __future__ import annotations

from typing import Annotated, Literal

from qunce.playbook.schema.base import Id, Mode, Part, Text, Title, duration, key
from qunce.playbook.schema.checks import DAY
from qunce.playbook.schema.segments import Node, Subject

AttributeType = Literal["text", "choice", "number", "money", "date", "bool", "city"]
TitleEn = Annotated[str, key("英文名称", "Name in English; empty = the title", "City", max_length=80)]
TagId = Annotated[str, key("标签", "The tag itself; a stable name, often group/tag", "意向/强", max_length=64)]
Phrase = Annotated[
    Text, key("说法", "How members say it; {value} stands for the value, and nothing of it for the whole", "坐标{value}")
]
Colour = Literal["blue", "teal", "violet", "amber", "pink", "green", "cyan", "orange"]
TagModel = Literal["spam", "abuse", "mood", "own"]
AT_LEAST = 0.9
"""How sure a model must be where a rule does not say it."""
NOTE = key("说明", "What it means, and how to treat and address such people", "先肯定，再给结论", max_length=500)


class Choice(Part, frozen=True, kw_only=True):
    """A value that a choice can have."""

    value: Annotated[str, key("选项", "The value as it is kept and shown", "80后", max_length=40)]
    words: Annotated[tuple[Text, ...], key("同义词", "Other words that mean it, in files and in chat", "85后")] = ()
    note: Annotated[str, NOTE] = ""


class Attribute(Part, frozen=True, kw_only=True):
    """Something that has a value for a member, such as the city."""

    attribute_id: Id
    title: Title
    title_en: TitleEn = ""
    type: Annotated[
        AttributeType, key("类型", "text | choice | number (whole) | money | date | bool | city", "city")
    ] = "text"  # fmt: skip
    choices: Annotated[tuple[Choice, ...], key("选项", "The values of a choice", [])] = ()
    unit: Annotated[str, key("单位", "Shown behind a number", "个月", max_length=20)] = ""
    segmentable: Annotated[bool, key("可用于人群", "Segments may ask for it; texts never can", True)] = True
    chat_phrases: Annotated[tuple[Phrase, ...], key("聊天里的说法", "Proposed from what members say of themselves", [])] = ()
    auto_accept_above: (
        Annotated[
            float, key("自动采纳", "Proposals this sure are taken without asking; none = always ask", 0.9, ge=0.5, le=1.0)
        ]
        | None
    ) = None
    portrait: Annotated[bool, key("写进画像", "Part of the one-line portrait", True)] = False


class TagRule(Part, frozen=True, kw_only=True):
    """When a tag is put by itself. Everything that is given must hold."""

    rule_id: Id
    where: Annotated[tuple[Node, ...], key("条件", "As in a segment: behaviour, joins, times, purchases, segments", [])] = ()
    said: Annotated[tuple[Text, ...], key("说过的词", "One of these words stands in messages of the subject", "多少钱")] = ()
    within_s: Annotated[int, duration("时间窗", "Messages of this long back count", "30d", ge=3_600)] = 30 * DAY
    model: (
        Annotated[TagModel, key("模型", "spam | abuse | mood; own = learns from marks “tag right / tag wrong”", "mood")] | None
    ) = None
    at_least: (
        Annotated[float, key("模型把握", "Least probability of a message; none = 0.9", 0.9, ge=0.5, le=1)] | None
    ) = None  # fmt: skip
    times: Annotated[int, key("次数", "Messages with a word, or that the model finds, at least", 2, ge=1, le=1_000)] = 1
    mode: Annotated[Mode, key("模式", "observe = only counted; suggest = shown to be put; act = put", "observe")] = "observe"
    reason: Annotated[str, key("理由", "Shown beside the tag", "问过价格", max_length=200)] = ""
    confidence: Annotated[float, key("把握", "How sure the rule is, 0 to 1", 0.8, ge=0.1, le=1.0)] = 1.0
    expire_after_s: Annotated[int, duration("有效期", "The tag ends by itself after this long", "90d", ge=3_600)] | None = None
    take_back: Annotated[bool, key("不再符合时收回", "Take the tag away when the conditions hold no longer", True)] = True

    @property
    def listens(self) -> bool:
        """Whether it looks at what members say."""
        return bool(self.said) or self.model is not None


class Tag(Part, frozen=True, kw_only=True):
    """A tag that can be put."""

    tag_id: TagId
    title: Annotated[str, key("显示名", "Shown to operators; empty = the tag itself", "意向强", max_length=80)] = ""
    title_en: TitleEn = ""
    colour: Annotated[Colour, key("颜色", "Colour on pages", "green")] = "blue"
    note: Annotated[str, NOTE] = ""
    rules: Annotated[tuple[TagRule, ...], key("自动规则", "Put it when one of these holds", [])] = ()


class TagGroup(Part, frozen=True, kw_only=True):
    """Tags of one question. In an exclusive group a subject should have one of them."""

    group_id: Id
    title: Title
    title_en: TitleEn = ""
    exclusive: Annotated[bool, key("单选", "One tag of the group at a time", True)] = False
    target: Annotated[Subject, key("对象", "member, membership (member × group) or group", "member")] = "member"
    tags: Annotated[tuple[Tag, ...], key("标签", "The tags of the group", [])]
