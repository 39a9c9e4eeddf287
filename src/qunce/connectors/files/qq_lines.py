"""Know the lines of QQ's text exports: heads of messages, dates, group titles.

manager   2019-07-16 18:15:05 【管理员】地瓜(23333233)      消息管理器, with a number or an e-mail address as id
pc        【冒泡】地瓜 2/14/2020 9:16:13 PM                  copied from the PC client, date as the computer writes it
mobile    地瓜  23:50:12                                    copied from the phone, under lines — —  2020-2-21  — —
"""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

from qunce.connectors.files.times import hour_of_12

Shape = Literal["manager", "pc", "mobile"]

ANONYMOUS: Final = "80000000"
"""The one number under which QQ writes everybody who speaks anonymously."""

LONGEST: Final = 300
"""No head or frame is longer; longer lines are text and are not tried against the patterns, whose cost grows with length."""
_CLOCK: Final = (
    r"(?:(?P<before>上午|下午|凌晨|中午|晚上)\s?)?(?P<h>\d{1,2}):(?P<m>\d{2}):(?P<s>\d{2})(?:\s(?P<after>[AaPp][Mm]))?"
)
_WHO: Final = r"(?P<nick>\S.{0,119}?)(?:\((?P<number>\d{4,12})\)|<(?P<mail>[^<>\s]{3,100})>)?"
_MANAGER: Final = re.compile(rf"(?P<a>\d{{4}})-(?P<b>\d{{1,2}})-(?P<c>\d{{1,2}}) {_CLOCK} {_WHO}")
_PC: Final = re.compile(rf"{_WHO}(?<![,;\t:]) (?P<a>\d{{1,4}})[/-](?P<b>\d{{1,2}})[/-](?P<c>\d{{1,4}}) {_CLOCK}\s*")
_MOBILE: Final = re.compile(rf"{_WHO}(?<![,;\t:])\s{{2,}}{_CLOCK}\s*")
_DATE: Final = re.compile(r"[—\-–\s]*[—–-]\s+(?P<a>\d{4})[-/](?P<b>\d{1,2})[-/](?P<c>\d{1,2})\s+[—–-][—\-–\s]*")
_TITLE: Final = re.compile(r"消息对象[:：]\s*(?P<title>.+?)\s*")
_RULE: Final = re.compile(r"={16,}|消息分组[:：].*|消息记录（此消息记录为文本格式.*")
_RANK: Final = re.compile(r"^(?:【[^【】]{1,20}】)+(?=.)")


class Line(NamedTuple):
    """The head of a message. `date` is None where only the time is written (mobile)."""

    shape: Shape
    date: tuple[str, str, str] | None
    clock: tuple[int, int, int]
    is_12_hours: bool
    nick: str
    number: str | None
    """QQ number or e-mail address; None where the export gives none."""

    @property
    def is_system(self) -> bool:
        """Tell whether QQ itself speaks: 系统消息(10000) and (1000000)."""
        return self.number in ("10000", "1000000") or (self.nick == "系统消息" and self.number is None)

    @property
    def person(self) -> str:
        """Return the id of who speaks. Without a number it is the nick without its rank: 【冒泡】 becomes 【活跃】."""
        if self.number and self.number != ANONYMOUS:
            return self.number
        return _RANK.sub("", self.nick)


def read_head(line: str) -> Line | None:
    """Return the head a line is; None for any other line."""
    if len(line) > LONGEST:
        return None
    for shape, pattern in (("manager", _MANAGER), ("pc", _PC), ("mobile", _MOBILE)):
        match = pattern.fullmatch(line)
        if match:
            return _line(shape, match)  # type: ignore[arg-type]
    return None


def _line(shape: Shape, match: re.Match[str]) -> Line | None:
    found = match.groupdict()
    hour = hour_of_12(int(found["h"]), found["before"] or found["after"] or "")
    minute, second = int(found["m"]), int(found["s"])
    if hour is None or hour > 23 or minute > 59 or second > 59:
        return None
    date = (found["a"], found["b"], found["c"]) if "a" in found else None
    return Line(
        shape, date, (hour, minute, second), bool(found["after"]), found["nick"].strip(), found["number"] or found["mail"]
    )


def read_date(line: str) -> tuple[str, str, str] | None:
    """Return the date of a line `— —  2020-2-21  — —`."""
    match = _DATE.fullmatch(line) if len(line) <= LONGEST else None
    return (match["a"], match["b"], match["c"]) if match else None


def read_title(line: str) -> str | None:
    """Return the group of a line `消息对象:新生群`."""
    match = _TITLE.fullmatch(line) if len(line) <= LONGEST else None
    return match["title"] if match else None


def is_furniture(line: str) -> bool:
    """Tell whether a line only frames the export."""
    return bool(_RULE.fullmatch(line.strip()))
