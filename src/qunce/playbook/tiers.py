"""Check schemes of tiers, and make the conditions of their levels ready for evaluation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from qunce.playbook.schema.segments import Segment
from qunce.playbook.schema.tiers import Level, Scheme
from qunce.playbook.segments.build import Builder, Found
from qunce.playbook.segments.catalogue import Attribute
from qunce.playbook.segments.tree import Rule

MOST_LEVELS = 12


def check_scheme(
    segments: tuple[Segment, ...],
    scheme: Scheme,
    tags: frozenset[str] | None = None,
    fields: Mapping[str, Attribute] | None = None,
) -> Iterator[Found]:
    """Yield what is wrong with a scheme beside the `segments` of its playbook; `tags`, `fields` as of `check_segment`."""
    if len(scheme.levels) < 2:
        yield "levels", "a scheme with one level tells nobody apart", "add a level above it", "no_op"
    if len(scheme.levels) > MOST_LEVELS:
        yield "levels", f"more than {MOST_LEVELS} levels", "use segments for finer groups", "size"
    seen: set[str] = set()
    others = {item.segment_id: item.of for item in segments}
    for index, level in enumerate(scheme.levels):
        place = f"levels[{index}]"
        if level.level_id in seen:
            yield f"{place}.level_id", f"{level.level_id!r} stands twice", "give one of them another id", "duplicate_id"
        seen.add(level.level_id)
        if index == len(scheme.levels) - 1:
            if level.where:
                message = "the last level has conditions, so some people would be on none"
                yield f"{place}.where", message, "delete its conditions, or add a level for everybody else", "impossible"
        elif not level.where:
            yield place, "it holds everybody, so nobody reaches the levels below", "add “where:”, or move it last", "no_op"
        else:
            builder = Builder(_as_segment(scheme, level), others, tags, fields)
            builder.build()
            yield from ((f"{place}.{path}", *rest) for path, *rest in builder.problems)  # type: ignore[misc]  # four texts


def key_of(scheme_id: str, level_id: str) -> str:
    """Return the name under which a level is evaluated; no segment can have it."""
    return f"{scheme_id}/{level_id}"


def level_rules(
    schemes: tuple[Scheme, ...], segments: tuple[Segment, ...], fields: Mapping[str, Attribute] | None = None
) -> Mapping[str, Rule]:
    """Return the trees of all levels with conditions of checked schemes, by `key_of`; `fields` as of `check_segment`."""
    others = {item.segment_id: item.of for item in segments}
    return {
        key_of(scheme.scheme_id, level.level_id): Builder(_as_segment(scheme, level), others, fields=fields).build()
        for scheme in schemes
        for level in scheme.levels
        if level.where
    }


def _as_segment(scheme: Scheme, level: Level) -> Segment:
    return Segment(segment_id=key_of(scheme.scheme_id, level.level_id), title=level.title, of="member", where=level.where)
