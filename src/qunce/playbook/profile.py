"""Check attributes and groups of tags, and make what segments and rules need of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from qunce.domain.text import fold
from qunce.playbook.schema.profile import Attribute, AttributeType, Tag, TagGroup, TagRule
from qunce.playbook.schema.segments import Segment, Subject
from qunce.playbook.segments import catalogue
from qunce.playbook.segments.build import Builder, Found
from qunce.playbook.segments.tree import Rule
from qunce.playbook.units import placeholders

MOST_TAGS: Final = 200
MOST_CHOICES: Final = 100
_KINDS: Final[dict[AttributeType, catalogue.Kind]] = {
    "choice": "word", "city": "word", "bool": "word", "number": "number", "money": "money", "date": "moment",
}  # fmt: skip
_BUILT_IN: Final = frozenset(name for known in catalogue.ATTRIBUTES.values() for name in known)


def check_attribute(attribute: Attribute) -> Iterator[Found]:
    """Yield what is wrong with an attribute."""
    name = attribute.attribute_id
    if name in _BUILT_IN:
        yield "attribute_id", f"{name!r} is counted by itself already", "give it another id", "duplicate_id"
    if attribute.type == "choice":
        yield from _check_choices(attribute)
    elif attribute.choices:
        yield "choices", f"choices of a {attribute.type} say nothing", "write “type: choice”, or delete them", "no_op"
    if attribute.unit and attribute.type != "number":
        yield "unit", f"a {attribute.type} has no unit", "delete it", "no_op"
    if attribute.auto_accept_above is not None and not attribute.chat_phrases:
        yield "auto_accept_above", "nothing is proposed, so nothing can be accepted", "add “chat_phrases:”", "no_op"
    for index, phrase in enumerate(attribute.chat_phrases):
        yield from _check_phrase(attribute, f"chat_phrases[{index}]", phrase)


def _check_choices(attribute: Attribute) -> Iterator[Found]:
    if len(attribute.choices) < 2:
        yield "choices", "a choice needs something to choose from", "add at least two choices", "no_op"
    if len(attribute.choices) > MOST_CHOICES:
        yield "choices", f"more than {MOST_CHOICES} choices", "write “type: text”", "size"
    seen: dict[str, str] = {}
    for index, choice in enumerate(attribute.choices):
        for word in (choice.value, *choice.words):
            before = seen.setdefault(fold(word), choice.value)
            if before != choice.value or (word == choice.value and word in choice.words):
                yield f"choices[{index}]", f"{word!r} stands twice", "keep it at one choice", "duplicate_id"


def _check_phrase(attribute: Attribute, path: str, phrase: str) -> Iterator[Found]:
    try:
        names = placeholders(phrase)
    except ValueError:
        yield path, "the braces do not match", "write {value}", "template"
        return
    if any(name != "value" for name in names) or len(names) > 1:
        yield path, "only {value} can stand in braces, and once", "write 坐标{value}", "template"
    elif not names and attribute.type not in ("bool", "choice"):
        yield path, f"it does not say which {attribute.type}", "write {value} where the value stands", "template"
    elif len(fold(phrase.replace("{value}", ""))) < 1 and attribute.type not in ("choice", "city"):
        yield path, "any word would be a value", "add the words before or behind it", "impossible"


def check_tag_group(
    groups: tuple[TagGroup, ...], segments: tuple[Segment, ...], attributes: tuple[Attribute, ...], group: TagGroup
) -> Iterator[Found]:
    """Yield what is wrong with a group of tags beside the other `groups`, `segments` and `attributes` of its playbook."""
    if not group.tags:
        yield "tags", "a group without tags does nothing", "add a tag", "no_op"
    if group.exclusive and len(group.tags) == 1:
        yield "exclusive", "one tag alone excludes nothing", "add a tag, or delete “exclusive:”", "no_op"
    if len(group.tags) > MOST_TAGS:
        yield "tags", f"more than {MOST_TAGS} tags", "make it an attribute", "size"
    uses = Counter(tag.tag_id for item in groups for tag in item.tags)
    rules = Counter(rule.rule_id for item in groups for tag in item.tags for rule in tag.rules)
    for index, tag in enumerate(group.tags):
        place = f"tags[{index}]"
        if not tag.tag_id.strip() or tag.tag_id != tag.tag_id.strip():
            yield f"{place}.tag_id", "a tag begins and ends with a letter", "delete the spaces around it", "bounds"
        if uses[tag.tag_id] > 1:
            yield f"{place}.tag_id", f"the tag {tag.tag_id!r} stands twice", "keep one, or rename it", "duplicate_id"
        for number, rule in enumerate(tag.rules):
            below = f"{place}.rules[{number}]"
            if rules[rule.rule_id] > 1:
                yield f"{below}.rule_id", f"{rule.rule_id!r} stands twice", "give one of them another id", "duplicate_id"
            for path, *rest in _check_rule(groups, segments, attributes, group, rule):
                yield f"{below}{'.' if path else ''}{path}", *rest  # type: ignore[misc]  # four texts


def _check_rule(
    groups: tuple[TagGroup, ...],
    segments: tuple[Segment, ...],
    attributes: tuple[Attribute, ...],
    group: TagGroup,
    rule: TagRule,
) -> Iterator[Found]:
    if not rule.where and not rule.listens:
        yield "", "a rule without conditions tags everybody", "add “where:” or “said:”", "no_op"
    if not rule.listens and rule.times > 1:
        yield "times", "it counts messages with words, and there are no words", "add “said:”", "no_op"
    if rule.listens and group.target == "group":
        yield "said" if rule.said else "model", "words are said by members", "use a group of tags for members", "subject"
    if rule.said and rule.model is not None:
        yield "model", "words and a model would count the same messages", "make two rules of it, one for each", "contradiction"
    if rule.at_least is not None and rule.model is None:
        yield "at_least", "no model is asked", "add “model:”, or delete it", "no_op"
    for index, word in enumerate(rule.said):
        if not fold(word).strip():
            yield f"said[{index}]", f"{word!r} holds no letter", "write a word", "no_op"
    if rule.where:
        builder = _builder(segments, attributes, group, rule, tag_ids(groups))
        builder.build()
        yield from builder.problems


def tag_ids(groups: tuple[TagGroup, ...]) -> frozenset[str]:
    """Return every tag that is declared."""
    return frozenset(tag.tag_id for group in groups for tag in group.tags)


def tags_by_id(groups: tuple[TagGroup, ...]) -> Mapping[str, tuple[TagGroup, Tag]]:
    """Return every declared tag with its group."""
    return {tag.tag_id: (group, tag) for group in groups for tag in group.tags}


def segment_fields(attributes: tuple[Attribute, ...]) -> Mapping[str, catalogue.Attribute]:
    """Return the attributes that segments may ask for, as `playbook.segments` reads them."""
    found = {}
    for attribute in attributes:
        if attribute.segmentable and attribute.type != "text":
            choices = tuple(choice.value for choice in attribute.choices)
            found[attribute.attribute_id] = catalogue.Attribute(
                kind=_KINDS[attribute.type], zh=attribute.title, en=attribute.title_en or attribute.title,
                choices=("yes", "no") if attribute.type == "bool" else choices,
            )  # fmt: skip
    return found


def rule_tree(segments: tuple[Segment, ...], attributes: tuple[Attribute, ...], group: TagGroup, rule: TagRule) -> Rule | None:
    """Return the conditions of a checked rule as a segment is evaluated; None = it only looks at words."""
    return _builder(segments, attributes, group, rule, None).build() if rule.where else None


def rule_key(rule_id: str) -> str:
    """Return the name under which a rule is evaluated; no segment can have it."""
    return f"tag/{rule_id}"


def _builder(
    segments: tuple[Segment, ...],
    attributes: tuple[Attribute, ...],
    group: TagGroup,
    rule: TagRule,
    tags: frozenset[str] | None,
) -> Builder:
    others: dict[str, Subject] = {item.segment_id: item.of for item in segments}
    segment = Segment(segment_id=rule_key(rule.rule_id), title=rule.rule_id, of=group.target, where=rule.where)
    return Builder(segment, others, tags, segment_fields(attributes))
