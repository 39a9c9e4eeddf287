"""Sort members into the levels of schemes of tiers: all schemes in one pass over the mirror."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
import pyarrow.compute as pc

from qunce.analytics.columns import Ints
from qunce.analytics.segments.run import SegmentEngine
from qunce.playbook.schema.segments import Segment
from qunce.playbook.schema.tiers import Scheme
from qunce.playbook.segments.catalogue import Attribute
from qunce.playbook.segments.check import rules_of
from qunce.playbook.tiers import key_of, level_rules

Sorted = dict[str, Ints]
"""Members by level, each array in order of ids. Levels nobody is on, and the last one, are left out."""
_NOBODY: Final = np.zeros(0, dtype=np.int64)


def sort_members(
    engine: SegmentEngine,
    schemes: Sequence[Scheme],
    segments: tuple[Segment, ...],
    now_ms: int,
    fields: Mapping[str, Attribute] | None = None,
) -> Iterator[tuple[Scheme, Sorted]]:
    """Yield each scheme with who is on which of its levels at `now_ms`: everybody on the first one that holds.

    `fields` are the attributes of members that the playbook declares.
    """
    levels = level_rules(tuple(schemes), segments, fields)
    belongs = engine.evaluate_all({**rules_of(segments, fields), **levels}, now_ms, list(levels)) if levels else None
    for scheme in schemes:
        taken = _NOBODY
        found: Sorted = {}
        for level in scheme.levels:
            if not level.where or belongs is None:
                continue
            rows = belongs.filter(pc.equal(belongs["segment_id"], key_of(scheme.scheme_id, level.level_id)))
            members = np.unique(rows["subject_id"].to_numpy())
            members = np.setdiff1d(members, taken, assume_unique=True)
            if members.size:
                found[level.level_id] = members
                taken = np.union1d(taken, members)
        yield scheme, found
