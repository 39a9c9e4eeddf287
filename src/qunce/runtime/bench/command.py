"""`qunce bench`: measure, and print a table."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from qunce.runtime.bench.cases import CASES
from qunce.runtime.bench.children import BenchError, Unavailable, Workshop
from qunce.runtime.bench.figures import Figure, table
from qunce.runtime.bench.machine import describe, sentence
from qunce.runtime.bench.plan import Plan
from qunce.runtime.bench.sizes import sizes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--only", nargs="+", choices=sorted(CASES), metavar="NAME", help="measure only these cases")
    parser.add_argument("--list", action="store_true", help="list the cases and stop")
    parser.add_argument(
        "--full",
        action="store_true",
        help="the sizes the targets are set for, ten times the default",
    )
    parser.add_argument("--scale", type=_scale, default=1.0, metavar="X", help="multiply all sizes (default: 1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON too")
    parser.add_argument(
        "--postgres", metavar="URL", help="measure on this PostgreSQL server, in databases of its own; default: start one"
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the data made for measuring here, and use it again")


def run(args: argparse.Namespace) -> int:
    """Measure; return 0 however slow, 1 when something broke."""
    if args.list:
        sys.stdout.writelines(f"{name.ljust(17)}{case.title}\n" for name, case in CASES.items())
        return 0
    shop = Workshop(args.keep.expanduser().resolve() if args.keep else None, args.postgres, _say)
    before = describe(shop.folder)
    try:
        figures, broken = _measure(Plan(sizes(full=args.full, scale=args.scale), shop), args.only or list(CASES))
    finally:
        shop.close()
    head = {
        "made": datetime.now(UTC).isoformat(timespec="seconds"), "full": args.full, "scale": args.scale, "before": before,
        "after": describe(Path.cwd()),
    }  # fmt: skip
    if args.json:
        data = head | {"figures": [figure.as_json() for figure in figures], "not_measured": broken}
        args.json.write_text(json.dumps(data, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(text_of(head, figures, broken))
    return 1 if any(reason.startswith("broken") for reason in broken.values()) else 0


def _measure(plan: Plan, names: Sequence[str]) -> tuple[list[Figure], dict[str, str]]:
    """Return the figures, and the cases that could not be measured with the reason."""
    figures: list[Figure] = []
    broken: dict[str, str] = {}
    for name in CASES:
        if name not in names:
            continue
        _say(f"{name}: {CASES[name].title}")
        try:
            figures += CASES[name].figures(plan)
        except Unavailable as error:
            broken[name] = f"skipped: {error}"
        except BenchError as error:
            broken[name] = f"broken: {error}"
        if name in broken:
            _say(f"{name} {broken[name]}")
    return figures, broken


def text_of(head: dict[str, Any], figures: Sequence[Figure], broken: dict[str, str]) -> str:
    """Return what is printed: the machine, the table, and what could not be measured or compared."""
    sized = "full sizes" if head["full"] else "a tenth of the sizes the targets are set for (--full measures those)"
    scaled = f", × {head['scale']:g}" if head["scale"] != 1 else ""
    lines = [
        f"群策 benchmark, {head['made']}, {sized}{scaled}\n{sentence(head['before'], head['after'])}\n"
        "figure = median of n runs by the clock; by CPU = the same with only the process's CPU time counted; "
        "ratio = how many times better than the baseline; met CPU = of one core: target and ratio by CPU\n\n",
        table(figures),
    ]
    lines += [f"\n{figure.name}: {figure.note}\n" for figure in figures if figure.note and not figure.baseline]
    lines += [f"\n{name} {reason}\n" for name, reason in broken.items()]
    return "".join(lines)


def _say(text: str) -> None:
    sys.stderr.write(f"bench: {text}\n")
    sys.stderr.flush()


def _scale(text: str) -> float:
    value = float(text)
    if not 0 < value <= 100:
        raise argparse.ArgumentTypeError("must be above 0 and at most 100")
    return value
