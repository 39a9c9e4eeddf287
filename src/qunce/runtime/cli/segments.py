"""`qunce segment`: check segments, run and count them, compare moments, and say of one member why it belongs or not."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from qunce.playbook.errors import InvalidPlaybook
from qunce.runtime.cli.main import UsageError

if TYPE_CHECKING:
    from qunce.analytics.segments.run import SegmentEngine
    from qunce.engine.segments.evaluate import Explained
    from qunce.playbook.segments.tree import Rule

MOST_EVENTS: Final = 20
"""Event ids shown on a line; JSON holds all."""
MOST_NAMESAKES: Final = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("action", choices=("check", "count", "list", "run", "diff", "explain"), help="what to do")
    parser.add_argument("member", nargs="?", metavar="MEMBER", help="explain: id or name of a member")
    parser.add_argument("--playbook", type=Path, metavar="DIR", help="folder with the segments; default: those in force")
    parser.add_argument("--segment", action="append", metavar="ID", help="only this segment; may be given several times")
    parser.add_argument("--at", metavar="TIME", help="as of this moment, such as 2026-11-01T12:00; default: now")
    parser.add_argument("--since", metavar="TIME", help="diff: from this moment on; default: from the run before the newest")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Do it; return 0, or 1 where there are mistakes to mend."""
    if args.action == "explain" and not args.member:
        raise UsageError("say whom: qunce segment explain MEMBER")
    if args.action != "explain" and args.member:
        raise UsageError(f"{args.action} is not about one member; use: qunce segment explain {args.member}")
    try:
        rules = _load(args.playbook)
    except InvalidPlaybook as error:
        if args.json:
            _print_json([msgspec.structs.asdict(problem) for problem in error.problems])
        else:
            sys.stdout.write("".join(f"{problem}\n" for problem in error.problems))
        return 1
    if args.since is not None and args.action != "diff":
        raise UsageError("--since is for diff: qunce segment diff --since 2026-11-01T12:00")
    if args.playbook is not None and (args.action == "run" or (args.action == "diff" and args.since is None)):
        raise UsageError("runs are kept of the segments in force only; leave --playbook out, or say --since for diff")
    wanted = _wanted(rules, args.segment)
    match args.action:
        case "check":
            _print(args.json, {"segments": len(rules)}, [f"{len(rules)} 个分群，没有问题 · segments, no mistakes"])
        case "list":
            _list(wanted, args.json, stored=args.playbook is None)
        case "run":
            return _run(args.json)
        case "diff":
            _diff(args, rules, wanted)
        case "count":
            _count(_Asked.of(args.at), rules, wanted, args.json)
        case _:
            _explain(_Asked.of(args.at), args.member, rules, wanted, args.json)
    return 0


def _load(folder: Path | None) -> Mapping[str, Rule]:
    from qunce.playbook.load import parse, read_folder
    from qunce.playbook.profile import segment_fields
    from qunce.playbook.segments.check import rules_of

    if folder is None:
        from qunce.runtime.segments.rules import in_force

        return in_force().rules
    try:
        files = read_folder(folder)
    except FileNotFoundError:
        raise UsageError(f"there is no folder {folder}") from None
    if not files:
        raise UsageError(f"there is no .yaml file in {folder}")
    playbook = parse(files).playbook
    return rules_of(playbook.segments, segment_fields(playbook.attributes))


def _wanted(rules: Mapping[str, Rule], names: list[str] | None) -> dict[str, Rule]:
    unknown = [name for name in names or () if name not in rules]
    if unknown:
        raise UsageError(f"there is no segment {unknown[0]!r}; there are: {', '.join(rules)}")
    return {name: rule for name, rule in rules.items() if not names or name in names}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """The moment asked for, and the mirror brought up to date."""

    engine: SegmentEngine
    now_ms: int

    @classmethod
    def of(cls, at: str | None) -> _Asked:
        from django.db import connection

        from qunce.analytics.refresh import refresh, refresh_profiles
        from qunce.analytics.segments.run import SegmentEngine
        from qunce.domain.localtime import LocalClock
        from qunce.runtime import mirror, organisation
        from qunce.runtime.as_of import moment_of
        from qunce.runtime.clock import now_ms

        zone = organisation.zone()
        moment = moment_of(now_ms()) if at is None else _moment(at, zone)
        store = mirror.store()
        refresh(connection=connection, store=store, zone=zone)
        refresh_profiles(connection=connection, store=store, zone=zone)
        engine = SegmentEngine(store, LocalClock(zone), currency=organisation.currency())
        return cls(engine=engine, now_ms=moment)


def _moment(text: str, zone: Any) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"not a moment: {text!r}; write 2026-11-01T12:00, with +08:00 at the end for another zone") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp() * 1000)


