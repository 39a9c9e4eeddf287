"""Check the segments of a playbook, and make them ready for evaluation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from qunce.playbook.schema.segments import Node, Segment
from qunce.playbook.segments.build import Builder, Found
from qunce.playbook.segments.catalogue import Attribute
from qunce.playbook.segments.tree import Rule

MAX_OPENED: Final = 1_000
"""Conditions of a segment and of all it refers to: each is evaluated where it stands."""


def check_segment(
    segments: tuple[Segment, ...],
    segment: Segment,
    tags: frozenset[str] | None = None,
    fields: Mapping[str, Attribute] | None = None,
) -> Iterator[Found]:
    """Yield what is wrong with a segment beside its `segments`; `tags` are those that exist, None = not known here.

    `fields` are the attributes of members that the playbook declares.
    """
    builder = Builder(segment, {item.segment_id: item.of for item in segments}, tags, fields)
    builder.build()
    yield from builder.problems
    known = {item.segment_id: item for item in segments}
    cycle = _cycle(segment.segment_id, known)
    if cycle:
        yield "where", f"it refers back to itself: {' → '.join(cycle)}", "break the circle", "cycle"
    elif (opened := _opened(segment.segment_id, known, {})) > MAX_OPENED:
        message = f"with the segments it refers to it has {min(opened, 10**9):,} conditions"
        yield "where", message, f"refer to fewer, so that there are at most {MAX_OPENED:,}", "size"


def rules_of(segments: tuple[Segment, ...], fields: Mapping[str, Attribute] | None = None) -> Mapping[str, Rule]:
    """Return the trees of checked segments, by id, in the order of the playbook; `fields` as of `check_segment`."""
    others = {item.segment_id: item.of for item in segments}
    return {item.segment_id: Builder(item, others, fields=fields).build() for item in segments}


def _cycle(start: str, segments: Mapping[str, Segment]) -> tuple[str, ...]:
    """Return the way from a segment back to it; empty = there is none."""
    seen = {start}
    paths: list[tuple[str, ...]] = [(start,)]
    while paths:
        path = paths.pop()
        for name in references(segments[path[-1]].where):
            if name == start:
                return (*path, start)
            if name in segments and name not in seen:
                seen.add(name)
                paths.append((*path, name))
    return ()


def _opened(start: str, segments: Mapping[str, Segment], known: dict[str, int]) -> int:
    """Return how many conditions a segment has when references are opened up, each time anew; a circle counts once."""
    if start not in segments:
        return 1
    if start not in known:
        known[start] = 1
        where = segments[start].where
        known[start] = _parts(where) + sum(_opened(name, segments, known) for name in references(where))
    return known[start]


def _parts(nodes: tuple[Node, ...]) -> int:
    inner = [(*(node.all_of or ()), *(node.any_of or ()), *((node.not_,) if node.not_ else ())) for node in nodes]
    return len(nodes) + sum(_parts(parts) for parts in inner)


def references(nodes: tuple[Node, ...]) -> Iterator[str]:
    """Yield the ids of segments that conditions refer to, each time they do."""
    for node in nodes:
        if node.segment is not None:
            yield node.segment
        yield from references((*(node.all_of or ()), *(node.any_of or ()), *((node.not_,) if node.not_ else ())))
