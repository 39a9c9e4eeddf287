"""Whatever arrives can be stored."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from qunce.connectors.cleaning import MAX_KEY, MAX_LIVE_TEXT, MAX_NAME, live_event
from qunce.domain.events import Conv, Event, MessageCreated, Part, Party, Source, encode
from qunce.domain.keys import message_key
from tests.unit.connectors.harness import NOW_MS

ANY_TEXT = st.text(st.characters())  # lone surrogates and NUL included


def event(text: str = "好", *, ts_ms: int = NOW_MS, name: str = "安", conv: str = "g", person: str = "u") -> Event:
    return Event(
        ts_ms=ts_ms,
        source=Source(connector="x", account="a", origin="poll"),
        body=MessageCreated(message_id="1", text=text, content=(Part(text=text), Part(type="image"))),
        dedupe_key=message_key(conv, "1"),
        conv=Conv(platform_id=conv, name=name),
        actor=Party(platform_id=person, name=name),
    )


@given(text=ANY_TEXT, name=ANY_TEXT, conv=ANY_TEXT, person=ANY_TEXT, ts_ms=st.integers(-(2**70), 2**70))
def test_any_event_can_be_stored_or_is_left_out(text: str, name: str, conv: str, person: str, ts_ms: int) -> None:
    found = live_event(event(text, ts_ms=ts_ms, name=name, conv=conv, person=person), NOW_MS)
    if found is None:
        assert not conv.strip("\0") or not person.strip("\0")
        return
    assert b"\\u0000" not in encode(found)
    assert 0 < found.ts_ms < NOW_MS + 10**8
    assert len(found.dedupe_key) <= MAX_KEY


def test_a_message_of_a_megabyte_is_cut_and_kept() -> None:
    found = live_event(event("广告" * 500_000), NOW_MS)
    assert found is not None
    assert isinstance(found.body, MessageCreated)
    assert len(found.body.text) == MAX_LIVE_TEXT
    assert [part.type for part in found.body.content] == ["text", "image"]


def test_a_time_that_cannot_be_becomes_the_moment_it_was_learnt() -> None:
    for ts_ms in (0, NOW_MS * 10):
        found = live_event(event(ts_ms=ts_ms), NOW_MS)
        assert found is not None
        assert found.ts_ms == NOW_MS


def test_a_long_name_is_cut_and_an_absurd_id_left_out() -> None:
    found = live_event(event(name="安" * 10_000), NOW_MS)
    assert found is not None
    assert found.actor is not None
    assert len(found.actor.name or "") == MAX_NAME
    assert live_event(event(person="u" * 10_000), NOW_MS) is None