def _list(wanted: Mapping[str, Rule], as_json: bool, *, stored: bool) -> None:
    from qunce.playbook.segments.describe import describe
    from qunce.runtime.models import SegmentState

    states = {state.pk: state for state in SegmentState.objects.all()} if stored else {}
    rows = [
        {
            "segment_id": rule.segment_id,
            "title": rule.title,
            "of": rule.of,
            "zh": describe(rule.body, rule.of, "zh"),
            "en": describe(rule.body, rule.of, "en"),
            "size": states[rule.segment_id].size if rule.segment_id in states else None,
            "as_of_ms": states[rule.segment_id].as_of_ms if rule.segment_id in states else None,
        }
        for rule in wanted.values()
    ]
    lines = [
        f"{'–' if row['size'] is None else row['size']}\t{row['segment_id']}\t{row['of']}\t{row['title']}\n\t{row['zh']}"
        for row in rows
    ]
    _print(as_json, rows, lines)


def _run(as_json: bool) -> int:
    from qunce.runtime.segments.runs import Busy, perform

    try:
        done = perform({}, lambda _: None)
    except Busy as error:
        raise UsageError(f"{error.reason}: {error.fix}") from None
    _print(
        as_json,
        done,
        [f"{done['segments']} 个分群 segments: +{done['entered']} -{done['left']}, {done['took_ms'] / 1000:.1f} s"],
    )
    return 0


def _diff(args: argparse.Namespace, rules: Mapping[str, Rule], wanted: Mapping[str, Rule]) -> None:
    """Say who entered and left between two moments by today's conditions, or, without a moment, since the run before."""
    rows = _moved(wanted) if args.since is None else _between(args, rules, wanted)
    lines = []
    for row in rows:
        lines.append(f"+{len(row['entered'])} -{len(row['left'])}\t{row['segment_id']}\t{row['title']}")
        for sign, name in (("+", "entered"), ("-", "left")):
            shown = [f"{key[0]}@{key[1]}" if key[1] else str(key[0]) for key in row[name][:MOST_EVENTS]]
            more = f" … +{len(row[name]) - MOST_EVENTS}" if len(row[name]) > MOST_EVENTS else ""
            lines += [f"\t{sign} {' '.join(shown)}{more}"] if shown else []
    _print(args.json, rows, lines)


def _between(args: argparse.Namespace, rules: Mapping[str, Rule], wanted: Mapping[str, Rule]) -> list[dict[str, Any]]:
    from qunce.runtime import organisation

    asked = _Asked.of(args.at)
    since_ms = _moment(args.since, organisation.zone())
    if since_ms >= asked.now_ms:
        raise UsageError("--since must be before --at")
    found: list[dict[str, set[tuple[int, int]]]] = []
    for moment in (since_ms, asked.now_ms):
        keys: dict[str, set[tuple[int, int]]] = {name: set() for name in wanted}
        for row in asked.engine.evaluate_all(rules, moment, list(wanted)).to_pylist():
            keys[row["segment_id"]].add((row["subject_id"], row["group_id"]))
        found.append(keys)
    before, after = found
    return [
        {
            "segment_id": name,
            "title": rule.title,
            "entered": sorted(after[name] - before[name]),
            "left": sorted(before[name] - after[name]),
        }
        for name, rule in wanted.items()
    ]


def _moved(wanted: Mapping[str, Rule]) -> list[dict[str, Any]]:
    from qunce.runtime.models import SegmentMove, SegmentRun

    rows = []
    for name, rule in wanted.items():
        runs = list(SegmentRun.objects.filter(segment_id=name, error="").order_by("-id").values_list("as_of_ms", flat=True)[:2])
        moves = SegmentMove.objects.filter(segment_id=name, ts_ms__gt=runs[-1] if runs else 0)
        # Who came and went again has not moved.
        last = {(subject, group): entered for subject, group, entered in
                moves.order_by("ts_ms", "id").values_list("subject_id", "group_id", "entered")}  # fmt: skip
        first = {(subject, group): entered for subject, group, entered in
                 moves.order_by("-ts_ms", "-id").values_list("subject_id", "group_id", "entered")}  # fmt: skip
        moved = sorted(key for key, entered in last.items() if first[key] is entered)
        rows.append(
            {
                "segment_id": name,
                "title": rule.title,
                "entered": [key for key in moved if last[key]],
                "left": [key for key in moved if not last[key]],
            }
        )
    return rows


def _count(asked: _Asked, rules: Mapping[str, Rule], wanted: Mapping[str, Rule], as_json: bool) -> None:
    counts = asked.engine.count(rules, asked.now_ms, list(wanted))
    rows = [{"segment_id": name, "title": rule.title, "of": rule.of, "count": counts[name]} for name, rule in wanted.items()]
    _print(as_json, rows, [f"{row['count']}\t{row['segment_id']}\t{row['title']}" for row in rows])


