"""Declare tiers: schemes of levels, each with the conditions of who is on it and advice on how to treat them."""

from __future__ import annotations

from typing import Annotated, Literal

from qunce.playbook.schema.base import Id, Part, Title, key
from qunce.playbook.schema.segments import Node

Advice = Annotated[str, key("怎么对待", "How to treat and address people on this level", "先肯定，再给结论", max_length=500)]


class Level(Part, frozen=True, kw_only=True):
    """One level of a scheme. The last one has no conditions: it holds everybody whom no other level holds."""

    level_id: Id
    title: Title
    title_en: Annotated[str, key("英文名称", "Name in English; empty = the title", "Advocate", max_length=80)] = ""
    where: Annotated[tuple[Node, ...], key("条件", "All of these hold; none = everybody else", [])] = ()
    advice: Advice = ""
    advice_en: Annotated[str, key("英文建议", "The advice in English; empty = as it is", "Praise first", max_length=500)] = ""


class Scheme(Part, frozen=True, kw_only=True):
    """A way to sort members: each is on the first level whose conditions hold."""

    scheme_id: Id
    title: Title
    title_en: Annotated[str, key("英文名称", "Name in English; empty = the title", "Fans", max_length=80)] = ""
    order: Annotated[
        Literal["ladder", "classes"], key("层次", "ladder: from the highest to the lowest; classes: side by side", "ladder")
    ] = "ladder"
    levels: Annotated[tuple[Level, ...], key("层级", "The highest first; the first that holds counts", [])]
