"""Write simulated events as JSON lines: `qunce simulate`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import IO, Final

import zstandard

from qunce.domain.events import encode

from .run import simulate

_SHANGHAI: Final = timezone(timedelta(hours=8), "Asia/Shanghai")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.description = "Simulate the community traffic of a brand with several groups; the same options give the same events."
    parser.add_argument("--groups", type=_positive, default=12, metavar="N", help="number of groups (default: 12)")
    parser.add_argument(
        "--members", type=_positive, default=2_000, metavar="N", help="number of people who join (default: 2000)"
    )
    parser.add_argument("--days", type=_positive, default=60, metavar="N", help="local days up to the end (default: 60)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="seed of all chance (default: 1)")
    parser.add_argument("--activity", type=float, default=1.0, metavar="X", help="factor on talk and orders (default: 1)")
    parser.add_argument(
        "--end", type=_moment, metavar="TIME", help="end, as 2026-11-12 or 2026-11-12T18:00, UTC+8 (default: now)"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="file to write; .zst is compressed (default: standard output)")


def run(args: argparse.Namespace) -> int:
    """Write the events; return 0, or 2 with one line of reason."""
    end_ms = args.end if args.end is not None else time.time_ns() // 1_000_000
    try:
        events = simulate(
            groups=args.groups, members=args.members, days=args.days, seed=args.seed, end_ms=end_ms, activity=args.activity
        )
        count = 0
        with _opened(args.out) as out:
            for event in events:
                out.write(encode(event) + b"\n")
                count += 1
    except BrokenPipeError:
        # The reader has seen enough (`| head`). Python would complain once more when it flushes at exit.
        sys.stdout = None
        return 0
    except (OSError, ValueError) as error:
        sys.stderr.write(f"qunce simulate: {error}\n")
        return 2
    sys.stderr.write(f"{count} events\n")
    return 0


@contextmanager
def _opened(path: Path | None) -> Iterator[IO[bytes]]:
    """Open where to write. A file appears under its name only when it is complete."""
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as raw:
            if path.suffix == ".zst":
                with zstandard.ZstdCompressor(level=6).stream_writer(raw, closefd=False) as packed:
                    yield packed
            else:
                yield raw
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _moment(text: str) -> int:
    """Return the milliseconds of a local time. Times without an offset are in UTC+8."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=_SHANGHAI)
    return int(moment.timestamp() * 1_000)
