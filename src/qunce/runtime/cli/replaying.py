"""`qunce replay`"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tqdm import tqdm

from qunce.runtime.cli.main import UsageError

if TYPE_CHECKING:
    from qunce.runtime.replay.report import AnswerRow, Line, Report, RuleRow, Side


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--playbook", required=True, metavar="DIR", help="folder, number of a published version, or gallery:NAME"
    )
    parser.add_argument("--against", metavar="VERSION", help="compare with this one, named alike")
    parser.add_argument("--since", metavar="TIME", help="report from here on, as 2026-11-12 or 2026-11-12T18:00")
    parser.add_argument("--until", metavar="TIME", help="leave out what happened from here on")
    parser.add_argument("--group", metavar="G", action="append", help="only this group: number, id or name; may be repeated")
    parser.add_argument("--processes", type=int, default=1, metavar="N", help="walk the groups in N processes (default: 1)")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def run(args: argparse.Namespace) -> int:
    """Print what the playbook would have done; return 1 when another one was given and decides differently, else 0."""
    from qunce.playbook.errors import InvalidPlaybook
    from qunce.runtime import organisation
    from qunce.runtime.replay.service import ReplayRefused, Request, files_of, replay

    zone = organisation.zone()
    try:
        request = Request(
            playbook=files_of(args.playbook),
            against=files_of(args.against) if args.against else None,
            since_ms=_moment(args.since, zone),
            until_ms=_moment(args.until, zone),
            group_ids=_groups(args.group),
            processes=max(1, args.processes),
        )
        with tqdm(unit=" events", unit_scale=True, file=sys.stderr, disable=args.json or not sys.stderr.isatty()) as bar:

            def progress(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            report = replay(request, progress)
    except InvalidPlaybook as error:
        sys.stderr.write("".join(f"{problem}\n" for problem in error.problems))
        return 2
    except ReplayRefused as error:
        raise UsageError(str(error)) from error
    if args.json:
        json.dump(report.as_json(), sys.stdout, ensure_ascii=False, indent=2)
        sys.stdout.write("\n")
    else:
        sys.stdout.write(text_of(report, zone))
    return 1 if report.differs else 0


def _moment(text: str | None, zone: ZoneInfo) -> int | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"not a time: {text!r}; write it as 2026-11-12 or 2026-11-12T18:00") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp() * 1_000)


def _groups(wanted: list[str] | None) -> frozenset[int] | None:
    from qunce.readmodels.models import Group

    if not wanted:
        return None
    found: set[int] = set()
    for name in wanted:
        known = set(Group.objects.filter(platform_id=name).values_list("pk", flat=True))
        known |= set(Group.objects.filter(name=name).values_list("pk", flat=True))
        if not known and name.isdecimal():
            known = set(Group.objects.filter(pk=int(name)).values_list("pk", flat=True))
        if not known:
            raise UsageError(f"there is no group {name!r}; give its number, its platform id or its full name")
        found |= known
    return frozenset(found)


def text_of(report: Report, zone: ZoneInfo) -> str:
    """Return a report for people to read."""
    rate = round(report.messages / report.seconds) if report.seconds else 0
    lines = [
        f"{report.events:,} events, {report.messages:,} messages in {len(report.groups):,} groups, "
        f"{report.seconds:.1f} s ({rate:,} messages/s, {report.processes} process(es))",
        "",
        *_side(report.side, zone),
    ]
    if report.against is not None:
        lines += ["", f"compared with {report.against.version}: {report.same:,} decisions are the same"]
        for title, rows in (("only now", report.added), ("no longer", report.removed)):
            lines += [f"  {title}:", *(_rule(row, zone) for row in rows)] if rows else [f"  {title}: nothing"]
    return "\n".join(lines) + "\n"


def _side(side: Side, zone: ZoneInfo) -> list[str]:
    lines = [f"playbook {side.version}"]
    lines += [_rule(row, zone) for row in side.rules] or ["  nothing was found"]
    if side.answers:
        lines += ["", "answers (waits in duty time)", *map(_answer, side.answers)]
    if side.responders:
        lines += ["by whom", *map(_answer, side.responders)]
    if side.missed:
        lines.append("deadlines passed on duty of: " + ", ".join(f"{name} {times:,}" for name, times in side.missed.items()))
    if side.delay.messages:
        lines.append(f"they reached us after {side.delay.median_s} s (median), {side.delay.p90_s} s (p90); in no wait")
    if side.late:
        lines += ["late answers", *(_line(line, zone) for line in side.late)]
    return lines


def _rule(row: RuleRow, zone: ZoneInfo) -> str:
    covered = f", {row.covered:,} covered by graver ones" if row.covered else ""
    head = f"  {row.verdict:<9} {row.rule_id} ({row.mode}): {row.decisions:,} × {row.people:,} people{covered}"
    return "\n".join([head, *(_line(line, zone) for line in row.samples)])


def _line(line: Line, zone: ZoneInfo) -> str:
    at = datetime.fromtimestamp(line.ts_ms / 1_000, zone).strftime("%Y-%m-%d %H:%M")
    text = " ".join(line.text.split())[:40]
    wait = f" ← {line.responder} {line.waited_s} s" if line.waited_s is not None else ""
    return f"      #{line.seq} {at} [{line.group}] {line.person}: {text}{wait}"


def _answer(row: AnswerRow) -> str:
    return f"  {row.what or '?'}: {row.answered:,} answered, {row.late:,} late, median {row.median_s} s, p90 {row.p90_s} s"
