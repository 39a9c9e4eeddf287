"""Answers from the desk count as first answers, once, whenever and in whatever order they are told."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qunce.analytics.engine import Engine
from qunce.analytics.refresh import refresh
from qunce.analytics.registry import get_metric
from qunce.analytics.tables import Params
from qunce.domain.events import Event
from qunce.domain.localtime import LocalClock
from qunce.journal.mirror import MirrorStore
from qunce.readmodels.models import Question
from qunce.runtime.ingest import Ingest
from qunce.runtime.rebuild import rebuild
from qunce.testing.builders import answered, chat, flagged, moment, said

pytestmark = pytest.mark.django_db

RED: Final = said("群", "小红", "有货吗", at="09:00", id="q1")


def take(*events: Event) -> None:
    Ingest(clock=lambda: moment("23:00", 30)).take_all(events)


def pairs() -> list[tuple[str, int | None, str]]:
    rows = Question.objects.order_by("ts_ms", "seq").values_list("identity__name", "response_s", "staff")
    return list(rows)


def echo(text: str = "有的", *, at: str, day: int = 0, id: str = "a1") -> Event:  # noqa: A002
    """The answer as the platform shows it: said by our account, quoting nobody."""
    return said("群", "我们的号", text, at=at, day=day, kind="bot", id=id)


def test_an_answer_from_the_desk_is_the_first_answer_of_its_colleague() -> None:
    take(RED, said("群", "小明", "能退吗", at="09:01"), answered(RED, "lili", at="09:02"))
    assert pairs() == [("小红", 120, "lili"), ("小明", None, "")]
    assert Question.objects.get(staff="lili").responder_id is None


def test_it_counts_when_it_arrives_after_its_group_was_settled() -> None:
    take(RED, *chat("群", "10:00 小明: 早"))
    take(answered(RED, "lili", at="09:02"))
    assert pairs() == [("小红", 120, "lili")]
    assert rebuild(keep=False).same


@pytest.mark.parametrize("first", ["the message", "the reply"])
def test_the_message_of_an_answer_answers_nothing_more_even_when_our_account_is_staff(first: str) -> None:
    told = [echo(at="09:03"), answered(RED, "lili", at="09:02", id="a1")]
    take(RED, said("群", "小明", "能退吗", at="09:01"), flagged("我们的号", "staff", at="08:00"))
    for event in told if first == "the message" else reversed(told):
        take(event)
    assert pairs() == [("小红", 120, "lili"), ("小明", None, "")], "a line that quotes nobody would have answered both"
    take(said("群", "我们的号", "都有", at="09:04", kind="bot", id="a2"))
    assert pairs() == [("小红", 120, "lili"), ("小明", 180, "")], "what our account says by itself still does"


def test_a_tap_after_the_words_were_seen_in_the_group_answers_no_newer_question() -> None:
    take(
        RED, said("群", "客服", "有的", at="09:02", kind="staff"), said("群", "小红", "什么时候能到", at="09:05"),
        answered(RED, "lili", at="09:06", by_hand=True),
    )  # fmt: skip
    assert pairs() == [("小红", 120, ""), ("小红", None, "")]


def test_an_answer_to_an_earlier_line_of_theirs_answers_what_they_asked_since() -> None:
    hello = said("群", "小红", "@客服", at="08:59", id="q0")
    take(hello, RED, answered(hello, "lili", at="09:02"))
    assert pairs() == [("小红", 120, "lili")]


def test_an_answer_a_day_later_is_none() -> None:
    take(RED, answered(RED, "lili", at="09:01", day=1))
    assert pairs() == [("小红", None, "")]


def test_a_question_answered_across_the_border_of_a_later_change_stays_answered() -> None:
    take(RED, answered(RED, "lili", at="18:00"))
    take(said("群", "小明", "早", at="12:00", day=1))
    assert pairs() == [("小红", 9 * 3_600, "lili")]
    assert rebuild(keep=False).same


def test_the_metric_over_the_mirror_counts_what_the_tables_count(tmp_path: Path) -> None:
    take(*EXAMPLE)
    assert pairs() == [("林", 60, "lili"), ("王", 300, "lili"), ("赵", None, "")]
    store, zone = MirrorStore(tmp_path / "mirror"), ZoneInfo("Asia/Shanghai")
    refresh(connection=connection, store=store, zone=zone)
    day = LocalClock(zone).day(moment("09:00"))
    (row,) = Engine(store).compute(get_metric("first_response"), Params(since_day=day, until_day=day)).dicts()
    assert (row["questions"], row["answered"], row["fast"], row["median_s"], row["p90_s"]) == (3, 2, 1, 180.0, 300)


_ASKED: Final = said("群", "林", "什么时候发货？", at="09:00", id="m1")
_WANG: Final = said("群", "王", "几点直播？", at="09:01", id="m2")
EXAMPLE: Final = (
    _ASKED, answered(_ASKED, "lili", at="09:01", id="m9"), echo(at="09:01", id="m9"), _WANG,
    answered(_WANG, "lili", at="09:06", by_hand=True), said("群", "赵", "有优惠吗？", at="09:07"),
)  # fmt: skip
"""The worked example of docs/algorithms/first-response.md."""


def _world() -> list[Event]:
    """Questions, answers of staff in the group, from the desk, by hand and twice told, over three days."""
    events: list[Event] = [flagged("我们的号", "staff", at="07:00")]
    for day in range(3):
        for number, hour in enumerate((9, 12, 18, 23)):
            who = ("小红", "小明")[(day + number) % 2]
            asked = said("群", who, "有货吗", at=f"{hour:02}:00", day=day, id=f"q{day}{number}")
            again = said("群", who, "能退吗", at=f"{hour:02}:20", day=day, id=f"f{day}{number}")
            name = f"a{day}{number}"
            said_it = echo(at=f"{hour:02}:12", day=day, id=name)
            sent = number % 2 == 1
            reply = answered(asked, "lili", at=f"{hour:02}:11", day=day, id=name if sent else None, by_hand=not sent)
            events += [asked, again, said_it, reply, answered(asked, "anan", at=f"{hour:02}:40", day=day)]
        events += chat("群", "21:30 客服*: 晚安", day=day)
    return events


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(_world()), cuts=st.lists(st.integers(1, len(_world()) - 1), max_size=6, unique=True))
def test_no_order_and_no_cut_leaves_a_trace(order: Sequence[Event], cuts: list[int]) -> None:
    with transaction.atomic():
        whole = Question.objects.all()
        borders = [0, *sorted(cuts), len(order)]
        for start, end in pairwise(borders):
            take(*order[start:end])
        found = list(whole.order_by("seq").values_list())
        assert rebuild(keep=True).same
        assert list(whole.order_by("seq").values_list()) == found
        assert any(row.staff for row in whole)
        transaction.set_rollback(True)
