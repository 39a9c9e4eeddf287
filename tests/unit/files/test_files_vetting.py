"""What every event is checked for on its way out."""

from __future__ import annotations

import pytest

from qunce.connectors.files.base import Rejected
from qunce.connectors.files.vetting import DAY_MS, MAX_TEXT_BYTES, vetted
from qunce.domain import events
from qunce.domain.events import Conv, Event, MessageCreated, Part, Party, Source
from tests.unit.files.notation import NOW_MS


def event(**changes: object) -> Event:
    text = changes.pop("text", "hi")
    content = changes.pop("content", ())
    fields: dict[str, object] = {
        "ts_ms": 1_706_752_800_000,
        "source": Source(connector="telegram"),
        "body": MessageCreated(message_id="1", text=text, content=content),  # type: ignore[arg-type]
        "dedupe_key": "m:7:1",
        "conv": Conv(platform_id="7", name="茶馆"),
        "actor": Party(platform_id="user11", name="Ann"),
    }
    return Event(**(fields | changes))  # type: ignore[arg-type]


def vet(row: Event | Rejected) -> Event | Rejected:
    (found,) = vetted(iter([row]), NOW_MS)
    return found


def test_a_sound_event_passes_as_it_is() -> None:
    row = event()
    assert vet(row) is row


def test_a_rejected_row_passes_as_it_is() -> None:
    row = Rejected(where="line 1", code="bad_row", reason="r", fix="f", excerpt="a")
    assert vet(row) is row


def test_the_excerpt_of_a_rejected_row_can_be_stored_too() -> None:
    row = vet(Rejected(where="line 1", code="bad_row", reason="r", fix="f", excerpt="a\x00\ud83d"))
    assert isinstance(row, Rejected)
    assert row.excerpt == "a\ufffd\ufffd"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ts_ms": 0}, "too_old"),
        ({"ts_ms": 946_684_799_999}, "too_old"),
        ({"ts_ms": NOW_MS + DAY_MS + 1}, "future_time"),
        ({"text": "x" * (MAX_TEXT_BYTES + 1)}, "too_long"),
        ({"actor": Party(platform_id="")}, "no_sender"),
        ({"conv": Conv(platform_id="")}, "no_sender"),
        ({"actor": Party(platform_id="x" * 300)}, "bad_id"),
        ({"dedupe_key": ""}, "bad_row"),
    ],
)
def test_an_event_that_cannot_be_kept_is_rejected_with_a_code(changes: dict[str, object], code: str) -> None:
    row = vet(event(**changes))
    assert isinstance(row, Rejected)
    assert (row.where, row.code) == ("message 1", code)
    assert row.reason
    assert row.fix
    assert len(row.excerpt) <= 200


@pytest.mark.parametrize("ts_ms", [946_684_800_000, NOW_MS, NOW_MS + DAY_MS])
def test_times_from_2000_to_one_day_ahead_are_kept(ts_ms: int) -> None:
    assert isinstance(vet(event(ts_ms=ts_ms)), Event)


def test_nul_and_half_emoji_are_taken_out_everywhere() -> None:
    row = vet(
        event(
            text="a\x00b\ud83d!",
            content=(Part(text="\x00"), Part(type="file", name="\udc00.png")),
            actor=Party(platform_id="u", name="Ann\x00"),
        )
    )
    assert isinstance(row, Event)
    assert isinstance(row.body, MessageCreated)
    assert row.body.text == "ab\ufffd!"
    assert row.body.content[1].name == "\ufffd.png"
    assert row.actor == Party(platform_id="u", name="Ann")
    assert b"\\u0000" not in events.encode(row)


def test_a_text_that_only_spells_nul_is_left_alone() -> None:
    row = vet(event(text="\\u0000"))
    assert isinstance(row, Event)
    assert isinstance(row.body, MessageCreated)
    assert row.body.text == "\\u0000"


def test_long_names_are_cut_and_long_keys_become_short_ones_that_stay_the_same() -> None:
    row = vet(event(actor=Party(platform_id="u", name="n" * 1000), dedupe_key="k" * 1000))
    assert isinstance(row, Event)
    assert row.actor
    assert row.actor.name == "n" * 250
    assert len(row.dedupe_key) < 50
    assert vet(event(dedupe_key="k" * 1000)).dedupe_key == row.dedupe_key  # type: ignore[union-attr]
