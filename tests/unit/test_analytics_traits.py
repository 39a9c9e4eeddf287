"""Traits of members come out as docs/algorithms/traits.md works them through."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from qunce.analytics.traits import fifths, scored
from qunce.playbook.segments.catalogue import TRAITS

NAMES = (
    "messages", "days", "questions", "replies", "reactions", "weeks", "orders_month", "orders", "last_day", "money",
)  # fmt: skip


def counts(*rows: dict[str, int]) -> dict[str, np.ndarray]:
    return {name: np.array([row.get(name, 0) for row in rows], dtype=np.int64) for name in NAMES}


def test_the_worked_example_of_rfm() -> None:
    buyers = [(99, 4, 900), (97, 2, 1_000), (70, 2, 100), (40, 1, 300), (10, 1, 200)]
    found = scored(counts(*({"last_day": day, "orders": orders, "money": money} for day, orders, money in buyers)))
    assert found["rfm_recency"].tolist() == [5, 4, 3, 2, 1]
    assert found["rfm_frequency"].tolist() == [5, 3, 3, 1, 1]
    assert found["rfm_money"].tolist() == [4, 5, 1, 3, 2]


def test_the_worked_example_of_engagement_and_loyalty() -> None:
    found = scored(counts(
        {"questions": 2, "orders_month": 1, "days": 4, "messages": 22, "replies": 3, "weeks": 7, "orders": 3},
        dict.fromkeys(NAMES, 999),
        {},
    ))  # fmt: skip
    assert found["engagement"].tolist() == [39, 100, 0]
    assert [found[name].tolist() for name in ("service", "content", "interaction")] == [[10, 30, 0], [23, 35, 0], [6, 35, 0]]
    assert found["loyalty"].tolist() == [65, 100, 0]
    assert set(found) == set(TRAITS)


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=1, max_size=60))
def test_fifths_keep_the_order_and_leave_others_out(rows: list[tuple[int, bool]]) -> None:
    values, among = np.array([value for value, _ in rows]), np.array([chosen for _, chosen in rows])
    result = fifths(values, among)
    assert all((score == 0) != chosen for score, chosen in zip(result.tolist(), among.tolist(), strict=True))
    chosen = sorted(zip(values[among].tolist(), result[among].tolist(), strict=True))
    scores = [score for _value, score in chosen]
    assert scores == sorted(scores)
    assert all(1 <= score <= 5 for score in scores)
    assert len({score for value, score in chosen if value == chosen[0][0]}) <= 1
