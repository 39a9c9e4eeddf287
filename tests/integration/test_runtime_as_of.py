"""An archive is judged as of its end; where a channel is connected, time goes on."""

from __future__ import annotations

from typing import Any

import pytest

from qunce.runtime.as_of import moment_of, newest_ms
from qunce.runtime.ingest import Ingest
from qunce.runtime.models import Channel, SegmentMember, SegmentMove, SegmentState
from qunce.runtime.segments.keep import Keeper
from qunce.testing import builders as b

pytestmark = pytest.mark.django_db
DAY_MS = 86_400_000


def take(*events: Any) -> None:
    Ingest(lambda: b.moment("12:00", 20)).take_all(list(events))


def test_people_are_judged_as_of_the_newest_news_when_nothing_was_heard_for_two_days() -> None:
    assert newest_ms() is None
    assert moment_of(7) == 7, "nothing to go by"
    take(b.said("读书会", "小红", "在吗", at="10:00", day=8), b.ordered("小客", 20.00, at="10:00", day=9))
    newest = b.moment("10:00", 9)
    assert newest_ms() == newest, "an order is news"
    assert moment_of(newest + DAY_MS) == newest + DAY_MS
    assert moment_of(newest + 400 * DAY_MS) == newest


def test_silence_is_news_where_a_channel_is_connected() -> None:
    take(b.said("读书会", "小红", "在吗", at="10:00", day=8))
    late = b.moment("10:00", 8) + 400 * DAY_MS
    channel = Channel.objects.create(connector="matrix", account="a", name="渠道", created_ms=0)
    assert moment_of(late) == late
    channel.enabled = False
    channel.save()
    assert moment_of(late) == b.moment("10:00", 8)


def test_segments_of_an_archive_hold_who_belonged_at_its_end_and_follow_what_is_imported_later(
    settings: Any, tmp_path: Any
) -> None:
    settings.DATA_DIR = tmp_path
    take(b.said("读书会", "小红", "在吗", at="10:00", day=2), b.ordered("小红", 600.00, at="10:00", day=3))
    years_later = b.moment("10:00", 3) + 4_000 * DAY_MS
    keeper = Keeper(lambda: years_later)
    while keeper.turn():
        pass
    assert SegmentMember.objects.filter(segment_id="able_to_buy").count() == 1, "bought within 180 days of the end"
    assert set(SegmentState.objects.values_list("as_of_ms", flat=True)) == {b.moment("10:00", 3)}
    assert keeper.turn() == 0, "no night falls in an archive"
    take(b.said("读书会", "小红", "还在", at="10:00", day=3 + 200))
    while keeper.turn():
        pass
    assert not SegmentMember.objects.filter(segment_id="able_to_buy").exists(), "200 days later that order counts no more"
    move = SegmentMove.objects.get(segment_id="able_to_buy")
    assert (move.entered, move.ts_ms) == (False, b.moment("10:00", 203))
