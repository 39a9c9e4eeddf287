"""Turn the written conditions of a segment into the tree, and find every mistake on the way."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Final

from qunce.playbook.schema.segments import KINDS, Segment, Subject, Written
from qunce.playbook.schema.segments import Node as NodeText
from qunce.playbook.segments.catalogue import ATTRIBUTES, CONTENTS, EVENTS, NOT_YET, Attribute, EventKind, Kind
from qunce.playbook.segments.conditions import ANYTHING, COUNT, LONGEST_MS, WORDS, BadCondition, Domain, read
from qunce.playbook.segments.tree import (
    AllOf,
    AnyOf,
    Attr,
    Compare,
    Did,
    Field,
    IsMissing,
    IsSet,
    Measure,
    Node,
    Not,
    Period,
    Ref,
    Rule,
    Sample,
    Since,
    Tagged,
    Test,
    Window,
    Within,
)  # fmt: skip
from qunce.playbook.units import parse_duration

Found = tuple[str, str, str, str]
"""Path below the segment, message, fix, code."""
DAY_MS: Final = 86_400_000
MAX_PARTS: Final = 200
_NOTHING: Final = AllOf(())
_BELONGS: Final[dict[str, tuple[str, ...]]] = {
    "attr": ("is_",), "sample": ("salt",),
    "did": ("within", "since", "where", "times", "days", "sum", "distinct", "first", "last"),
}  # fmt: skip
_PERIOD_DAYS: Final = {"today": 1, "this_week": 7, "this_month": 31}
_DISTINCT: Final[dict[Subject, tuple[str, ...]]] = {
    "member": ("peer", "group_id"), "membership": ("peer",), "group": ("member_id",),
}  # fmt: skip
_SHARE: Final = re.compile(r"(\d{1,3})(?:\.(\d{1,2}))?%")
_TITLES: Final = {"member": "a member", "membership": "a membership", "group": "a group"}


class Builder:
    """Build one segment. `problems` collects what is wrong; a tree with problems must not be used."""

    def __init__(
        self,
        segment: Segment,
        others: Mapping[str, Subject],
        tags: frozenset[str] | None = None,
        fields: Mapping[str, Attribute] | None = None,
    ) -> None:
        """`others` gives the subject of every segment; `tags` the tags that exist, None = not known here.

        `fields` are the attributes of members that the playbook declares.
        """
        self._segment = segment
        self._of = segment.of
        self._others = others
        self._tags = tags
        self._fields = {} if fields is None or segment.of == "group" else fields
        self._parts = 0
        self.problems: list[Found] = []

    def build(self) -> Rule:
        """Return the segment's tree."""
        where = self._segment.where
        if not where:
            self._note("where", "a segment without conditions holds everybody", "add a condition", "no_op")
        parts = tuple(self._node(node, f"where[{index}]") for index, node in enumerate(where))
        body = parts[0] if len(parts) == 1 else AllOf(parts)
        return Rule(segment_id=self._segment.segment_id, title=self._segment.title, of=self._of, body=body)

    def _note(self, path: str, message: str, fix: str, code: str) -> Node:
        self.problems.append((path, message, fix, code))
        return _NOTHING

    def _node(self, node: NodeText, path: str) -> Node:
        self._parts += 1
        if self._parts == MAX_PARTS + 1:
            self._note("where", f"more than {MAX_PARTS} conditions", "split it into segments", "size")
        kinds = [name for name, field in KINDS.items() if getattr(node, field) is not None]
        if len(kinds) != 1:
            names = " | ".join(KINDS)
            if kinds:
                message, fix = f"{' and '.join(kinds)} in one condition", "write each as an item of its own"
            else:
                message, fix = "it does not say what to look at", f"start with one of {names}"
            return self._note(path, message, fix, "kind")
        kind = kinds[0]
        for owner, fields in _BELONGS.items():
            for field in fields:
                if owner != kind and getattr(node, field) is not None:
                    name = field.rstrip("_")
                    self._note(f"{path}.{name}", f"{name!r} belongs to {owner!r}, not to {kind!r}", "delete it", "no_op")
        match kind:
            case "all" | "any":
                return self._group(node, kind, path)
            case "not":
                return Not(self._node(node.not_ or NodeText(), f"{path}.not"))
            case "attr":
                return self._attr(node, path)
            case "tag":
                return self._tag(node.tag or (), path)
            case "did":
                return self._did(node, path)
            case "segment":
                return self._ref(node.segment or "", path)
            case _:
                return self._sample(node, path)

    def _group(self, node: NodeText, kind: str, path: str) -> Node:
        items = (node.all_of if kind == "all" else node.any_of) or ()
        if not items:
            return self._note(f"{path}.{kind}", f"an empty {kind!r} says nothing", "add conditions, or delete it", "no_op")
        parts = tuple(self._node(item, f"{path}.{kind}[{index}]") for index, item in enumerate(items))
        return AllOf(parts) if kind == "all" else AnyOf(parts)

    def _attr(self, node: NodeText, path: str) -> Node:
        name = node.attr or ""
        attribute = ATTRIBUTES[self._of].get(name) or self._fields.get(name)
        if attribute is None:
            owners = [_TITLES[of] for of in ATTRIBUTES if name in ATTRIBUTES[of]]
            if owners:
                message = f"{name!r} is an attribute of {' and '.join(owners)}, not of {_TITLES[self._of]}"
                fix = f"set “of:”, or use {' | '.join(ATTRIBUTES[self._of])}"
                return self._note(f"{path}.attr", message, fix, "subject")
            return self._note(
                f"{path}.attr",
                f"unknown attribute {name!r}",
                _meant(name, {**ATTRIBUTES[self._of], **self._fields}),
                "reference",
            )
        if node.is_ is None:
            return self._note(f"{path}.is", f"no condition on {name!r}", "add “is:”, such as is: set", "missing")
        if name not in ATTRIBUTES[self._of]:
            test = self._field_test(f"{path}.is", node.is_, attribute)
            return Field(name, attribute.kind, attribute.zh, test) if test else _NOTHING
        domain = Domain(low=0) if attribute.kind in {"number", "moment"} else ANYTHING
        test = self._test(f"{path}.is", node.is_, attribute.kind, domain, attribute.choices)
        return Attr(name, test) if test else _NOTHING

    def _field_test(self, path: str, written: Written, attribute: Attribute) -> Test | None:
        """Return the test on a declared attribute; unlike a count it may be missing, and a date may lie ahead."""
        if written in {"set", "missing"}:
            return IsSet() if written == "set" else IsMissing()
        return self._test(path, written, attribute.kind, ANYTHING, attribute.choices)

    def _tag(self, tags: tuple[str, ...], path: str) -> Node:
        if not tags or not all(tag.strip() for tag in tags):
            return self._note(f"{path}.tag", "no tag is named", "name at least one tag", "no_op")
        for tag in tags:
            if self._tags is not None and tag not in self._tags:
                self._note(f"{path}.tag", f"unknown tag {tag!r}", _meant(tag, self._tags), "reference")
        return Tagged(tuple(dict.fromkeys(tags)))

    def _ref(self, name: str, path: str) -> Node:
        of = self._others.get(name)
        if of is None:
            return self._note(f"{path}.segment", f"no segment {name!r}", _meant(name, self._others), "reference")
        if of != self._of:
            message = f"{name!r} is about {_TITLES[of]}, this segment about {_TITLES[self._of]}"
            return self._note(f"{path}.segment", message, f"refer to a segment with “of: {self._of}”", "subject")
        return Ref(name)

    def _sample(self, node: NodeText, path: str) -> Node:
        match = _SHARE.fullmatch(node.sample or "")
        share = int(match[1]) * 100 + int((match[2] or "").ljust(2, "0")) if match else 0
        if not 0 < share < 10_000:
            message = f"not a share of people: {node.sample!r}"
            return self._note(f"{path}.sample", message, "write 10%, or 2.5%: more than 0% and less than 100%", "condition")
        if not node.salt:
            return self._note(f"{path}.salt", "a draw without a name", "add “salt:”, such as salt: holdout_2026q4", "missing")
        return Sample(share, node.salt)

    def _did(self, node: NodeText, path: str) -> Node:
        kinds = self._events(node.did or (), path)
        if not kinds:
            return _NOTHING
        window = self._window(node, path)
        where = self._where(node, kinds, path)
        leaves = [
            Did(
                events=tuple(dict.fromkeys(node.did or ())), window=window, where=where, measure=measure, field=field, test=test
            )
            for measure, field, test in self._measures(node, kinds, window, path)
        ]
        return leaves[0] if len(leaves) == 1 else AllOf(tuple(leaves))

    def _events(self, names: tuple[str, ...], path: str) -> tuple[EventKind, ...]:
        if not names:
            self._note(f"{path}.did", "no event is named", f"use {' | '.join(EVENTS)}", "no_op")
        found = []
        for name in names:
            kind = EVENTS.get(name)
            if kind is None:
                fix = _meant(name, EVENTS) if name not in NOT_YET else f"there is {' | '.join(EVENTS)}"
                message = f"{name!r} cannot be answered: {NOT_YET[name]}" if name in NOT_YET else f"unknown event {name!r}"
                self._note(f"{path}.did", message, fix, "reference")
            elif self._of not in kind.subjects:
                subjects = " or ".join(f"of: {of}" for of in kind.subjects)
                self._note(f"{path}.did", f"{name!r} is not an event of {_TITLES[self._of]}", f"use {subjects}", "subject")
            else:
                found.append(kind)
        return tuple(found) if len(found) == len(names) else ()

    def _window(self, node: NodeText, path: str) -> Window | None:
        if node.within is not None and node.since is not None:
            self._note(f"{path}.since", "within and since in one condition", "keep one of them", "impossible")
        if node.since is not None:
            attribute = ATTRIBUTES[self._of].get(node.since)
            if attribute is None or attribute.kind != "moment":
                moments = " | ".join(name for name, item in ATTRIBUTES[self._of].items() if item.kind == "moment")
                message = f"{node.since!r} is not a moment of {_TITLES[self._of]}"
                self._note(f"{path}.since", message, f"use {moments}", "reference")
            return Since(node.since)
        if node.within is None:
            return None
        for word in WORDS:
            if node.within == word:
                return Period(word)
        try:
            span_ms = parse_duration(node.within) * 1000
        except ValueError as error:
            self._note(f"{path}.within", f"not a window: {node.within!r}", f"{error}; or {' | '.join(WORDS)}", "duration")
            return None
        if span_ms > LONGEST_MS:
            fix = "leave “within” out, or write at most 36500d"
            self._note(f"{path}.within", f"{node.within!r} is more than a hundred years", fix, "bounds")
            return None
        return Within(span_ms)

    def _where(self, node: NodeText, kinds: tuple[EventKind, ...], path: str) -> tuple[tuple[str, Test], ...]:
        found = []
        for name, written in (node.where or {}).items():
            place = f"{path}.where.{name}"
            known = _common([kind.wheres for kind in kinds])
            if name not in known:
                self._note(place, f"no field {name!r} in {' and '.join(node.did or ())}", _fields(name, known), "reference")
                continue
            test = self._test(place, written, known[name], ANYTHING, CONTENTS if name == "content" else ())
            if test:
                found.append((name, test))
        return tuple(found)

    def _measures(
        self, node: NodeText, kinds: tuple[EventKind, ...], window: Window | None, path: str
    ) -> Iterable[tuple[Measure, str, Test]]:
        asked = [name for name in ("times", "days", "sum", "distinct", "first", "last") if getattr(node, name) is not None]
        if not asked:
            yield "times", "", Compare(">=", 1)
        simple: tuple[tuple[Measure, Written | None, Kind, Domain], ...] = (
            ("times", node.times, "number", COUNT),
            ("days", node.days, "number", Domain(low=0, high=_most_days(window))),
            ("first", node.first, "moment", _ages(window)),
            ("last", node.last, "moment", _ages(window)),
        )
        for measure, written, kind, domain in simple:
            if written is not None:
                test = self._test(f"{path}.{measure}", written, kind, domain)
                if test:
                    yield measure, "", test
        sums = _common([kind.sums for kind in kinds])
        yield from self._by_field("sum", node.sum, sums, node.did or (), path)
        counted: dict[str, Kind] = {
            name: "number" for name in _DISTINCT[self._of] if all(name in kind.distinct for kind in kinds)
        }
        yield from self._by_field("distinct", node.distinct, counted, node.did or (), path)

    def _by_field(
        self,
        measure: Measure,
        written: Mapping[str, Written] | None,
        known: Mapping[str, Kind],
        events: tuple[str, ...],
        path: str,
    ) -> Iterable[tuple[Measure, str, Test]]:
        if written is not None and not written:
            self._note(f"{path}.{measure}", f"an empty {measure!r} says nothing", "name a field", "no_op")
        for name, condition in (written or {}).items():
            place = f"{path}.{measure}.{name}"
            if name not in known:
                message = f"{name!r} of {' and '.join(events)} cannot be used with {measure!r} for {_TITLES[self._of]}"
                self._note(place, message, _fields(name, known), "reference")
                continue
            test = self._test(place, condition, known[name], COUNT)
            if test:
                yield measure, name, test

    def _test(self, path: str, written: Written, kind: Kind, domain: Domain, choices: tuple[str, ...] = ()) -> Test | None:
        try:
            return read(written, kind, domain, choices)
        except BadCondition as error:
            self._note(path, error.message, error.fix, error.code)
            return None


def _most_days(window: Window | None) -> int | None:
    """Return how many local days a window can touch; a rolling one touches one more than its length."""
    match window:
        case Within(span_ms=span_ms):
            return -(-span_ms // DAY_MS) + 1
        case Period(word=word):
            return _PERIOD_DAYS[word]
        case _:
            return None


def _ages(window: Window | None) -> Domain:
    return Domain(low=0, high=window.span_ms) if isinstance(window, Within) else COUNT


def _common(fields: list[dict[str, Kind]]) -> dict[str, Kind]:
    return {name: kind for name, kind in fields[0].items() if all(other.get(name) == kind for other in fields)}


def _fields(name: str, known: Iterable[str]) -> str:
    names = list(known)
    return _meant(name, names) if names else "delete it; nothing can be used here"


def _meant(word: str, choices: Iterable[str]) -> str:
    names = sorted(choices)
    close = get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"use {' | '.join(names)}" if names else "delete it; there is none yet"
