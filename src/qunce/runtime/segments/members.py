"""Say who belongs to a segment as of its newest run: what tiers, tags and plans ask."""

from __future__ import annotations

from dataclasses import dataclass

from qunce.runtime.models import SegmentMember, SegmentState
from qunce.runtime.segments.runs import Keys, stored_keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """Who belongs at a moment."""

    segment_id: str
    of: str
    as_of_ms: int
    version: str
    keys: Keys
    """Rows of subject and group (0 unless memberships), in order."""


def members_of(segment_id: str) -> Members | None:
    """Return who belongs as of the newest run; None = there is no such segment, or it has not been run yet."""
    state = SegmentState.objects.filter(pk=segment_id).exclude(as_of_ms=None).first()
    if state is None or state.as_of_ms is None:
        return None
    return Members(
        segment_id=segment_id, of=state.of, as_of_ms=state.as_of_ms, version=state.version, keys=stored_keys(segment_id)
    )


def segments_of(subject_id: int, of: str = "member") -> list[tuple[str, int, int | None]]:
    """Return the segments somebody belongs to: (segment, group or 0, since when; None = from its first run on)."""
    names = list(SegmentState.objects.filter(of=of).values_list("pk", flat=True))
    rows = SegmentMember.objects.filter(subject_id=subject_id, segment_id__in=names).order_by("segment_id", "group_id")
    return list(rows.values_list("segment_id", "group_id", "since_ms"))
