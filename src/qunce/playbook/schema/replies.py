"""Declare canned responses (话术): words prepared once, used by everybody who answers."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from qunce.playbook.schema.base import Id, Part, Text, Title, key
from qunce.playbook.schema.desk import Need

ResponseKind = Literal["invite", "rules", "welcome", "intro", "activity", "value", "answer"]
TalkStyle = Literal["novice", "match", "flaunt"]
"""小白, who wants to be told; 合拍, who talks as an equal; 高调, who wants to be seen."""
MaterialKind = Literal["link", "image", "video", "file", "mini_program"]
VARIABLES: Final = ("name", "group", "staff", "organisation", "rules")
"""What may stand in braces: who is answered, their group, who answers, the house, and the 群规 of this playbook."""


class Material(Part, frozen=True, kw_only=True):
    """Something that goes with the words, for the colleague to add."""

    kind: Annotated[MaterialKind, key("种类", "What it is", "link")]
    ref: Annotated[Text, key("地址或文件", "Address of a link, or where the file lies", "https://example.org/guide")]
    note: Annotated[str, key("备注", "What colleagues should know about it", "只发给新客", max_length=200)] = ""


class Response(Part, frozen=True, kw_only=True):
    """One canned response."""

    response_id: Id
    title: Title
    title_en: Annotated[str, key("英文名称", "Name in English; empty = the title", "Refund time", max_length=80)] = ""
    kind: Annotated[ResponseKind, key("用途", "What it is for", "answer")]
    business: Annotated[
        bool, key("业务话术", "It speaks of products or prices; the other kind is for care and company", False)
    ] = False
    text: Annotated[Text, key("内容", "Words, with variables in braces", "{name} 您好，退款 1–3 天到账。", kind="template")]
    asks: Annotated[tuple[Text, ...], key("成员会怎么问", "Examples of what it answers; they find it", ["退款多久到账"])] = ()
    needs: Annotated[tuple[Need, ...], key("适合的情况", "Kinds of messages it answers; empty = any", ["question"])] = ()
    styles: Annotated[
        tuple[TalkStyle, ...], key("适合的说话风格", "Kinds of people it suits; empty = everybody", ["novice"])
    ] = ()
    groups: Annotated[tuple[Text, ...], key("适用的群", "Names or ids, with *; empty = all groups", "母婴*")] = ()
    materials: Annotated[tuple[Material, ...], key("附带的素材", "Links and files that go with it", [])] = ()
