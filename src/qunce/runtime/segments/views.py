"""Plain rows of segments for screens: how large, who, since when, how it went, and who is expected."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import msgspec
import numpy as np
from django.conf import settings
from django.db.models import Q

from qunce.accounts.models import Staff
from qunce.analytics.segments.plan import Plan, leaves_of
from qunce.analytics.segments.run import SegmentEngine
from qunce.engine.segments.evaluate import Explained, explain
from qunce.engine.segments.wheel import judge
from qunce.playbook.schema.segments import Subject
from qunce.playbook.segments.catalogue import ATTRIBUTES
from qunce.playbook.segments.describe import describe
from qunce.playbook.segments.tree import AllOf, AnyOf, Attr, Did, Field, Node, Not, OneOfIds, Rule, Tagged
from qunce.readmodels.models import Group, Member, Membership, Message
from qunce.runtime import jobs, organisation
from qunce.runtime.models import Job, SegmentDay, SegmentMember, SegmentMove, SegmentRun, SegmentState
from qunce.runtime.segments import mirrors
from qunce.runtime.segments.moves import Key
from qunce.runtime.segments.rules import SHIPPED, InForce, in_force
from qunce.runtime.segments.runs import JOB_KIND, Keys, difference, stored_keys

Visible = frozenset[int] | None
"""Groups somebody may see; None = all."""
Titles = tuple[str, str]
PAGE: Final = 50
HISTORY_DAYS: Final = 90
DAY_MS: Final = 86_400_000
MOST_EXPECTED: Final = 20
_computing = threading.Lock()
"""One question of a page at a time: they share the machine with everything else."""


class Computing(Exception):
    """Another page's question is being computed; ask again in a moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRow:
    """A segment in the list. `size` None = not run yet; `before` is the size at the end of yesterday, None = unknown."""

    segment_id: str
    title: Titles
    of: str
    words: Titles
    size: int | None
    before: int | None
    as_of_ms: int | None
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A subject as a list shows it."""

    subject_id: int
    group_id: int
    name: str
    group: str
    """Name of the group of a membership; empty otherwise."""
    moment_ms: int | None = None
    """When it entered, moved, or is expected to move."""
    entered: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Who belongs at a moment: how many, and some of them."""

    count: int
    people: tuple[Person, ...]
    as_of_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Who will enter and leave within a day if nothing happens."""

    as_of_ms: int
    entering: int
    leaving: int
    people: tuple[Person, ...]
    """The first of both, by the moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Two segments about the same kind of subject."""

    both: int
    only_this: int
    only_other: int


def is_shipped() -> bool:
    """Tell whether the examples are in force."""
    return in_force().version == SHIPPED


def listed() -> list[SegmentRow]:
    """Return the segments in force, in their order. Three queries."""
    rules = in_force()
    states = {state.pk: state for state in SegmentState.objects.all()}
    today = mirrors.clock().day(max((state.as_of_ms or 0 for state in states.values()), default=0))
    days = SegmentDay.objects.filter(day__lt=today, day__gte=today - 60).order_by("segment_id", "day")
    before = dict(days.values_list("segment_id", "size"))
    return [_row(rules, name, states.get(name), before.get(name)) for name in rules.rules]


def get(segment_id: str) -> SegmentRow | None:
    """Return a segment in force, or None."""
    rules = in_force()
    if segment_id not in rules.rules:
        return None
    state = SegmentState.objects.filter(pk=segment_id).first()
    day = mirrors.clock().day(state.as_of_ms) if state is not None and state.as_of_ms is not None else 0
    before = (
        SegmentDay.objects.filter(segment_id=segment_id, day__lt=day).order_by("-day").values_list("size", flat=True).first()
    )
    return _row(rules, segment_id, state, before)


def _row(rules: InForce, name: str, state: SegmentState | None, before: int | None) -> SegmentRow:
    segment = next(segment for segment in rules.segments if segment.segment_id == name)
    rule = rules.rules[name]
    return SegmentRow(
        segment_id=name, title=(segment.title, segment.title_en or segment.title), of=rule.of, words=words_of(rule, rules),
        size=state.size if state else None, before=before, as_of_ms=state.as_of_ms if state else None,
        error=state.error if state else "",
    )  # fmt: skip


def words_of(rule: Rule, rules: InForce | None = None) -> Titles:
    """Return the conditions as a sentence in both languages; segments are called by their titles."""
    zh, en = describe(rule.body, rule.of, "zh"), describe(rule.body, rule.of, "en")
    for segment in rules.segments if rules else ():
        zh = zh.replace(f"属于分群 {segment.segment_id}", f"属于「{segment.title}」")
        en = en.replace(f"belongs to {segment.segment_id}", f"belongs to “{segment.title_en or segment.title}”")
    names = group_names(rule, rules.rules if rules else {})
    if names:
        zh, en = (_IDS.sub(lambda found: _called(found, names), text) for text in (zh, en))
    return zh.replace("」 ", "」"), en


_IDS: Final = re.compile(r"\[(群 是|groups is) ([\d /]+)\]")


def _called(found: re.Match[str], names: Mapping[int, str]) -> str:
    said = " / ".join(names.get(int(number)) or number for number in found[2].split(" / "))
    return f"[{found[1]} {said}]" if found[1] == "群 是" else f"[in {said}]"


def group_names(rule: Rule, rules: Mapping[str, Rule]) -> dict[int, str]:
    """Return the names of the groups that the conditions of a rule narrow events to. One query where there are any."""
    leaves = [leaf for leaf in leaves_of(rule.body, rules) if isinstance(leaf, Did)] if rules else []
    ids = {number for leaf in leaves for _, test in leaf.where if isinstance(test, OneOfIds) for number in test.ids}
    return dict(Group.objects.filter(pk__in=ids).values_list("pk", "name")) if ids else {}


def members(segment: SegmentRow, visible: Visible, page: int) -> tuple[list[Person], int]:
    """Return a page of who belongs as of the newest run, the latest to enter first, and how many there are to see."""
    rows = SegmentMember.objects.filter(segment_id=segment.segment_id).filter(_seen(segment.of, visible))
    total = rows.count()
    start = (page - 1) * PAGE
    found = rows.order_by("-since_ms", "subject_id", "group_id").values_list("subject_id", "group_id", "since_ms")
    return _named(segment.of, [((subject, group), since, True) for subject, group, since in found[start : start + PAGE]]), total


def member_ids(segment_id: str, moment_ms: int | None = None, wait_s: float = 5.0) -> list[int]:
    """Return the members who belong as of the newest run, or belonged at a moment; none for groups.

    Those of memberships are there once each. Raises Computing while another page asks for longer than `wait_s`.
    """
    row = get(segment_id)
    if row is None or row.of == "group":
        return []
    keys = stored_keys(segment_id) if moment_ms is None else _asked(in_force().rules, segment_id, moment_ms, wait_s=wait_s)
    return [int(number) for number in np.unique(keys[:, 0])]


def moves(segment: SegmentRow, visible: Visible) -> list[Person]:
    """Return who entered and left last."""
    rows = SegmentMove.objects.filter(segment_id=segment.segment_id).filter(_seen(segment.of, visible))
    found = rows.order_by("-ts_ms", "-id").values_list("subject_id", "group_id", "ts_ms", "entered")[:30]
    return _named(segment.of, [((subject, group), ts_ms, entered) for subject, group, ts_ms, entered in found])


def history(segment_id: str) -> list[tuple[int, int, int, int]]:
    """Return (day, size, entered, left) of the newest days, holes filled with the size before."""
    rows = SegmentDay.objects.filter(segment_id=segment_id).order_by("-day").values_list("day", "size", "entered", "left")
    known = {day: (size, entered, left) for day, size, entered, left in rows[:HISTORY_DAYS]}
    found: list[tuple[int, int, int, int]] = []
    for day in range(min(known, default=0), max(known, default=-1) + 1):
        size, entered, left = known.get(day, (found[-1][1] if found else 0, 0, 0))
        found.append((day, size, entered, left))
    return found[-HISTORY_DAYS:]


def recent_runs(segment_id: str) -> list[SegmentRun]:
    """Return the newest runs of a segment, newest first."""
    return list(SegmentRun.objects.filter(segment_id=segment_id).order_by("-id")[:8])


def overlap(segment_id: str, other_id: str) -> Overlap:
    """Return how two segments share their members, as of the newest run. Two queries."""
    this, other = stored_keys(segment_id), stored_keys(other_id)
    only_this, only_other = len(difference(this, other)), len(difference(other, this))
    return Overlap(both=len(this) - only_this, only_this=only_this, only_other=only_other)


def as_of(segment_id: str, moment_ms: int, visible: Visible, most: int = PAGE) -> Found:
    """Return who belonged at a moment by what is known today. Raises Computing while another page asks."""
    rules = in_force()
    return _found(rules.rules, segment_id, moment_ms, visible, most)


def trial(rules: Mapping[str, Rule], segment_id: str, moment_ms: int, visible: Visible, most: int = 8) -> Found:
    """Return who would belong to a segment that is being written. Raises Computing while another page asks."""
    return _found(rules, segment_id, moment_ms, visible, most)


def _found(rules: Mapping[str, Rule], segment_id: str, moment_ms: int, visible: Visible, most: int) -> Found:
    of = rules[segment_id].of
    keys = _asked(rules, segment_id, moment_ms)
    some = _visible_keys(of, keys, visible, most)
    return Found(count=len(keys), people=tuple(_named(of, [(key, None, True) for key in some])), as_of_ms=moment_ms)


def expected(segment_id: str, now_ms: int, visible: Visible) -> Expected:
    """Return who enters and leaves within a day by time alone. Raises Computing while another page asks."""
    rules = in_force().rules
    rule = rules[segment_id]
    now, then = _asked(rules, segment_id, now_ms), _asked(rules, segment_id, now_ms + DAY_MS, now_ms)
    entering, leaving = difference(then, now), difference(now, then)
    some: list[tuple[Key, int | None, bool]] = []
    engine = _engine()
    first_day = Plan(rules, [segment_id], engine.moment(now_ms), "").first_day()
    for keys, entered in ((entering, True), (leaving, False)):
        for key in _visible_keys(rule.of, keys, visible, MOST_EXPECTED):
            until = None
            known = engine.known(rule.of, key[0], first_day)
            subject = known.subjects.get(key)
            if subject is not None:
                until = judge(rule, subject, known.history(key), engine.moment(now_ms), rules).until_ms
            some.append((key, until, entered))
    some.sort(key=lambda one: one[1] or now_ms + DAY_MS)
    return Expected(
        as_of_ms=now_ms, entering=len(entering), leaving=len(leaving), people=tuple(_named(rule.of, some[:MOST_EXPECTED]))
    )


def do_run(*, actor: Staff | None) -> int:
    """Queue a run of all segments, unless one waits already; return the job's id."""
    return jobs.enqueue_once(JOB_KIND, actor=actor, action="segment.run")


