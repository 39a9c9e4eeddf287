"""WhatsApp exports: every date shape, who speaks, what WhatsApp says itself, and what is refused."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunce.connectors.files import whatsapp_media as media
from qunce.connectors.files.base import Rejected
from qunce.connectors.files.errors import Ambiguous, Unreadable
from qunce.connectors.files.whatsapp_dates import infer_order, read_head
from qunce.connectors.files.whatsapp_system import Happening, read_system
from qunce.domain.events import Event
from tests.unit.files.notation import keys_of, options, rows_of, told, write

LATEST = datetime(2027, 1, 16)  # noqa: DTZ001 (WhatsApp writes local times)

HEADS = [
    ("Android, English, 12 hours with dots", "3/16/18, 1:55 p.m. - a: m", "2018-03-16 13:55:00"),
    ("Android, narrow blank before PM", "3/16/18, 1:55\u202fPM - a: m", "2018-03-16 13:55:00"),
    ("iPhone, brackets and seconds", "[06.13.18 21:25:15] a: m", "2018-06-13 21:25:15"),
    ("iPhone, comma in brackets, invisible mark before", "\u200e[13/06/2018, 9:25:15 PM] a: m", "2018-06-13 21:25:15"),
    ("Android, British", "26/03/2017, 00:45 - a: m", "2017-03-26 00:45:00"),
    ("Finnish", "13.6.2018 klo 21.25.15 - a: m", "2018-06-13 21:25:15"),
    ("German", "21.02.21, 21:34 - a: m", "2021-02-21 21:34:00"),
    ("German with um", "21.02.2021 um 21:34 - a: m", "2021-02-21 21:34:00"),
    ("Spanish, 12 hours", "21/1/2019 9:15 p. m. - a: m", "2019-01-21 21:15:00"),
    ("year first", "[2018/06/13, 21:25:15] a: m", "2018-06-13 21:25:15"),
    ("year first with hyphens", "2018-06-13, 21:25 - a: m", "2018-06-13 21:25:00"),
    ("Chinese, afternoon", "2020/3/5 下午10:06 - a: m", "2020-03-05 22:06:00"),
    ("Chinese iPhone, morning", "[2019/1/21 上午9:28:20] a: m", "2019-01-21 09:28:20"),
    ("midnight as 12 AM", "1/21/19, 12:05 AM - a: m", "2019-01-21 00:05:00"),
    ("noon as 12 PM", "1/21/19, 12:05 PM - a: m", "2019-01-21 12:05:00"),
    ("midnight as 00 a. m.", "01/21/2019, 00:08 a. m. - a: m", "2019-01-21 00:08:00"),
]


@pytest.mark.parametrize(("line", "expected"), [case[1:] for case in HEADS], ids=[case[0] for case in HEADS])
def test_a_head_is_read_in_the_phones_language(line: str, expected: str) -> None:
    head = read_head(line)
    assert head is not None
    assert head.rest == "a: m"
    assert str(head.moment(infer_order([head], LATEST))) == expected


@pytest.mark.parametrize(
    "line", ["see you 1/2/21, 12:00 - ok", "1/2/21 we met", "1/2/21, 25:00 - a: m", "[1/2/21, 12:00 - a: m", "12:00 - a: m", ""]
)
def test_a_line_that_is_no_head_continues_the_message_before_it(line: str) -> None:
    assert read_head(line) is None


@given(st.dates(date(2010, 1, 1), date(2026, 12, 31)), st.sampled_from(["dmy", "mdy"]), st.data())
def test_an_order_of_day_and_month_survives_the_round_trip(first: date, order: str, data: st.DataObject) -> None:
    gaps = data.draw(st.lists(st.integers(0, 40), min_size=1, max_size=20))
    days = [first]
    for gap in gaps:
        days.append(min(days[-1] + timedelta(days=gap), date(2026, 12, 31)))
    shape = "%d/%m/%Y" if order == "dmy" else "%m/%d/%Y"
    heads = [head for day in days if (head := read_head(f"{day.strftime(shape)}, 12:00 - a: m"))]
    try:
        found = infer_order(heads, LATEST)
    except Ambiguous:
        assert all(day.day <= 12 for day in days)
        return
    if any(day.day > 12 for day in days):
        assert [head.moment(found) for head in heads] == [datetime.combine(day, time(12)) for day in days]


ORDERS = [
    ("a day over twelve decides for the month first", ["1/2/21", "1/13/21"], "mdy"),
    ("a day over twelve decides for the day first", ["1/2/21", "13/1/21"], "dmy"),
    ("the order in which time runs forward decides", ["5/1/21", "1/2/21", "2/2/21"], "dmy"),
    ("a date in the future is no date", ["12/1/26"], "dmy"),
    ("dots are always day first", ["1.2.21", "2.2.21"], "dmy"),
    ("equal day and month need no decision", ["1/1/21", "2/2/21"], "dmy"),
]


@pytest.mark.parametrize(("dates", "expected"), [case[1:] for case in ORDERS], ids=[case[0] for case in ORDERS])
def test_the_order_is_inferred_over_the_whole_file(dates: list[str], expected: str) -> None:
    heads = [head for day in dates if (head := read_head(f"{day}, 12:00 - a: m"))]
    assert infer_order(heads, LATEST.replace(2026, 11, 30)) == expected


def test_dates_that_nothing_decides_are_refused_with_the_option_that_helps(tmp_path: Path) -> None:
    path = write(tmp_path, "_chat.txt", "1/2/21, 12:00 - a: m\n2/3/21, 12:00 - a: n\n")
    with pytest.raises(Ambiguous, match="--date-order"):
        rows_of(path)
    assert told(rows_of(path, date_order="mdy"))[0].startswith("01-02")
    assert told(rows_of(path, date_order="dmy"))[0].startswith("02-01")


def test_a_file_without_any_message_is_refused_when_named_whatsapp(tmp_path: Path) -> None:
    with pytest.raises(Unreadable):
        rows_of(write(tmp_path, "x.txt", "hello\nworld\n"), "whatsapp")


CHAT = """\
13/06/21, 12:00 - Messages and calls are end-to-end encrypted. No one outside of this chat can read them.
13/06/21, 12:00 - Ann created group "Tea"
13/06/21, 12:01 - Ann added Ben and Cleo
13/06/21, 12:02 - Dan joined using this group's invite link
13/06/21, 12:03 - Ben: first line
second line
13/06/21, not a head
13/06/21, 12:04 - Ben: <Media omitted>
13/06/21, 12:05 - Ann: IMG-1.jpg (file attached)
look
13/06/21, 12:06 - Ben: This message was deleted
13/06/21, 12:07 - Ann: hi @\u2068Ben\u2069 <This message was edited>
13/06/21, 12:08 - Ann changed the subject from "Tea" to "Tea: green"
13/06/21, 12:09 - Ann removed Cleo
13/06/21, 12:10 - Dan left
13/06/21, 12:11 - You were added
"""


def test_a_group_chat_is_told_as_it_happened(tmp_path: Path) -> None:
    rows = rows_of(write(tmp_path, "_chat.txt", CHAT), zone=ZoneInfo("UTC"))
    text = "Messages and calls are end-to-end encrypted. No one outside of this chat can read them."
    lines = [line for line in told(rows) if " id=f:" not in line]
    assert lines == [
        f"06-13 12:00:00 message.created - | id=None text='{text}' parts=system({text})",
        "06-13 12:00:00 group.created Ann Ann",
        "06-13 12:01:00 member.joined Ann Ann → Ben Ben | scene=invited inviter=Ann",
        "06-13 12:01:00 member.joined Ann Ann → Cleo Cleo | scene=invited inviter=Ann",
        "06-13 12:02:00 member.joined - → Dan Dan | scene=invite_link",
        r"06-13 12:03:00 message.created Ben Ben | id=None text='first line\nsecond line\n13/06/21, not a head'",
        "06-13 12:04:00 message.created Ben Ben | id=None text='' parts=other",
        "06-13 12:05:00 message.created Ann Ann | id=None text='look' parts=image(look/IMG-1.jpg)",
        "06-13 12:07:00 message.created Ann Ann | id=None text='hi @Ben' mentions=Ben",
        "06-13 12:08:00 group.updated Ann Ann | field=name old=Tea new=Tea: green",
        "06-13 12:09:00 member.left Ann Ann → Cleo Cleo | reason=kicked",
        "06-13 12:10:00 member.left - → Dan Dan | reason=left",
        "06-13 12:11:00 message.created - | id=None text='You were added' parts=system(You were added)",
    ]
    events = [row for row in rows if isinstance(row, Event)]
    assert {event.conv.platform_id for event in events if event.conv} == {"Tea"}
    assert {event.conv.kind for event in events if event.conv} == {"group"}
    deleted = [event for event in events if event.type == "message.deleted"]
    assert [getattr(event.body, "by", None) for event in deleted] == ["author"]
    assert len(set(keys_of(rows))) == len(keys_of(rows))
    assert keys_of(rows) == keys_of(rows_of(write(tmp_path, "_chat.txt", CHAT), zone=ZoneInfo("UTC")))


def test_an_iphones_marked_lines_under_the_groups_name_are_no_messages(tmp_path: Path) -> None:
    text = (
        "[13.06.21, 12:00:00] 茶馆: \u200e消息和通话进行端到端加密。\n"
        "[13.06.21, 12:00:01] 茶馆: \u200eAnn hat Ben hinzugefügt\n"
        "[13.06.21, 12:00:02] ~\u202fBen: hallo\n"
        "\u200e[13.06.21, 12:00:03] Ben: \u200e<attached: 00001-PHOTO.jpg>\n"
        "[13.06.21, 12:00:04] Ann: \u200eBild weggelassen\n"
    )
    rows = told(rows_of(write(tmp_path, "_chat.txt", text), zone=ZoneInfo("UTC")))
    assert rows[1:] == [
        "06-13 12:00:01 member.joined Ann Ann → Ben Ben | scene=invited inviter=Ann",
        "06-13 12:00:02 message.created Ben Ben | id=None text='hallo'",
        "06-13 12:00:03 message.created Ben Ben | id=None text='' parts=image(00001-PHOTO.jpg)",
        "06-13 12:00:04 message.created Ann Ann | id=None text='' parts=image",
    ]


def test_a_message_about_joining_is_a_message(tmp_path: Path) -> None:
    said = ("Ben left", "Ben added: sugar", "it is end-to-end encrypted")
    text = "".join(f"13/06/21, 12:0{minute} - Ann: {line}\n" for minute, line in enumerate(said))
    assert all(" message.created Ann " in line for line in told(rows_of(write(tmp_path, "_chat.txt", text))))


def test_an_impossible_day_costs_its_message_only(tmp_path: Path) -> None:
    text = "13/06/21, 12:00 - a: 1\n31/02/21, 12:00 - a: 2\nrest\n14/06/21, 12:00 - a: 3\nnoise\n"
    rows = rows_of(write(tmp_path, "_chat.txt", "before\n" + text))
    assert [(row.where, row.code) for row in rows if isinstance(row, Rejected)] == [
        ("line 1", "bad_row"),
        ("line 3", "bad_time"),
    ]
    assert len(keys_of(rows)) == 2


@pytest.mark.parametrize(
    ("file", "title"),
    [
        ("WhatsApp Chat with 新生群.txt", "新生群"),
        ("WhatsApp Chat - Tea.txt", "Tea"),
        ("WhatsApp-Chat mit Tee.txt", "Tee"),
        ("与茶馆的 WhatsApp 聊天.txt", "茶馆"),
        ("2021.txt", "2021"),
    ],
)
def test_the_group_is_named_by_the_file(tmp_path: Path, file: str, title: str) -> None:
    rows = rows_of(write(tmp_path, file, "13/06/21, 12:00 - a: 1\n"))
    assert [row.conv.name for row in rows if isinstance(row, Event) and row.conv] == [title]


SYSTEM = [
    ("Ann was added", "joined", ("Ann",)),
    ("Ann joined from the community", "joined", ("Ann",)),
    ("Ann added Ben, Cleo and Dan", "added", ("Ben", "Cleo", "Dan")),
    ("You removed +49 170 123456", "removed", ("+49 170 123456",)),
    ("Ann ist der Gruppe mit dem Einladungslink beigetreten.", "joined_link", ("Ann",)),
    ("Ann hat die Gruppe verlassen.", "left", ("Ann",)),
    ("Ann hat Ben entfernt.", "removed", ("Ben",)),
    ("Ann se unió usando el enlace de invitación de este grupo.", "joined_link", ("Ann",)),
    ("Ann añadió a Ben", "added", ("Ben",)),
    ("Ann salió del grupo.", "left", ("Ann",)),
    ("Ann eliminó a Ben", "removed", ("Ben",)),
    ("小红 使用此群组的邀请链接加入了群组", "joined_link", ("小红",)),
    ("小红 添加了 小明", "added", ("小明",)),
    ("小红 离开了群组", "left", ("小红",)),
    ("小红 移除了 小明", "removed", ("小明",)),
    ("小红 将 小明 移除", "removed", ("小明",)),
]


@pytest.mark.parametrize(("text", "kind", "subjects"), SYSTEM, ids=[case[0] for case in SYSTEM])
def test_a_system_line_is_understood(text: str, kind: str, subjects: tuple[str, ...]) -> None:
    happening = read_system(text)
    assert happening is not None
    assert (happening.kind, happening.subjects) == (kind, subjects)


@pytest.mark.parametrize("text", ["Ann added you", "You left", "你离开了群组", "Ann: Ben left", "the bus left: no", "x" * 5000])
def test_what_is_not_sure_stays_a_line(text: str) -> None:
    assert read_system(text) is None


def test_a_created_or_renamed_group_keeps_its_name() -> None:
    assert read_system("小红 创建了群组“茶馆”") == Happening("created", "小红", (), None, "茶馆")
    assert read_system('Ann hat den Betreff von "A" zu "B" geändert') == Happening("renamed", "Ann", (), "A", "B")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("<Medien ausgeschlossen>", "other"),
        ("<省略多媒体文件>", "other"),
        ("image omitted", "image"),
        ("audio omitted", "voice"),
    ],
)
def test_media_left_out_is_told_by_its_kind(text: str, kind: str) -> None:
    assert media.omitted_media(text) == kind


@pytest.mark.parametrize(
    ("text", "by"),
    [
        ("You deleted this message", "author"),
        ("Diese Nachricht wurde gelöscht.", "author"),
        ("此消息已删除", "author"),
        ("This message was deleted by admin Ann", "moderator"),
        ("I deleted this message from my phone", None),
    ],
)
def test_a_deletion_is_told_by_its_notice(text: str, by: str | None) -> None:
    assert media.deleted_by(text) == by


REAL = ["bracket_mmddyy_24hrs", "ddmmyy_24hrs", "mmddyy_24hrs", "mmddyyyy_12hrs", "yyyymmdd_24hrs"]


@pytest.mark.parametrize("shape", REAL)
def test_a_real_parsers_expected_answer_is_ours(shared_data: Path, shape: str) -> None:
    folder = shared_data / "export_samples/whatsapp"
    expected = json.loads((folder / "chatminer_target.json").read_text("utf-8"))
    rows = rows_of(folder / f"chatminer_test_{shape}.txt", zone=ZoneInfo("UTC"))
    messages = [row for row in rows if isinstance(row, Event) and row.type == "message.created" and row.actor]
    found = [
        {
            "timestamp": datetime.fromtimestamp(row.ts_ms / 1000, UTC).replace(tzinfo=None).isoformat(),
            "author": row.actor.name if row.actor else None,
            "message": getattr(row.body, "text", "").replace("\n", " "),
        }
        for row in messages
    ]
    assert found == expected[::-1]


def test_a_real_group_whose_dates_nothing_decides_asks_for_the_order(shared_data: Path) -> None:
    folder = shared_data / "export_samples/whatsapp"
    for name in ("4A_11M.txt", "4A_11M.zip"):
        with pytest.raises(Ambiguous):
            rows_of(folder / name)
        assert len(keys_of(rows_of(folder / name, date_order="mdy"))) == 14
    assert options().date_order is None
