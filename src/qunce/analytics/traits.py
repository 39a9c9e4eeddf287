"""Score members from what they did: RFM, engagement with its parts, loyalty. Computed for all at once, kept in the mirror.

Scores are whole numbers; 0 means nothing to score, as recency of somebody who never bought. docs/algorithms/traits.md works
them through.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from qunce.analytics.columns import Ints
from qunce.analytics.engine import Engine
from qunce.analytics.metrics.traits import inputs
from qunce.analytics.tables import Params
from qunce.journal.mirror import MirrorStore
from qunce.playbook.segments.catalogue import TRAITS

DIMENSION: Final = "traits"
FIFTHS: Final = 5
FEW: Final = 2_000
"""Members up to which only their blocks are read."""
_PARTS: Final[dict[str, tuple[tuple[str, int, int], ...]]] = {
    "service": (("questions", 6, 3), ("orders_month", 3, 4)),
    "content": (("days", 10, 2), ("messages", 15, 1)),
    "interaction": (("replies", 10, 2), ("reactions", 15, 1)),
    "loyalty": (("weeks", 12, 5), ("orders", 4, 10)),
}
"""Of each score: a count, the number that earns everything, and the points of each."""


def refresh(engine: Engine, store: MirrorStore, until_day: int, currency: str) -> int:
    """Compute the traits of all members as of the end of a local day and keep them; return how many members have any."""
    params = Params(since_day=until_day, until_day=until_day)
    rows = engine.rows(lambda tables: inputs(tables, params, currency), params)
    counts = {name: rows[name].to_numpy(zero_copy_only=False).astype(np.int64) for name in rows.column_names}
    scores = scored(counts)
    some = np.zeros(rows.num_rows, dtype=bool)
    for values in scores.values():
        some |= values > 0
    columns: dict[str, Any] = {"member_id": counts["person"][some], **{name: values[some] for name, values in scores.items()}}
    columns["as_of_day"] = np.full(int(some.sum()), until_day)
    with store.change() as change:
        change.set_dimension(DIMENSION, pa.table(columns))
    return int(some.sum())


def scored(counts: dict[str, Ints]) -> dict[str, Ints]:
    """Return the traits of members from their counts, all arrays of one length."""
    bought = counts["orders"] > 0
    points = {
        name: sum(
            (np.minimum(counts[count], most) * each for count, most, each in parts), start=np.zeros_like(counts["orders"])
        )
        for name, parts in _PARTS.items()
    }
    found = {
        "rfm_recency": fifths(counts["last_day"], bought),
        "rfm_frequency": fifths(counts["orders"], bought),
        "rfm_money": fifths(counts["money"], bought),
        "engagement": points["service"] + points["content"] + points["interaction"],
        **points,
    }
    return {name: found[name] for name in TRAITS}


def fifths(values: Ints, among: np.ndarray[Any, np.dtype[np.bool_]]) -> Ints:
    """Return 1 (the lowest fifth) to 5 for those `among`, 0 for others: 1 + how many fifths of them have a lower value.

    Equal values get equal scores.
    """
    result = np.zeros(len(values), dtype=np.int64)
    chosen = values[among]
    if chosen.size:
        lower = np.searchsorted(np.sort(chosen), chosen, side="left")
        result[among] = 1 + lower * FIFTHS // chosen.size
    return result


def with_traits(profiles: pa.Table, store: MirrorStore) -> pa.Table:
    """Return profiles of members with their newest traits; 0 where there are none."""
    path = store.dimension_path(store.manifest(), DIMENSION)
    members = profiles["member_id"].to_numpy()
    few = [("member_id", "in", members.tolist())] if 0 < len(members) <= FEW else None
    traits = pq.read_table(path, filters=few) if path is not None else None
    known = traits["member_id"].to_numpy() if traits is not None else np.zeros(0, dtype=np.int64)
    place = np.minimum(np.searchsorted(known, members), max(len(known) - 1, 0))
    there = known[place] == members if len(known) else np.zeros(len(members), dtype=bool)
    for name in TRAITS:
        values = np.zeros(len(members), dtype=np.int64)
        if traits is not None and len(known):
            values[there] = traits[name].to_numpy()[place[there]]
        index = profiles.schema.get_field_index(name)
        profiles = profiles.set_column(index, name, pa.array(values, pa.int64()))
    return profiles


def of_member(store: MirrorStore, member_id: int) -> dict[str, int] | None:
    """Return one member's traits and `as_of_day`; None = there are none. Reads the few blocks that can hold the member."""
    path = store.dimension_path(store.manifest(), DIMENSION)
    if path is None:
        return None
    found = pq.read_table(path, filters=[("member_id", "=", member_id)]).to_pylist()
    return {name: int(value) for name, value in found[0].items()} if found else None