def running_job() -> Job | None:
    """Return the run that waits or goes on; None = there is none."""
    return jobs.unfinished(JOB_KIND)


def _asked(
    rules: Mapping[str, Rule], segment_id: str, moment_ms: int, heard_ms: int | None = None, wait_s: float = 5.0
) -> Keys:
    if not _computing.acquire(timeout=wait_s):
        raise Computing
    try:
        mirrors.fresh()
        rows = _engine().members_of(rules, segment_id, moment_ms, heard_ms)
    finally:
        _computing.release()
    ordered = rows.sort_by([("subject_id", "ascending"), ("group_id", "ascending")])
    return np.column_stack([ordered["subject_id"].to_numpy(), ordered["group_id"].to_numpy()]).astype(np.int64)


@cache
def _engine_of(folder: str, zone: str, currency: str) -> SegmentEngine:  # the arguments are what it is made of
    return mirrors.engine()


def _engine() -> SegmentEngine:
    return _engine_of(str(settings.DATA_DIR), str(organisation.zone()), organisation.currency())


def _seen(of: str, visible: Visible) -> Q:
    """Return which subjects of a kind somebody may see, who sees some groups only."""
    if visible is None:
        return Q()
    groups = sorted(visible)
    if of == "group":
        return Q(subject_id__in=groups)
    if of == "membership":
        return Q(group_id__in=groups)
    return Q(subject_id__in=Membership.objects.filter(group_id__in=groups).values("identity__member_id"))


