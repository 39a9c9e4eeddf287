"""`qunce rebuild`"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

from tqdm import tqdm


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--check", action="store_true", help="compare only; the living tables stay as they are")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def run(args: argparse.Namespace) -> int:
    from qunce.runtime.rebuild import rebuild

    with tqdm(unit=" events", unit_scale=True, file=sys.stderr, disable=args.json or not sys.stderr.isatty()) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        report = rebuild(keep=not args.check, progress=progress)
    if args.json:
        json.dump({**asdict(report), "same": report.same}, sys.stdout, ensure_ascii=False, indent=2)
        sys.stdout.write("\n")
        return 0 if report.same else 1
    for table in report.tables:
        mark = "=" if table.same else "≠"
        sys.stdout.write(f"{mark} {table.table:<14} {table.rows:>12,} rows, rebuilt {table.rebuilt_rows:,}\n")
    for first, last in report.holes:
        sys.stdout.write(f"! journal positions {first} to {last} are missing: the database file is damaged; restore a backup\n")
    verdict = "rebuilt equals incremental" if report.same else "DIFFERENT: please report this with the table above"
    sys.stdout.write(f"{report.events:,} events folded in {report.seconds:.1f} s: {verdict}\n")
    return 0 if report.same else 1
