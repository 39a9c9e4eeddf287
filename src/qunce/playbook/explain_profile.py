"""Say in Chinese or English when a rule puts its tag."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from qunce.playbook.profile import rule_tree
from qunce.playbook.schema import Playbook
from qunce.playbook.schema.profile import AT_LEAST, TagGroup, TagRule
from qunce.playbook.segments.describe import Language, describe
from qunce.playbook.units import say_duration


def explain_tag_rule(playbook: Playbook, group: TagGroup, rule: TagRule, language: Language = "zh") -> str:
    """Return what must hold for the tag, and when it ends; made from the bound rule."""
    zh = language == "zh"
    parts = []
    tree = rule_tree(playbook.segments, playbook.attributes, group, rule)
    if tree is not None:
        parts.append(describe(tree.body, group.target, language))
    if rule.said:
        words, span = " / ".join(rule.said), say_duration(rule.within_s, language)
        if zh:
            parts.append(f"最近 {span}里至少 {rule.times} 条发言含有「{words}」")
        else:
            parts.append(f"at least {rule.times} messages of the last {span} hold {words}")
    if rule.model is not None:
        parts.append(_by_model(rule, language))
    said = ("且" if zh else " and ").join(parts)
    if rule.expire_after_s is not None:
        span = say_duration(rule.expire_after_s, language)
        said += f"；{span.strip()}后到期" if zh else f"; ends after {span}"
    if not rule.take_back:
        said += "；不再符合时保留" if zh else "; stays when that no longer holds"
    return said


TAG_MODELS: Final[Mapping[str, tuple[str, str]]] = {
    "spam": ("广告", "spam"), "abuse": ("冒犯", "offence"), "mood": ("不满情绪", "discontent"),
    "own": ("自学（按“标签对 / 不对”的标注）", "its own (by marks “tag right / wrong”)"),
}  # fmt: skip
"""Name of each model in Chinese and English."""


def _by_model(rule: TagRule, language: Language) -> str:
    span, sure = say_duration(rule.within_s, language), f"{rule.at_least or AT_LEAST:.0%}"
    zh, en = TAG_MODELS[rule.model or "own"]
    if language == "zh":
        return f"最近 {span}里至少 {rule.times} 条发言，模型「{zh}」的把握不低于 {sure}"
    return f"at least {rule.times} messages of the last {span} of which the model “{en}” is {sure} sure"
