"""The journal appends once, in order, without holes, on both databases."""

import pytest
from django.db import connection, transaction

from qunce.domain.events import Event, Source
from qunce.journal.models import JournalEvent, JournalGap
from qunce.journal.store import Appended, Journal
from qunce.testing.builders import said

pytestmark = pytest.mark.django_db

WECOM = Source(connector="wecom", account="corp")
QQ = Source(connector="qq", account="1")


def lines(*texts: str, source: Source = WECOM) -> list[Event]:
    return [said("群", "小红", text, at="09:00", id=text, source=source) for text in texts]


def append(journal: Journal, events: list[Event]) -> Appended:
    with transaction.atomic():
        return journal.append(events, 1_000)


@pytest.fixture
def journal() -> Journal:
    return Journal(connection)


def texts(journal: Journal) -> list[str]:
    return [stored.event.body.text for stored in journal.read(0, 100)]  # type: ignore[union-attr]  # all are messages


def test_events_come_back_as_they_were_in_their_order(journal: Journal) -> None:
    events = lines("一", "二", "三")
    append(journal, events)
    stored = journal.read(0, 10)
    assert [one.event for one in stored] == events
    assert [one.seq for one in stored] == [1, 2, 3]
    assert {one.received_ms for one in stored} == {1_000}


@pytest.mark.parametrize(
    ("first", "second", "added", "kept"),
    [
        pytest.param(["一", "二"], ["一", "二"], [], ["一", "二"], id="the same batch again adds nothing"),
        pytest.param(
            ["一", "三"], ["一", "二", "三", "四"], ["二", "四"], ["一", "三", "二", "四"], id="only the new ones are added"
        ),
        pytest.param([], ["一", "一", "二"], ["一", "二"], ["一", "二"], id="a batch that repeats itself adds one of each"),
        pytest.param(["一"], [], [], ["一"], id="an empty batch adds nothing"),
    ],
)
def test_appending_is_idempotent(
    journal: Journal, first: list[str], second: list[str], added: list[str], kept: list[str]
) -> None:
    append(journal, lines(*first))
    result = append(journal, lines(*second))
    assert [one.event.body.text for one in result.events] == added  # type: ignore[union-attr]
    assert result.duplicates == len(second) - len(added)
    assert texts(journal) == kept
    assert [one.seq for one in journal.read(0, 100)] == list(range(1, len(kept) + 1))
    assert journal.holes() == []


def test_the_same_key_of_another_source_is_another_event(journal: Journal) -> None:
    append(journal, lines("一"))
    assert len(append(journal, lines("一", source=QQ)).events) == 1


def test_positions_are_found_by_key_within_a_source(journal: Journal) -> None:
    events = lines("一", "二")
    append(journal, events)
    keys = [event.dedupe_key for event in events]
    assert journal.positions(WECOM, [*keys, "unknown"]) == {keys[0]: 1, keys[1]: 2}
    assert journal.positions(QQ, keys) == {}
    assert journal.positions(WECOM, []) == {}


def test_a_rolled_back_append_leaves_nothing_and_the_next_one_no_hole(journal: Journal) -> None:
    with transaction.atomic():
        journal.append(lines("一"), 1_000)
        transaction.set_rollback(True)
    append(journal, lines("二"))
    assert texts(journal) == ["二"]
    assert journal.head() == 1


@pytest.mark.django_db(transaction=True)
def test_appending_outside_a_transaction_is_refused(journal: Journal) -> None:
    with pytest.raises(RuntimeError, match="transaction"):
        journal.append(lines("一"), 1_000)


def test_a_missing_stretch_is_seen(journal: Journal) -> None:
    append(journal, lines("一", "二", "三", "四"))
    JournalEvent.objects.filter(seq__in=[2, 3]).delete()
    assert journal.holes() == [(2, 3)]


def test_cursors_remember_how_far_a_reader_is(journal: Journal) -> None:
    assert journal.cursor_position("mirror") == 0
    journal.move_cursor("mirror", 5)
    journal.move_cursor("mirror", 9)
    assert journal.cursor_position("mirror") == 9


def test_reading_all_comes_in_batches_up_to_where_it_was_asked(journal: Journal) -> None:
    append(journal, lines("一", "二", "三", "四", "五"))
    assert [[one.seq for one in batch] for batch in journal.read_all(1, 4, batch=2)] == [[2, 3], [4]]


def test_a_known_loss_is_written_down(journal: Journal) -> None:
    with transaction.atomic():
        journal.note_gap(WECOM, reason="archive was off", noted_ms=9, from_ms=1, until_ms=5, lost=None)
    gap = JournalGap.objects.get()
    assert (gap.reason, gap.from_ms, gap.until_ms, gap.lost) == ("archive was off", 1, 5, None)
