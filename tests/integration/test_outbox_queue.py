"""The outbox does everything once, in order, within its budget, and says so when nobody can know."""

import pytest

from qunce.outbox import queue
from qunce.outbox.budget import Rate, next_free_ms
from qunce.outbox.models import Attempt, Delivery, State
from qunce.outbox.queue import LEASE_MS, MAX_ATTEMPTS, Plan

pytestmark = pytest.mark.django_db

NOW = 1_800_000_000_000
FREE = (Rate("all", calls=1_000, seconds=1, burst=1_000),)


def plan(name: str, **changes: object) -> Plan:
    values = {
        "idem_key": queue.idem_key(name), "connector": "matrix", "account": "bot", "conv_id": "!room", "group_id": 1,
        "capability": "message.send", "command": "{}", "expires_ms": NOW + 3_600_000,
    }  # fmt: skip
    return Plan(**(values | changes))  # type: ignore[arg-type]


def claim(now: int = NOW, by: str = "me", rates: tuple[Rate, ...] = FREE, limit: int = 10) -> list[Delivery]:
    return queue.claim("matrix", "bot", by=by, now_ms=now, limit=limit, rates=rates)


def states() -> list[str]:
    return list(Delivery.objects.order_by("pk").values_list("state", flat=True))


def test_planning_twice_makes_one_delivery() -> None:
    assert queue.enqueue([plan("a"), plan("b"), plan("a")], NOW) == 2
    assert queue.enqueue([plan("a"), plan("c")], NOW) == 1
    assert Delivery.objects.count() == 3


def test_what_is_claimed_by_one_is_not_there_for_another() -> None:
    queue.enqueue([plan("a"), plan("b")], NOW)
    assert len(claim()) == 2
    assert claim(by="other") == []
    assert states() == [State.SENDING, State.SENDING]


def test_nothing_leaves_before_its_time_or_after_its_use() -> None:
    queue.enqueue([plan("later", not_before_ms=NOW + 1_000), plan("late", expires_ms=NOW)], NOW)
    assert claim() == []
    assert states() == [State.READY, State.EXPIRED]
    assert [row.idem_key for row in claim(NOW + 1_000)] == [queue.idem_key("later")]


def test_steps_of_a_case_keep_their_order() -> None:
    queue.enqueue([plan("mute", case_id="c", place=0), plan("notice", case_id="c", place=1), plan("other")], NOW)
    first = claim()
    assert [row.place for row in first] == [0, 0]
    mute = next(row for row in first if row.case_id)
    assert claim() == []
    assert queue.finish(mute, outcome="done", receipt="$1", now_ms=NOW)
    assert [row.place for row in claim()] == [1]


def test_the_budget_is_kept_across_claims_and_a_clock_set_back_does_not_lock_it() -> None:
    rates = (Rate("minute", calls=20, seconds=60, burst=2),)
    queue.enqueue([plan(str(n)) for n in range(5)], NOW)
    assert len(claim(rates=rates)) == 2
    assert claim(rates=rates) == []
    assert next_free_ms("matrix", "bot", rates, NOW) == NOW + 3_000
    assert len(claim(NOW + 3_000, rates=rates)) == 1
    assert len(claim(NOW - 3_600_000, rates=rates)) == 0
    assert len(claim(NOW - 3_600_000 + 6_000, rates=rates)) == 2


OUTCOMES = [
    pytest.param("done", State.DONE, id="done is done"),
    pytest.param("failed", State.FAILED, id="a permanent failure is final"),
    pytest.param("unknown", State.UNKNOWN, id="what nobody can know is said"),
    pytest.param("human", State.HUMAN, id="what the platform cannot do becomes a task"),
    pytest.param("retry", State.RETRYING, id="a passing failure is tried again"),
]


@pytest.mark.parametrize(("outcome", "state"), OUTCOMES)
def test_each_outcome_has_its_state_and_its_attempt(outcome: str, state: State) -> None:
    queue.enqueue([plan("a")], NOW)
    (row,) = claim()
    assert queue.finish(row, outcome=outcome, code="X1", now_ms=NOW)
    assert states() == [state]
    assert list(Attempt.objects.values_list("outcome", "code")) == [(outcome, "X1")]


def test_retries_wait_as_long_as_the_platform_says_and_end() -> None:
    queue.enqueue([plan("a", expires_ms=NOW + 10**12)], NOW)
    now = NOW
    for attempt in range(1, MAX_ATTEMPTS + 1):
        (row,) = claim(now)
        queue.finish(row, outcome="retry", retry_after_ms=7_000, now_ms=now)
        if attempt < MAX_ATTEMPTS:
            assert claim(now + 1_999) == []
            now = Delivery.objects.get().not_before_ms
            assert now >= NOW + 7_000
    assert states() == [State.FAILED]


@pytest.mark.parametrize(("idempotent", "state"), [(True, State.RETRYING), (False, State.UNKNOWN)])
def test_a_lost_worker_is_noticed_and_never_resent_blindly(idempotent: bool, state: State) -> None:
    queue.enqueue([plan("a")], NOW)
    (row,) = claim()
    assert queue.recover("matrix", "bot", idempotent=idempotent, now_ms=NOW + LEASE_MS - 1) == 0
    assert queue.recover("matrix", "bot", idempotent=idempotent, now_ms=NOW + LEASE_MS) == 1
    assert states() == [state]
    assert not queue.finish(row, outcome="done", now_ms=NOW + LEASE_MS)  # the lost worker comes back: too late
    assert states() == [state]


def test_a_paused_channel_keeps_everything_and_goes_on() -> None:
    queue.enqueue([plan("a")], NOW)
    queue.pause("matrix", "bot", reason="maintenance", now_ms=NOW)
    assert claim() == []
    queue.resume("matrix", "bot")
    assert len(claim()) == 1


def test_a_person_approves_once() -> None:
    queue.enqueue([plan("a", state=State.PROPOSED), plan("b")], NOW)
    ids = list(Delivery.objects.values_list("pk", flat=True))
    assert queue.decide(ids, expect=State.PROPOSED, state=State.READY, staff_id=7, now_ms=NOW) == 1
    assert queue.decide(ids, expect=State.PROPOSED, state=State.DECLINED, staff_id=8, now_ms=NOW) == 0
    assert Delivery.objects.get(idem_key=queue.idem_key("a")).decided_by == 7


def test_cancelling_a_case_stops_what_has_not_left() -> None:
    queue.enqueue([plan("a", case_id="c"), plan("b", case_id="c", place=1), plan("other")], NOW)
    claim(limit=1)
    assert queue.cancel_case("c", reason="undone", now_ms=NOW) == 1
    assert states() == [State.SENDING, State.CANCELLED, State.READY]
