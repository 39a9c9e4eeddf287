"""Measure suggestions on split persons of real chats: precision and recall of `engine.identity.likeness`.

    python -m scripts.identity.measure ../shared/data/chat/en_gitter.jsonl.zst …

A person with many messages is split into two accounts of the same name, in one of three ways; a wrong pair is half of one
person and half of another, given the same name, split in the same way and from the same groups. Half of the persons (by a hash
of their id) are left for fitting weights (`--fit`), the other half is measured.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import zstandard

from qunce.engine.identity.likeness import Alike, Background, Likeness, Portrait, background, compare, grams, portrait

MIN_MESSAGES = 40
THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)
WAYS = ("handover", "parallel", "groups")
ALIKE: tuple[Alike, ...] = ("name", "core", "near")


@dataclass(frozen=True, slots=True)
class Line:
    """One message of somebody."""

    ts_ms: int
    group: int
    text: str


def read(path: Path) -> dict[str, list[Line]]:
    """Return the messages of each person, in order of time."""
    from datetime import datetime

    people: dict[str, list[Line]] = defaultdict(list)
    groups: dict[str, int] = {}
    with path.open("rb") as raw, zstandard.ZstdDecompressor().stream_reader(raw) as stream:
        for text in io.TextIOWrapper(stream, encoding="utf-8"):
            row = json.loads(text)
            if row.get("event") or row.get("is_bot") or not row["text"] or not row["user_id"]:
                continue
            ts_ms = int(datetime.fromisoformat(row["ts"]).timestamp() * 1000)
            group = groups.setdefault(row["group_id"], len(groups) + 1)
            people[row["user_id"]].append(Line(ts_ms, group, row["text"]))
    return {who: sorted(lines, key=lambda line: line.ts_ms) for who, lines in people.items() if len(lines) >= MIN_MESSAGES}


def split(lines: list[Line], way: str) -> tuple[list[Line], list[Line]]:
    """Split a person in two: one account after the other, day by day, or by groups."""
    if way == "handover":
        return lines[: len(lines) // 2], lines[len(lines) // 2 :]
    if way == "parallel":
        return [line for line in lines if _coin(line.ts_ms // 86_400_000)], [
            line for line in lines if not _coin(line.ts_ms // 86_400_000)
        ]
    return [line for line in lines if _coin(line.group)], [line for line in lines if not _coin(line.group)]


def _coin(value: object) -> bool:
    return blake2b(str(value).encode(), digest_size=1).digest()[0] % 2 == 0


def portraits(people: dict[str, list[Line]], way: str, known: Background) -> dict[str, tuple[Portrait, Portrait]]:
    """Return both halves of each person that both hold enough."""
    found = {}
    for who, lines in people.items():
        halves = split(lines, way)
        if min(len(half) for half in halves) >= MIN_MESSAGES // 4:
            first, second = (_portrait(half, known) for half in halves)
            found[who] = (first, second)
    return found


def _portrait(lines: list[Line], known: Background) -> Portrait:
    counts, chars = grams(line.text for line in reversed(lines[-300:]))
    return portrait(counts, chars, [(line.group, line.ts_ms) for line in lines], {line.group for line in lines}, known)


def pairs(
    halves: dict[str, tuple[Portrait, Portrait]], alike: Alike = "name", seed: int = 5
) -> Iterator[tuple[bool, Likeness]]:  # fmt: skip
    """Yield right pairs, and as many wrong ones: with somebody who shares a group where there is one."""
    chance = random.Random(seed)
    names = sorted(halves)
    by_group: dict[int, list[str]] = defaultdict(list)
    for who in names:
        for group in halves[who][1].groups:
            by_group[group].append(who)
    for who in names:
        first, second = halves[who]
        yield True, compare(first, second, alike)
        near = [other for group in first.groups | second.groups for other in by_group[group] if other != who]
        others = near or [other for other in names if other != who]
        if others:
            yield False, compare(first, halves[chance.choice(others)][1], alike)


def main() -> int:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--alike", choices=ALIKE, default="name", help="as if the names were alike in this way")
    parser.add_argument("--fit", action="store_true", help="measure the half left for fitting")
    parser.add_argument("--dump", type=Path, help="write every pair's parts as JSON lines")
    args = parser.parse_args()
    dumped = []
    for path in args.files:
        people = {who: lines for who, lines in read(path).items() if _coin("fit" + who) is args.fit}
        known = background(grams(line.text for line in lines[-100:])[0] for lines in people.values())
        for way in WAYS:
            results = list(pairs(portraits(people, way, known), args.alike))
            if len(results) < 20:
                continue
            right = sum(truth for truth, _ in results)
            cells = []
            for limit in THRESHOLDS:
                hits = sum(truth and found.score >= limit for truth, found in results)
                wrong = sum(not truth and found.score >= limit for truth, found in results)
                cells.append(f"{hits / (hits + wrong) if hits + wrong else 1:.3f}/{hits / right:.3f}")
            sys.stdout.write(f"{path.name.split('.')[0]:22} {way:9} {right:5} pairs  {'  '.join(cells)}\n")
            dumped += [{"file": path.name, "way": way, "right": truth, "e": found.evidence} for truth, found in results]
    if args.dump:
        args.dump.write_text("\n".join(json.dumps(row) for row in dumped), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
