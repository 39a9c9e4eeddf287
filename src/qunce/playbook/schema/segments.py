"""Declare segments: who belongs to a group of people, in conditions that can be decided for one subject."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

from qunce.playbook.schema.base import Id, Part, Title, key

Subject = Literal["member", "membership", "group"]
Written = str | tuple[str, ...]
"""A condition as it was written: one value or a list; `playbook.segments.conditions` reads it."""

Words = Annotated[tuple[str, ...], key("名称", "One name or a list", "message", kind="words")]
Condition = Annotated[Written, key("条件", "3, “>=3”, [3, 5], set, missing, “<=7d”, today", ">=3", kind="condition")]
Conditions = Annotated[dict[str, Condition], key("字段与条件", "Field and condition", {"amount": ">=500"})]


class Node(Part, frozen=True, kw_only=True):
    """One condition. Exactly one of the keys all, any, not, attr, tag, did, segment, sample says which kind it is."""

    all_of: Annotated[tuple[Node, ...], key("全部满足", "All of these hold", [])] | None = msgspec.field(
        default=None, name="all"
    )
    any_of: Annotated[tuple[Node, ...], key("任一满足", "At least one of these holds", [])] | None = msgspec.field(
        default=None, name="any"
    )
    not_: Annotated[Node, key("不满足", "This does not hold", {})] | None = msgspec.field(default=None, name="not")
    attr: Annotated[str, key("属性", "Attribute of the subject", "joined_at")] | None = None
    is_: Condition | None = msgspec.field(default=None, name="is")
    tag: Words | None = None
    did: Words | None = None
    within: Annotated[str, key("时间窗", "The last 7d, or today | this_week | this_month", "7d")] | None = None
    since: Annotated[str, key("起点", "Attribute at which the window starts", "joined_at")] | None = None
    where: Conditions | None = None
    times: Condition | None = None
    days: Condition | None = None
    sum: Conditions | None = None
    distinct: Conditions | None = None
    first: Condition | None = None
    last: Condition | None = None
    segment: Annotated[str, key("分群", "Another segment_id of the same subject", "able_to_buy")] | None = None
    sample: Annotated[str, key("抽样", "Share of the subjects, stable for one salt", "10%")] | None = None
    salt: Annotated[str, key("盐", "Names the draw: another salt is another draw", "holdout_2026q4")] | None = None


class Segment(Part, frozen=True, kw_only=True):
    """A saved rule that says who belongs."""

    segment_id: Id
    title: Title
    title_en: Annotated[str, key("英文名称", "Name in English; empty = the title", "Able to buy", max_length=80)] = ""
    of: Annotated[Subject, key("主体", "member, membership (member × group) or group", "member")] = "member"
    where: Annotated[tuple[Node, ...], key("条件", "All of these hold", [])]


KINDS: Final = {
    "all": "all_of", "any": "any_of", "not": "not_", "attr": "attr", "tag": "tag", "did": "did", "segment": "segment",
    "sample": "sample",
}  # fmt: skip
"""The key that names a node's kind, and its Python name."""
