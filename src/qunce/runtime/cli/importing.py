"""`qunce import PATH…`"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tqdm import tqdm

from qunce.connectors.files import registry
from qunce.runtime.cli.main import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", metavar="PATH", type=Path, help="files or folders; .gz, .zst and .zip as they are")
    parser.add_argument(
        "--format", metavar="F", help=f"read as this format instead of recognising it: {', '.join(registry.names())}"
    )
    parser.add_argument("--tz", metavar="ZONE", help="zone of times that carry none (default: the organisation's)")
    parser.add_argument("--community", metavar="C", default="", help="put the groups into this community")
    parser.add_argument("--group", metavar="NAME", help="name of the group, where the file does not say it")
    parser.add_argument("--staff", metavar="NAME", nargs="+", default=[], help="who of the people in the files is staff")
    parser.add_argument("--date-order", choices=("dmy", "mdy", "ymd"), help="order of day, month and year in ambiguous dates")
    parser.add_argument("--dry-run", action="store_true", help="read and check everything, store nothing")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def run(args: argparse.Namespace) -> int:
    from qunce.runtime import organisation
    from qunce.runtime.imports.reading import Request
    from qunce.runtime.imports.service import run_import

    missing = [str(path) for path in args.paths if not path.exists()]
    if missing:
        raise UsageError(f"there is no {missing[0]}; check the path")
    try:
        zone = ZoneInfo(args.tz) if args.tz else organisation.zone()
    except (ZoneInfoNotFoundError, ValueError):
        raise UsageError(f"no time zone {args.tz!r}; write one such as Asia/Shanghai or UTC") from None
    request = Request(
        paths=tuple(args.paths), format=args.format, zone=zone, community=args.community, staff=tuple(args.staff),
        group=args.group, date_order=args.date_order,
    )  # fmt: skip
    with Bar(hidden=args.quiet or args.json or not sys.stderr.isatty()) as bar:
        report = run_import(request, dry_run=args.dry_run, progress=bar)
    data = report.as_json()
    if args.json:
        json.dump(data, sys.stdout, ensure_ascii=False, indent=2)
        sys.stdout.write("\n")
    else:
        sys.stdout.write(_text(data, zone))
    return report.exit_code


class Bar:
    """A progress bar with rate and time left: bytes while reading, events while storing."""

    def __init__(self, *, hidden: bool) -> None:
        self._hidden = hidden
        self._bar: Any = None
        self._at: tuple[str, str] | None = None

    def __call__(self, step: str, name: str, done: int, total: int, events: int) -> None:
        if self._hidden:
            return
        if self._at != (step, name):
            self.close()
            reading = step == "read"
            self._at = (step, name)
            self._bar = tqdm(
                total=total, desc=f"{'读取' if reading else '存入'} {name[:30]}", unit="B" if reading else " 条",
                unit_scale=True, file=sys.stderr, mininterval=0.2,
            )  # fmt: skip
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _text(data: dict[str, Any], zone: ZoneInfo) -> str:
    lines = []
    for file in data["files"]:
        if file["refused"]:
            lines.append(f"✗ {file['name']}: {file['refused']} {file['fix']}")
            continue
        span = (
            f"{_date(file['first_ms'], zone)} … {_date(file['last_ms'], zone)}" if file["first_ms"] is not None else "no events"
        )
        lines.append(
            f"✓ {file['name']} · {file['format_title']} · {file['groups']} groups, {file['people']} people, {span}\n"
            f"    read {file['read']:,} · added {file['added']:,} · already there {file['already_there']:,} · "
            f"rejected {file['rejected']:,}"
        )
        for code, count in sorted(file["rejected_by"].items()):
            sample = next((row for row in file["samples"] if row["code"] == code), None)
            lines.append(f"    rejected {count:,} × {code}" + (f": {sample['reason']} {sample['fix']}" if sample else ""))
        if file["rejects_file"]:
            lines.append(f"    rejected rows: rejects/{file['rejects_file']} in the data folder")
    for name, near in data["staff_missing"].items():
        hint = f" Nearest: {', '.join(near)}." if near else ""
        lines.append(f"! nobody in the files is called {name!r}.{hint}")
    if data["dry_run"]:
        lines.append("Nothing was stored (--dry-run).")
    elif data["read"] and not data["added"] and not data["rejected"]:
        lines.append("Everything was there already; nothing was added.")
    lines.append(f"{data['read']:,} read, {data['added']:,} added, {data['already_there']:,} already there, "
                 f"{data['rejected']:,} rejected in {data['seconds']:.1f} s")  # fmt: skip
    return "\n".join(lines) + "\n"


def _date(ts_ms: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(ts_ms / 1000, zone).strftime("%Y-%m-%d")
