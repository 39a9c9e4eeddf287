"""What the builder shows: the form, its mistakes at their conditions, the sentence, the YAML, and who would belong."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import yaml
from django.db.models import F

from qunce.accounts.models import Staff
from qunce.playbook.schema.segments import Segment, Subject
from qunce.playbook.segments import catalogue
from qunce.playbook.segments.check import rules_of
from qunce.playbook.segments.tree import Rule
from qunce.playbook.write import to_plain
from qunce.readmodels.models import Group
from qunce.runtime import organisation
from qunce.runtime.segments import editing, form, views
from qunce.runtime.segments.form import Cond, Form
from qunce.runtime.segments.rules import in_force

Titles = tuple[str, str]
MOST_GROUPS: Final = 200
"""Groups a menu offers; others can be written in the playbook's text."""
_ID: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*")
_FIELDS: Final[dict[str, Titles]] = {
    "amount": ("金额", "amount"), "length": ("字数", "characters"), "peer": ("不同的人", "different people"),
    "group_id": ("不同的群", "different groups"), "member_id": ("不同的成员", "different members"),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """An entry of a menu."""

    value: str
    title: Titles


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A mistake: what, how to mend it, its code."""

    message: str
    fix: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A condition as the page shows it."""

    path: str
    cond: Cond
    parts: tuple[Line, ...]
    problems: tuple[Problem, ...]
    value_kind: str
    operators: tuple[str, ...]
    measures: tuple[Option, ...]
    choices: tuple[Option, ...]
    wheres: tuple[str, ...]
    """Lists that can narrow its events, of `form.WHERES`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A segment that is being written."""

    form: Form
    lines: tuple[Line, ...]
    problems: tuple[Problem, ...]
    """All of them."""
    own_problems: tuple[Problem, ...]
    """Those of the segment as a whole."""
    words: Titles | None
    """None while there are mistakes."""
    yaml: str
    rules: Mapping[str, Rule]
    seen_ms: int
    events: tuple[Option, ...]
    attributes: tuple[Option, ...]
    windows: tuple[str, ...]
    sinces: tuple[Option, ...]
    segments: tuple[Option, ...]
    contents: tuple[Option, ...]
    groups: tuple[Option, ...]
    """The groups with the newest messages, and those that are chosen."""
    tags: tuple[str, ...]
    currency: str
    """The organisation's, which amounts are in."""


def opened(segment_id: str | None) -> Built | None:
    """Return a segment of the draft or in force to be changed, or (None) an empty one; None = there is none of that id.

    Raises InvalidPlaybook when the draft has mistakes.
    """
    base = editing.base()
    if segment_id is None:
        fresh = Form(segment_id=_free_id(base), title="", title_en="", of="member", parts=(form.new("did", "member"),))
        return _built(base, fresh, check=False)
    found = base.get(segment_id)
    return _built(base, form.form_of(found)) if found is not None else None


def built(data: Mapping[str, str], lists: Mapping[str, list[str]], do: str) -> Built:
    """Return what a form sent, after the button `do`. Raises InvalidPlaybook when the draft has mistakes."""
    base = editing.base()
    return _built(base, form.changed(form.posted(data, lists), do))


def trial(one: Built, moment_ms: int, visible: views.Visible) -> views.Found:
    """Return who would belong. Call without problems only. Raises views.Computing while another page asks."""
    return views.trial(one.rules, one.form.segment_id, moment_ms, visible)


def do_save(*, actor: Staff | None, built: Built, replaces: str | None, seen_ms: int) -> int:
    """Write it into the draft; return the draft's token. Raises what `editing.do_save` raises."""
    return editing.do_save(actor=actor, segment=built.form.segment(), replaces=replaces, seen_ms=seen_ms)


do_remove = editing.do_remove


def _free_id(base: editing.Base) -> str:
    known = {segment.segment_id for segment in base.segments}
    return next(name for number in range(1, len(known) + 2) if (name := f"segment_{number}") not in known)


def _built(base: editing.Base, raw: Form, *, check: bool = True) -> Built:
    one = form.tidy(raw, base.fields)
    segment = one.segment()
    found = _problems(base, one, segment) if check else {}
    every = tuple(problem for problems in found.values() for problem in problems)
    rules: Mapping[str, Rule] = {} if every else rules_of(base.with_segment(segment), base.fields)
    sound = not every and one.segment_id in rules
    known = in_force()
    return Built(
        form=one, lines=_lines(base, one, one.parts, "r", found), problems=every, own_problems=tuple(found.get("", ())),
        words=views.words_of(rules[one.segment_id], replace(known, segments=base.segments)) if sound else None,
        yaml=_yaml(segment), rules=rules, seen_ms=base.seen_ms,
        events=tuple(
            Option(value=name, title=(kind.zh, kind.en)) for name, kind in catalogue.EVENTS.items() if one.of in kind.subjects
        ),
        attributes=_attributes(base, one.of), windows=form.WINDOWS,
        sinces=tuple(
            Option(value=f"since:{name}", title=(item.zh, name.replace("_", " ")))
            for name, item in catalogue.ATTRIBUTES[one.of].items() if item.kind == "moment"
        ),
        segments=tuple(
            Option(value=other.segment_id, title=(other.title, other.title_en or other.title))
            for other in base.segments if other.of == one.of and other.segment_id != one.segment_id
        ),
        contents=_named("content", catalogue.CONTENTS), groups=_groups(one), tags=base.tags, currency=organisation.currency(),
    )  # fmt: skip


def _problems(base: editing.Base, one: Form, segment: Segment) -> dict[str, list[Problem]]:
    found: dict[str, list[Problem]] = {}
    if not one.title:
        found.setdefault("", []).append(Problem(message="it has no title", fix="give it a name", code="missing"))
    if _ID.fullmatch(one.segment_id) is None:
        fix = "write lower-case letters, digits and _, such as lost_buyers"
        found.setdefault("", []).append(Problem(message=f"not an id: {one.segment_id!r}", fix=fix, code="id"))
    known = form.places(one)
    for path, message, fix, code in base.check(segment):
        found.setdefault(form.place_of(path, known), []).append(Problem(message=message, fix=fix, code=code))
    return found


def _lines(
    base: editing.Base, one: Form, parts: tuple[Cond, ...], path: str, problems: Mapping[str, list[Problem]]
) -> tuple[Line, ...]:
    return tuple(_line(base, one, part, f"{path}.{place}", problems) for place, part in enumerate(parts))


def _line(base: editing.Base, one: Form, cond: Cond, path: str, problems: Mapping[str, list[Problem]]) -> Line:
    kind = form.value_kind(cond, one.of, base.fields)
    declared = base.fields.get(cond.get("name"))
    attribute = catalogue.ATTRIBUTES[one.of].get(cond.get("name")) or declared
    measures = form.measures_of(cond, one.of) if cond.kind == "did" else []
    return Line(
        path=path, cond=cond, parts=_lines(base, one, cond.parts, path, problems), problems=tuple(problems.get(path, ())),
        value_kind=kind, operators=form.operators(kind, in_attr=cond.kind == "attr", declared=declared is not None),
        measures=tuple(Option(value=name, title=_measure(name)) for name in measures),
        choices=_named(cond.get("name"), attribute.choices) if attribute is not None and cond.kind == "attr" else (),
        wheres=form.wheres_of(cond) if cond.kind == "did" else (),
    )  # fmt: skip


def _measure(name: str) -> Titles:
    measure, _, what = name.partition(":")
    zh, en = _FIELDS.get(what, ("", ""))
    return {
        "times": ("次数", "times"), "days": ("天数", "days"),
        "first": ("第一次在", "first time"), "last": ("最近一次在", "last time"),
        "sum": (f"{zh}合计", f"sum of {en}"), "distinct": (f"{zh}数", en),
    }[measure]  # fmt: skip


def _attributes(base: editing.Base, of: Subject) -> tuple[Option, ...]:
    found: dict[str, Any] = dict(catalogue.ATTRIBUTES[of])
    if of != "group":
        found |= base.fields
    return tuple(Option(value=name, title=(item.zh, item.en)) for name, item in found.items())


def _named(name: str, words: Sequence[str]) -> tuple[Option, ...]:
    names = catalogue.WORD_NAMES.get(name, {})
    return tuple(Option(value=word, title=names.get(word, (word, word))) for word in words)


def _groups(one: Form) -> tuple[Option, ...]:
    chosen = {int(number) for cond in _flat(one.parts) for number in cond.many("group") if number.isdecimal()}
    rows = Group.objects.filter(kind="group").values_list("pk", "name")
    found = dict(rows.filter(pk__in=chosen)) if chosen else {}
    found |= dict(rows.order_by(F("last_ms").desc(nulls_last=True), "pk")[:MOST_GROUPS])
    return tuple(Option(value=str(number), title=(name or f"#{number}",) * 2) for number, name in found.items())


def _flat(parts: Iterable[Cond]) -> Iterator[Cond]:
    for part in parts:
        yield part
        yield from _flat(part.parts)


def _yaml(segment: Segment) -> str:
    return yaml.safe_dump([to_plain(segment)], allow_unicode=True, sort_keys=False, width=100)
