"""A budget never lets more through than the platform allows, whatever the pattern of calls."""

from hypothesis import given
from hypothesis import strategies as st

from qunce.outbox.budget import Rate, conforming

TWENTY_A_MINUTE = Rate("minute", calls=20, seconds=60, burst=20)


def test_a_burst_is_let_through_and_then_one_every_interval() -> None:
    tat, now = 0, 1_000_000
    assert conforming(tat, now, TWENTY_A_MINUTE, 30) == 20
    tat = now + 20 * TWENTY_A_MINUTE.interval_ms
    assert conforming(tat, now, TWENTY_A_MINUTE, 1) == 0
    assert conforming(tat, now + 2_999, TWENTY_A_MINUTE, 1) == 0
    assert conforming(tat, now + 3_000, TWENTY_A_MINUTE, 5) == 1


@given(
    rate=st.builds(
        Rate, name=st.just("r"), calls=st.integers(1, 100), seconds=st.sampled_from([1, 60, 3600]), burst=st.integers(1, 50)
    ),
    steps=st.lists(st.tuples(st.integers(0, 5_000), st.integers(1, 40)), max_size=60),
)  # fmt: skip
def test_no_window_sees_more_than_burst_and_rate(rate: Rate, steps: list[tuple[int, int]]) -> None:
    interval = rate.interval_ms
    if interval == 0:
        return
    tat, now, calls = 0, 1_000_000, []
    for wait, wanted in steps:
        now += wait
        allowed = conforming(tat, now, rate, wanted)
        if allowed:
            tat = max(tat, now) + allowed * interval
            calls += [now] * allowed
    for first in range(len(calls)):
        for last in range(first, len(calls)):
            assert last - first + 1 <= rate.burst + (calls[last] - calls[first]) // interval
