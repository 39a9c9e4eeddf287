"""Say in Chinese or English when a rule puts its tag."""

from __future__ import annotations

from qunce.playbook.profile import rule_tree
from qunce.playbook.schema import Playbook
from qunce.playbook.schema.profile import TagGroup, TagRule
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
    said = ("且" if zh else " and ").join(parts)
    if rule.expire_after_s is not None:
        span = say_duration(rule.expire_after_s, language)
        said += f"；{span.strip()}后到期" if zh else f"; ends after {span}"
    if not rule.take_back:
        said += "；不再符合时保留" if zh else "; stays when that no longer holds"
    return said
