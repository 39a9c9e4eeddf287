"""Ids, keys, local time and text of the domain."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunce.domain import ids
from qunce.domain.keys import Fingerprints, message_key, native_key
from qunce.domain.localtime import LocalClock, date_day, day_date
from qunce.domain.text import MAX_WORD, contains, fold, index_tokens, is_question, query_tokens


@given(st.integers(0, 2**47), st.integers(0, 2**60))
def test_an_event_id_leads_back_to_its_position(received_ms: int, seq: int) -> None:
    assert ids.seq_of(ids.event_id(received_ms, seq)) == seq


def test_event_ids_sort_by_time_of_arrival() -> None:
    assert ids.event_id(1_000, 9) < ids.event_id(1_001, 1) < ids.event_id(1_001, 2)


@pytest.mark.parametrize("bad", ["", "short", "!" * 26])
def test_what_is_no_event_id_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="event id"):
        ids.seq_of(bad)


def test_native_keys_keep_families_apart() -> None:
    assert message_key("g", "1") == "m:g:1"
    assert native_key("join", "g", "1") == "join:g:1"


def test_equal_neighbours_get_keys_of_their_own_and_a_second_reading_the_same() -> None:
    def keys() -> list[str]:
        marks = Fingerprints()
        return [marks.key(5, "群", "小红", "好的"), marks.key(5, "群", "小红", "好的"), marks.key(6, "群", "小红", "好的")]

    assert len(set(keys())) == 3
    assert keys() == keys()


@given(st.integers(0, 4_000_000_000_000), st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York", "UTC"]))
def test_local_days_and_hours_agree_with_the_standard_library(ts_ms: int, zone: str) -> None:
    clock = LocalClock(ZoneInfo(zone))
    local = datetime.fromtimestamp(ts_ms / 1000, UTC).astimezone(ZoneInfo(zone))
    assert clock.day(ts_ms) == date_day(local.date())
    assert clock.hour(ts_ms) == local.hour
    assert day_date(clock.day(ts_ms)) == local.date()


def test_a_day_starts_at_local_midnight() -> None:
    clock = LocalClock(ZoneInfo("Asia/Shanghai"))
    assert clock.day(clock.start_ms(20_000)) == 20_000
    assert clock.day(clock.start_ms(20_000) - 1) == 19_999


@pytest.mark.parametrize(
    ("spelling", "folded"),
    [("ＡＢＣ", "abc"), ("發貨", "发货"), ("𝐕𝐗", "vx"), ("加\u200b微\u200d信", "加微信"), ("ﬁn", "fin"), ("Straße", "straße")],
)
def test_folding_makes_spellings_equal(spelling: str, folded: str) -> None:
    assert fold(spelling) == folded


@given(st.text())
def test_folding_twice_changes_nothing_more(text: str) -> None:
    once = fold(text)
    assert fold(once) == fold(fold(once))


HAN = st.text(alphabet="发货退款什么时候呀在吗", min_size=1, max_size=6)


@given(st.text(alphabet="发货退款什么时候呀在吗 abc12，。", max_size=40), HAN)
def test_the_index_never_misses_what_the_text_contains(text: str, query: str) -> None:
    if contains(text, query):
        tokens = index_tokens(text).split()
        for token, is_prefix in query_tokens(query):
            assert any(found.startswith(token) if is_prefix else found == token for found in tokens)


def test_two_characters_are_found_in_a_sentence_across_scripts_and_widths() -> None:
    tokens = index_tokens("什麼時候發貨呀").split()
    assert all(token in tokens for token, _ in query_tokens("发货"))
    assert query_tokens("货") == (("货", True),)
    assert query_tokens("？！ ") == ()


def test_a_very_long_word_is_cut_alike_in_index_and_query() -> None:
    word = "a" * (MAX_WORD + 5)
    assert index_tokens(word).split() == ["a" * MAX_WORD, "a" * 5]
    assert query_tokens(word) == (("a" * MAX_WORD, True), ("a" * 5, True))


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("什么时候发货", True), ("有货吗", True), ("这个多少钱呀", True), ("求问尺码", True), ("好的谢谢", False),
        ("收到", False), ("how do I return it", True), ("is it in stock?", True), ("thanks a lot", False), ("？", False),
        ("https://a.b/c?d=1", False),
    ],
)  # fmt: skip
def test_questions_are_told_by_a_simple_rule(text: str, asks: bool) -> None:
    assert is_question(text) is asks
