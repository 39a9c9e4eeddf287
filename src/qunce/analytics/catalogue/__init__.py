"""The metrics themselves, one module an area: names, definitions, units, denominators, worked examples."""

from __future__ import annotations

from typing import Final

from qunce.analytics.catalogue import activity, groups, members, orders, talk, value
from qunce.analytics.registry import Metric

CATALOGUE: Final[tuple[Metric, ...]] = (
    *activity.METRICS, *members.METRICS, *orders.METRICS, *talk.METRICS, *groups.METRICS, *value.METRICS,
)  # fmt: skip
