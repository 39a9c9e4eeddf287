"""Import QQ chats as text: 消息管理器 exports, and what people copy from the PC client or the phone.

Neither has message ids. A head line says who and when (`qq_lines`); what follows until the next head is the text. Copies carry
QQ's own lines (撤回, 加入本群 …) as paragraphs under the message before them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from qunce.connectors.files import qq_lines as lines
from qunce.connectors.files import whatsapp_dates as dates
from qunce.connectors.files.base import FileSource, Head, ImportOptions, Rejected
from qunce.connectors.files.chinese_system import NoticeChat, People, read_system
from qunce.connectors.files.errors import Ambiguous, Unreadable
from qunce.connectors.files.generic import stem
from qunce.connectors.files.rows import rejected
from qunce.connectors.files.tables import head_lines
from qunce.connectors.files.times import TimeReader, ordered
from qunce.domain.events import Conv, Event, Part, PartType, Party, Source

SOURCE: Final = Source(connector="qq")
_DAY_MS: Final = 86_400_000
_PARTS: Final[dict[str, PartType]] = {
    "图片": "image", "闪照": "image", "表情": "sticker", "动画表情": "sticker", "语音": "voice", "视频": "video",
    "短视频": "video", "文件": "file", "红包": "red_packet", "QQ红包": "red_packet", "位置": "location",
    "聊天记录": "forward", "分享": "link",
}  # fmt: skip
_PLACEHOLDER: Final = re.compile(rf"\[({'|'.join(_PARTS)})\]")
_STRANGER: Final = re.compile(r"你和.{1,60}有\d+个共同好友，点击添加好友。?|你们已成功添加为好友.{0,40}")
_MAX_PARTS: Final = 50


@dataclass(slots=True)
class _Block:
    """A message with the lines under its head, the group it was written in, and the date line above it."""

    number: int
    title: str | None
    date: tuple[str, str, str] | None
    head: lines.Line
    texts: list[str]


class QqTxt:
    """Text of QQ chats."""

    name = "qq_txt"
    title = "QQ txt (消息管理器, PC or phone copy)"

    def sniff(self, head: Head) -> float:
        """Return 1 for the manager's first line, 0.8 for two heads of QQ's forms or one under a date line or title."""
        if head.members:
            return 0.0
        first = [line for line in head_lines(head) if line.strip()][:60]
        if first and first[0].lstrip("\ufeff").startswith("消息记录（此消息记录为文本格式"):
            return 1.0
        heads = sum(lines.read_head(line) is not None for line in first)
        framed = any(lines.read_date(line) or lines.read_title(line) for line in first)
        return 0.8 if heads >= 2 or (heads and framed) else 0.0

    def read(self, source: FileSource, options: ImportOptions) -> Iterator[Event | Rejected]:
        """Yield the events in file order. Raises Ambiguous when the dates of a PC copy can be read in two ways."""
        order, people = _first_reading(source, options)
        maker = _Maker(options, order, options.group or stem(source.name), people)
        for block in _blocks(source):
            yield from maker.events(block)


def _first_reading(source: FileSource, options: ImportOptions) -> tuple[str, dict[str | None, People]]:
    """Return the order of days and months, and who is called what in each group."""
    people: dict[str | None, People] = {}
    twelve = {True}

    def heads() -> Iterator[dates.Head]:
        for block in _blocks(source):
            head = block.head
            if not head.is_system:
                people.setdefault(block.title, People()).learn(head.person, head.nick, head.person)
            if head.date and len(head.date[0]) < 4:
                twelve.add(head.is_12_hours)
            yield dates.Head(head.date or block.date or ("2000", "1", "1"), False, head.clock, "")

    latest = datetime.fromtimestamp((options.now_ms + _DAY_MS) / 1000, tz=options.zone).replace(tzinfo=None)
    try:
        order = dates.infer_order(heads(), latest)
    except Ambiguous:
        if not options.date_order and False in twelve:
            raise
        order = "mdy"  # a computer that writes AM and PM behind slashes writes the month first
    except Unreadable:
        raise Unreadable(
            "No line is the head of a QQ message.", "Choose the text file that QQ's message manager made."
        ) from None
    return options.date_order or order, people


def _blocks(source: FileSource) -> Iterator[_Block]:
    block: _Block | None = None
    title: str | None = None
    date: tuple[str, str, str] | None = None
    for number, line in source.lines():
        head = lines.read_head(line)
        framing = None if head else lines.read_title(line) or lines.read_date(line)
        if (head or framing) and block:
            yield block
            block = None
        if head:
            block = _Block(number, title, date, head, [])
        elif isinstance(framing, str):
            title = framing
        elif framing:
            date = framing
        elif block and not lines.is_furniture(line):
            block.texts.append(line)
    if block:
        yield block


class _Maker:
    """Make the events of a file, one chat for each group in it."""

    def __init__(self, options: ImportOptions, order: str, default: str, people: dict[str | None, People]) -> None:
        self._times = TimeReader(options.zone)
        self._order = order
        self._default = default
        self._people = people
        self._chats: dict[str | None, NoticeChat] = {}

    def events(self, block: _Block) -> Iterator[Event | Rejected]:
        """Yield a block's message and the system lines under it."""
        ts_ms = self._moment(block)
        if ts_ms is None:
            reason = "The message has no date." if not (block.head.date or block.date) else "There is no such day or time."
            fix = "Copy from the line that says the date (— —  2020-2-21  — —) on."
            yield rejected(f"line {block.number}", "bad_time", reason, fix, " ".join(block.texts))
            return
        chat = self._chats.get(block.title) or self._new_chat(block.title)
        text, told = _separated(block.texts) if block.head.shape != "manager" else ("\n".join(block.texts).strip(), [])
        if block.head.is_system:
            yield from chat.system_line(ts_ms, text, None)
        else:
            party = Party(platform_id=block.head.person, name=block.head.nick)
            parts = tuple(Part(type=_PARTS[word]) for word in _PLACEHOLDER.findall(text)[:_MAX_PARTS])
            yield chat.message(ts_ms, party, None, _PLACEHOLDER.sub("", text).strip() if parts else text, parts)
        for line in told:
            yield from chat.system_line(ts_ms, line, None)

    def _moment(self, block: _Block) -> int | None:
        fields = block.head.date or block.date
        if not fields:
            return None
        try:
            moment = datetime(*ordered(*fields, self._order), *block.head.clock)  # noqa: DTZ001 (TimeReader adds the zone)
            return self._times.of(moment)
        except (ValueError, OverflowError):
            return None

    def _new_chat(self, title: str | None) -> NoticeChat:
        name = title or self._default
        chat = self._chats[title] = NoticeChat(SOURCE, Conv(platform_id=name, name=name), self._people.get(title) or People())
        return chat


def _separated(texts: list[str]) -> tuple[str, list[str]]:
    """Return (the message, QQ's own lines below it). Such a line stands alone after a blank one."""
    kept: list[str] = []
    told: list[str] = []
    for index, line in enumerate(texts):
        stands_alone = index > 0 and not texts[index - 1].strip() and (index + 1 == len(texts) or not texts[index + 1].strip())
        if stands_alone and (read_system(line) or _STRANGER.fullmatch(line.strip())):
            told.append(line.strip())
        else:
            kept.append(line)
    return "\n".join(kept).strip(), told
