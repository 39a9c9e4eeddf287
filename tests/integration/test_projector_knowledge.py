"""Tags and attributes fold by source and time, whatever the cut into batches, and a batch can be taken back."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qunce.domain.events import AttributeSet, Body, Event, TagChanged, TagPut, TagTaken
from qunce.readmodels.models import AttributeValue, TagHolding
from qunce.runtime.ingest import Ingest
from qunce.runtime.rebuild import rebuild
from qunce.testing.builders import happened, moment, person, said

pytestmark = pytest.mark.django_db

AT = "09:00"


def take(*events: Event, batch: int = 1_000) -> None:
    Ingest(clock=lambda: moment("23:00", 30)).take_all(events, batch)


def known(body: Any, who: str | None = "小红", *, at: str = AT, day: int = 0, group: str | None = None) -> Event:
    """We learnt `body` about somebody."""
    verb = f"{type(body).__name__}{hash(body)}"
    return happened(body, verb, who or "", at=at, day=day, group=group, subject=person(who) if who else None)


def put(tag: str = "意向/强", **fields: Any) -> TagPut:
    return TagPut(**{"target": "member", "tag": tag, **fields})


def took(tag: str = "意向/强", **fields: Any) -> TagTaken:
    return TagTaken(**{"target": "member", "tag": tag, **fields})


def city(value: str | None, **fields: Any) -> AttributeSet:
    return AttributeSet(attribute="city", value=value, **fields)


def holdings() -> list[tuple[str, str, bool]]:
    rows = TagHolding.objects.order_by("tag", "kept", "rule_id")
    return [(row.tag, row.kept, row.put_ms is not None and row.taken_ms is None) for row in rows]


def values() -> list[tuple[str, Any]]:
    return [(row.kept, json.loads(row.value or "null")) for row in AttributeValue.objects.order_by("kept")]


def test_a_tag_knows_who_put_it_why_how_sure_and_until_when() -> None:
    body = put(
        kept="rule", rule_id="ask.price", version="3-ab", reason="问价 3 次", confidence=0.8, evidence=(4, 9), until_ms=77,
        batch_id="b1", colleague="5",
    )  # fmt: skip
    take(said("群", "小红", "早", at="08:00"), known(body))
    row = TagHolding.objects.get()
    assert (row.target, row.identity_id, row.group_id, row.tag, row.kept, row.rule_id) == (
        "member", 1, 0, "意向/强", "rule", "ask.price",
    )  # fmt: skip
    assert (row.version, row.reason, row.confidence, row.evidence) == ("3-ab", "问价 3 次", 0.8, "[4, 9]")
    assert (row.put_ms, row.until_ms, row.taken_ms, row.colleague, row.seq) == (moment(AT), 77, None, "5", 2)


def test_a_tag_is_of_a_member_a_membership_or_a_group() -> None:
    take(
        known(put("a")), known(put("b", target="membership"), group="群"), known(put("c", target="group"), None, group="群"),
        known(put("no person"), None), known(put("no group", target="membership")),
    )  # fmt: skip
    found = TagHolding.objects.order_by("tag").values_list("tag", "identity_id", "group_id")
    assert list(found) == [("a", 1, 0), ("b", 1, 1), ("c", 0, 1)]


def test_each_source_takes_its_own_tag_only() -> None:
    take(
        known(put()), known(put(kept="rule", rule_id="r1")), known(put(kept="rule", rule_id="r2")),
        known(took(kept="rule", rule_id="r1"), at="09:05"),
    )  # fmt: skip
    assert holdings() == [("意向/强", "manual", True), ("意向/强", "rule", False), ("意向/强", "rule", True)]


def test_the_tags_of_a_platform_are_tags_like_others() -> None:
    take(
        known(TagChanged(target="contact", added=("老客", "北京"))),
        known(TagChanged(target="contact", removed=("北京", "从未有过")), at="09:05"),
    )
    assert holdings() == [("从未有过", "connector", False), ("北京", "connector", False), ("老客", "connector", True)]


def test_what_comes_late_does_not_replace_what_is_newer() -> None:
    take(
        known(took(), at="10:00"), known(put(), at="09:00"), known(city("杭州"), at="10:00"), known(city("成都"), at="09:00"),
        known(city("北京"), at="10:00"),
    )  # fmt: skip
    assert holdings() == [("意向/强", "manual", False)]
    assert values() == [("manual", "北京")]


VALUES: dict[str, tuple[Any, int | None, str]] = {
    "a text is a word": ("杭州", None, "杭州"),
    "a long text is neither": ("长" * 81, None, ""),
    "a date is its first moment": ("2026-03-03", moment("00:00", 1), ""),
    "no date": ("2026-13-03", None, "2026-13-03"),
    "a number": (-3, -3, ""),
    "a fraction is not counted": (2.5, None, ""),
    "yes": (True, None, "yes"),
    "no": (False, None, "no"),
    "taken away": (None, None, ""),
}


@pytest.mark.parametrize(("value", "number", "word"), VALUES.values(), ids=VALUES)
def test_a_value_is_kept_as_it_was_said_and_as_it_is_compared(value: Any, number: int | None, word: str) -> None:
    take(known(AttributeSet(attribute="x", value=value)))
    row = AttributeValue.objects.get()
    assert (json.loads(row.value or "null"), row.number, row.word) == (value, number, word)


def test_every_source_keeps_its_value() -> None:
    take(known(city("杭州", kept="chat", confidence=0.6)), known(city("成都")), known(city(None, kept="chat"), at="09:05"))
    assert values() == [("chat", None), ("manual", "成都")]


def test_undoing_a_batch_makes_everything_what_it_was() -> None:
    take(
        known(put("a", reason="旧", until_ms=5)), known(city("杭州", confidence=0.5, evidence=(1,))),
        said("群", "小红", "早", at="09:01"),
    )  # fmt: skip
    before = states()
    take(
        known(put("a", reason="新", batch_id="B"), at="09:10"), known(took("a", batch_id="B"), at="09:10"),
        known(city("成都", batch_id="B"), at="09:10"),
    )  # fmt: skip
    assert states() != before
    take(known(took("a", undoes="B"), at="09:20"), known(city(None, undoes="B"), at="09:20"))
    assert states() == before
    assert rebuild(keep=False).same


def test_undoing_leaves_no_tag_and_no_value_where_none_was() -> None:
    take(known(put("a", batch_id="B")), known(city("成都", batch_id="B")))
    take(known(took("a", undoes="B", colleague="5"), at="09:20"), known(city(None, undoes="B"), at="09:20"))
    assert holdings() == [("a", "manual", False)]
    assert values() == [("manual", None)]
    assert TagHolding.objects.get().colleague == "5"


def test_undoing_changes_nothing_that_somebody_else_changed_since() -> None:
    take(known(put("a", batch_id="B")), known(put("a", reason="我来", batch_id="C"), at="09:10"))
    take(known(took("a", undoes="B"), at="09:20"))
    assert holdings() == [("a", "manual", True)]
    take(known(took("a", undoes="C"), at="09:30"), known(took("a", undoes="B"), at="09:40"))
    assert holdings() == [("a", "manual", False)]


def test_undoing_stops_where_a_row_no_longer_remembers() -> None:
    take(*(known(city(f"城{n}", batch_id=f"B{n}"), at=f"09:{n:02}") for n in range(8)))
    take(*(known(city(None, undoes=f"B{n}"), at=f"10:{9 - n:02}") for n in range(7, 0, -1)))
    assert values() == [("manual", "城4")]


def states() -> list[Any]:
    """Return every row, apart from what only says where it stands in the journal."""
    tags = TagHolding.objects.order_by("pk").values()
    attributes = AttributeValue.objects.order_by("pk").values()
    return [{**row, "seq": 0} for row in (*tags, *attributes)]


@st.composite
def changes(draw: st.DrawFn) -> Body:
    batch = draw(st.sampled_from(["", "A", "B"]))
    undoes = draw(st.sampled_from(["", "", "A", "B"]))
    kept = draw(st.sampled_from(["manual", "rule"]))
    kind = draw(st.sampled_from(["put", "take", "set", "platform"]))
    if kind == "set":
        return city(draw(st.sampled_from(["杭州", "成都", None])), kept=kept, batch_id=batch, undoes=undoes)
    if kind == "platform":
        return TagChanged(target="contact", added=draw(st.sampled_from([(), ("a",)])), removed=("b",))
    make = put if kind == "put" else took
    return make(draw(st.sampled_from(["a", "b"])), kept=kept, batch_id=batch, undoes=undoes)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(bodies=st.lists(changes(), min_size=2, max_size=14), cuts=st.sets(st.integers(1, 13)), minutes=st.randoms())
def test_the_cut_into_batches_leaves_no_trace(bodies: list[Body], cuts: set[int], minutes: Any) -> None:
    at = [f"09:{minutes.randrange(60):02}:{n:02}" for n in range(len(bodies))]
    events = [known(body, minutes.choice(["小红", "小明"]), at=moment_) for body, moment_ in zip(bodies, at, strict=True)]
    places = [0, *sorted(cut for cut in cuts if cut < len(events)), len(events)]
    assert fresh(events, places) == fresh(events, [0, len(events)])


def fresh(events: list[Event], places: list[int]) -> list[Any]:
    with transaction.atomic():
        for start, end in pairwise(places):
            take(*events[start:end])
        found = [{name: value for name, value in row.items() if name != "id"} for row in states()]
        found.sort(key=repr)
        transaction.set_rollback(True)
    return found
