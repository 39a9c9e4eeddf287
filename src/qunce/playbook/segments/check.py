"""Check the segments of a playbook, and make them ready for evaluation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from qunce.playbook.schema.segments import Node, Segment
from qunce.playbook.segments.build import Builder, Found
from qunce.playbook.segments.catalogue import Attribute
from qunce.playbook.segments.tree import Rule


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
    cycle = _cycle(segment.segment_id, {item.segment_id: item for item in segments})
    if cycle:
        yield "where", f"it refers back to itself: {' → '.join(cycle)}", "break the circle", "cycle"


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


def references(nodes: tuple[Node, ...]) -> Iterator[str]:
    """Yield the ids of segments that conditions refer to, each time they do."""
    for node in nodes:
        if node.segment is not None:
            yield node.segment
        yield from references((*(node.all_of or ()), *(node.any_of or ()), *((node.not_,) if node.not_ else ())))