def _explain(asked: _Asked, member: str, rules: Mapping[str, Rule], wanted: Mapping[str, Rule], as_json: bool) -> None:
    from qunce.engine.segments.evaluate import explain

    member_id, name = _member(member)
    moment = asked.engine.moment(asked.now_ms)
    found: list[dict[str, Any]] = []
    lines = [f"{name} ({member_id})"]
    for of in ("member", "membership"):
        segments = [rule for rule in wanted.values() if rule.of == of]
        if not segments:
            continue
        known = asked.engine.known(of, member_id)
        if of == "member" and not known.subjects:
            raise UsageError(f"{name} ({member_id}) is staff, a bot or a house persona; segments hold members only")
        for key, subject in sorted(known.subjects.items()):
            for rule in segments:
                outcome = explain(rule, subject, known.history(key), moment, rules)
                where = {"group_id": key[1]} if of == "membership" else {}
                found.append({"segment_id": rule.segment_id, **where, **_plain(outcome, rule)})
                group = f" · 群 group {key[1]}" if where else ""
                lines.append(f"{'✓' if outcome.holds else '–'} {rule.segment_id} {rule.title}{group}")
                lines += _tree(outcome, rule, 1)
    _print(as_json, {"member_id": member_id, "name": name, "segments": found}, lines)


def _member(text: str) -> tuple[int, str]:
    from django.db.models import Q

    from qunce.readmodels.models import Identity, Member

    # The number of any account leads to the person it belongs to; a member's number is that of its first account.
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0
    rows = Member.objects.filter(Q(pk__in=Identity.objects.filter(pk=number).values("member_id")) | Q(pk=number))
    if not rows:
        ids = Identity.objects.filter(name=text).order_by("member_id").values_list("member_id", flat=True).distinct()
        rows = Member.objects.filter(pk__in=list(ids[: MOST_NAMESAKES + 1])).order_by("id")
    found = list(rows.values_list("id", "name"))
    if not found:
        raise UsageError(f"there is no member {text!r}; give the id or the exact name")
    if len(found) > 1:
        ids_text = ", ".join(str(row[0]) for row in found[:MOST_NAMESAKES])
        raise UsageError(f"several members are called {text!r}; give an id: {ids_text}")
    return found[0]


def _plain(outcome: Explained, rule: Rule) -> dict[str, Any]:
    from qunce.playbook.segments.describe import describe

    plain: dict[str, Any] = {"holds": outcome.holds, "zh": describe(outcome.node, rule.of, "zh")}
    if outcome.parts:
        plain["parts"] = [_plain(part, rule) for part in outcome.parts]
        return plain
    return {**plain, "value": outcome.value, "event_ids": outcome.event_ids, "tags": outcome.tags}


def _tree(outcome: Explained, rule: Rule, depth: int) -> Iterator[str]:
    from qunce.playbook.segments.describe import describe
    from qunce.playbook.segments.tree import Ref

    sign = "✓" if outcome.holds else "–"
    if not outcome.parts:
        said = describe(outcome.node, rule.of, "zh")
        yield f"{'  ' * depth}{sign} {said}：{_value(outcome)}{_events(outcome.event_ids)}"
        return
    if isinstance(outcome.node, Ref):
        yield f"{'  ' * depth}{sign} {describe(outcome.node, rule.of, 'zh')}"
    elif depth > 1:
        yield f"{'  ' * depth}{sign} {_WORDS[type(outcome.node).__name__]}"
    for part in outcome.parts:
        yield from _tree(part, rule, depth + 1)


_WORDS: Final = {"AllOf": "全部 all", "AnyOf": "任一 any", "Not": "不 not"}


def _value(outcome: Explained) -> str:
    from qunce.playbook.segments.catalogue import ATTRIBUTES
    from qunce.playbook.segments.tree import Attr, Did, Field, Tagged

    node, value = outcome.node, outcome.value
    if isinstance(node, Tagged):
        return " / ".join(outcome.tags) or "没有 none"
    if value is None:
        return "没有 none"
    kind = "number"
    if isinstance(node, Attr):
        kind = next(known[node.name].kind for known in ATTRIBUTES.values() if node.name in known)
    elif isinstance(node, Field):
        kind = node.kind
    elif isinstance(node, Did):
        kind = "moment" if node.measure in ("first", "last") else "money" if node.field == "amount" else "number"
    if kind == "moment" and isinstance(value, int):
        from qunce.runtime import organisation

        return datetime.fromtimestamp(value / 1000, organisation.zone()).isoformat(sep=" ", timespec="minutes")
    return f"{value / 100:,.2f}" if kind == "money" and isinstance(value, int) else str(value)


def _events(ids: tuple[int, ...]) -> str:
    if not ids:
        return ""
    more = f" … +{len(ids) - MOST_EVENTS}" if len(ids) > MOST_EVENTS else ""
    return f"  [{', '.join(map(str, ids[-MOST_EVENTS:]))}{more}]"


def _print(as_json: bool, data: object, lines: list[str]) -> None:
    if as_json:
        _print_json(data)
    else:
        sys.stdout.write("".join(f"{line}\n" for line in lines))


def _print_json(data: object) -> None:
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(data), indent=2).decode() + "\n")