def _visible_keys(of: str, keys: Keys, visible: Visible, most: int) -> list[Key]:
    if visible is None:
        return [(int(subject), int(group)) for subject, group in keys[:most].tolist()]
    if of == "member":
        inside = set(Membership.objects.filter(group_id__in=sorted(visible)).values_list("identity__member_id", flat=True))
        chosen = np.isin(keys[:, 0], list(inside))
    else:
        chosen = np.isin(keys[:, 0 if of == "group" else 1], sorted(visible))
    return [(int(subject), int(group)) for subject, group in keys[chosen][:most].tolist()]


def _named(of: str, found: Sequence[tuple[Key, int | None, bool]]) -> list[Person]:
    subjects = {key[0] for key, _, _ in found}
    groups = {key[1] for key, _, _ in found} - {0} | (subjects if of == "group" else set())
    group_names = dict(Group.objects.filter(pk__in=groups).values_list("pk", "name")) if groups else {}
    names = group_names if of == "group" else dict(Member.objects.filter(pk__in=subjects).values_list("pk", "name"))
    return [
        Person(
            subject_id=key[0], group_id=key[1], name=names.get(key[0], ""), group=group_names.get(key[1], ""), moment_ms=moment,
            entered=entered,
        )
        for key, moment, entered in found
    ]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyLine:
    """A condition with its outcome for one subject, indented by `depth`."""

    depth: int
    holds: bool
    words: Titles
    value: int | str | None
    """What was counted or stored; None = nothing, or a group of conditions."""
    kind: str
    """How to write the value: `number`, `money`, `moment`, `word`; empty = a group of conditions."""
    events: int
    """How many events are behind it."""
    messages: tuple[tuple[int, int], ...] = ()
    """The newest messages behind it: (group, position)."""


