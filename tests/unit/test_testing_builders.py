"""The builders: readable, pure, and correct on the wire."""

from __future__ import annotations

import pytest

from qunce.domain.events import decode, encode
from qunce.testing import builders as b
from qunce.testing.simulator.rhythm import local_hour

ASKED = b.said("读书会", "小红", "在吗", at="09:30")

EVERYTHING = [
    b.opened("读书会", at="08:00"),
    b.placed("读书会", "春风里", at="08:01"),
    b.joined("读书会", "小红", at="09:00"),
    b.joined("读书会", "小明", at="09:01", inviter="小红"),
    b.joined("读书会", "小刚", at="09:01:30", channel="门店海报"),
    ASKED,
    b.said("读书会", "客服", "在的", at="09:33", kind="staff", reply_to=ASKED),
    b.edited(ASKED, "在吗？", at="09:31"),
    b.reacted(ASKED, "小明", at="09:32"),
    b.deleted(ASKED, at="09:34"),
    b.deleted(ASKED, at="09:35", by="客服"),
    b.muted("读书会", "小明", at="10:00", by="客服", until="11:00"),
    b.flagged("小刚", "house_persona", at="10:00"),
    b.clicked("读书会", "小红", "new-books", at="10:05"),
    b.ordered("小红", 39.9, at="10:10"),
    b.befriended("小红", "客服", at="10:11"),
    b.tagged("小红", "已购", at="10:12"),
    b.left("读书会", "小红", at="20:00"),
    b.left("读书会", "小刚", at="20:01", kicked_by="客服"),
]


@pytest.mark.parametrize("event", EVERYTHING, ids=lambda event: f"{event.type} {event.ts_ms}")
def test_every_builder_makes_an_event_that_survives_the_wire(event) -> None:
    assert decode(encode(event)) == event


def test_keys_tell_all_of_them_apart() -> None:
    assert len({event.dedupe_key for event in EVERYTHING}) == len(EVERYTHING)


def test_the_same_words_give_the_same_event() -> None:
    assert b.said("读书会", "小红", "在吗", at="09:30") == ASKED


def test_times_are_local_and_days_count_from_the_base_day() -> None:
    assert local_hour(b.moment("09:30")) == 9
    assert b.moment("09:30:05", day=1) - b.moment("09:30") == 86_400_000 + 5_000


def test_a_reply_names_the_message_it_answers() -> None:
    reply = b.said("读书会", "客服", "在的", at="09:33", reply_to=ASKED)
    assert reply.body.reply_to == ASKED.body.message_id


def test_only_a_message_can_be_referred_to() -> None:
    with pytest.raises(TypeError, match="only a message"):
        b.reacted(b.joined("读书会", "小红", at="09:00"), "小明", at="09:01")


def test_money_is_fen() -> None:
    assert b.ordered("小红", 39.9, at="10:10").body.amount_minor == 3_990


def test_chat_lines_become_messages_and_a_star_marks_staff() -> None:
    events = b.chat("读书会", """
        11:00 小明: 读到第三章吗: 是吧
        11:02:30 小满*：对，周日讨论
    """)  # fmt: skip
    assert [(e.actor.name, e.actor.kind, e.body.text) for e in events] == [
        ("小明", "member", "读到第三章吗: 是吧"),
        ("小满", "staff", "对，周日讨论"),
    ]


def test_a_line_of_another_form_is_refused() -> None:
    with pytest.raises(ValueError, match="not a line of chat"):
        b.chat("读书会", "小明说在吗")