def person(segment: SegmentRow, key: Key, visible: Visible) -> Person | None:
    """Return a subject of a segment's kind; None = there is none, or it may not be seen."""
    if segment.of == "group":
        known = Group.objects.filter(pk=key[0]).filter(Q() if visible is None else Q(pk__in=sorted(visible))).exists()
    else:
        rows = Membership.objects.filter(identity__member_id=key[0])
        if segment.of == "membership":
            rows = rows.filter(group_id=key[1])
        if visible is not None:
            rows = rows.filter(group_id__in=sorted(visible))
        known = rows.exists() or (visible is None and segment.of == "member" and Member.objects.filter(pk=key[0]).exists())
    return _named(segment.of, [(key, None, True)])[0] if known else None


def why(segment: SegmentRow, key: Key, moment_ms: int) -> list[WhyLine] | None:
    """Return each condition with its outcome for one subject; None = it is no subject of segments."""
    rules = in_force()
    mirrors.fresh()
    engine = _engine()
    rule = rules.rules[segment.segment_id]
    first_day = Plan(rules.rules, [segment.segment_id], engine.moment(moment_ms), "").first_day()
    known = engine.known(rule.of, key[0], first_day)
    subject = known.subjects.get(key)
    if subject is None:
        return None
    outcome = explain(rule, subject, known.history(key), engine.moment(moment_ms), rules.rules)
    lines: list[WhyLine] = []
    _walk(outcome, rule, rules, 0, lines)
    seqs = {seq for one in _leaves(outcome) for seq in one.event_ids[-5:]}
    places = dict(Message.objects.filter(pk__in=seqs).values_list("seq", "group_id"))
    return [_with_messages(line, places) for line in lines]


def _walk(outcome: Explained, rule: Rule, rules: InForce, depth: int, lines: list[WhyLine]) -> None:
    node = outcome.node
    words: Titles
    if isinstance(node, AllOf | AnyOf | Not):
        words = _JOINS[type(node).__name__]
    else:
        words = words_of(msgspec.structs.replace(rule, body=node), rules)
    shown = not (depth == 0 and isinstance(node, AllOf))
    if shown:
        value = " / ".join(outcome.tags) or None if isinstance(node, Tagged) else outcome.value
        lines.append(
            WhyLine(
                depth=depth, holds=outcome.holds, words=words, value=value,
                kind="" if outcome.parts else _kind_of(node, rule.of), events=len(outcome.event_ids),
                messages=tuple((0, seq) for seq in outcome.event_ids[-3:]),
            )
        )  # fmt: skip
    for part in outcome.parts:
        _walk(part, rule, rules, depth + (1 if shown else 0), lines)


_JOINS: Final[dict[str, Titles]] = {
    "AllOf": ("全部满足", "all of these"), "AnyOf": ("任一满足", "any of these"), "Not": ("不满足", "not"),
}  # fmt: skip


def _leaves(outcome: Explained) -> Iterator[Explained]:
    if not outcome.parts:
        yield outcome
    for part in outcome.parts:
        yield from _leaves(part)


def _with_messages(line: WhyLine, places: Mapping[int, int]) -> WhyLine:
    found = tuple((places[seq], seq) for _, seq in line.messages if seq in places)
    return replace(line, messages=found)


def _kind_of(node: Node, of: Subject) -> str:
    match node:
        case Attr(name):
            return ATTRIBUTES[of][name].kind
        case Field(kind=kind):
            return kind
        case Did(measure="first") | Did(measure="last"):
            return "moment"
        case Did(field="amount"):
            return "money"
        case Did():
            return "number"
        case _:
            return "word"
