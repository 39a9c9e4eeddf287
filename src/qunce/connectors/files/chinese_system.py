"""Read what Chinese messengers write into a group themselves: joins, leaves, removals, mutes, recalls, new names and owners.

Wordings differ between versions and are nowhere specified, so this is best effort: a line that is not understood for sure is
kept as a system line. People are named as shown in the group; `People` finds their ids where the same file knows them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from qunce.connectors.files.rows import Chat
from qunce.domain.events import (
    AnyBody,
    Conv,
    Event,
    GroupUpdated,
    MemberJoined,
    MemberLeft,
    MemberRestricted,
    MemberUnrestricted,
    MessageCreated,
    MessageDeleted,
    Part,
    Party,
    Source,
)

Kind = Literal["invited", "qr", "joined", "left", "removed", "muted", "unmuted", "renamed", "owner", "recalled", "recalled_of"]

SELF: Final = "你"
LONGEST: Final = 1000
KEPT: Final = 100_000

_A: Final = r"[\"“「]?(?P<actor>[^\"“”「」\n]{1,80}?)[\"”」]?"
_B: Final = r"[\"“「]?(?P<subject>[^\n]{1,600}?)[\"”」]?"
_ONE: Final = r"[\"“「]?(?P<subject>[^\"“”「」\n，。,]{1,80}?)[\"”」]?"
_PATTERNS: Final[tuple[tuple[Kind, str], ...]] = (
    ("recalled_of", rf"{_A}\s?撤回了(?:一条)?成员\s?{_ONE}\s?的(?:一条)?消息"),
    ("recalled", rf"{_A}\s?(?:尝试)?撤回了?(?:一条|上一条)?消息.{{0,40}}"),
    ("invited", rf"{_A}\s?邀请\s?{_B}\s?加入了?(?:群聊|群组|本群|该群|群)(?:，.*)?"),
    ("qr", rf"{_ONE}\s?通过扫描\s?{_A}\s?分享的二维码加入(?:了)?群聊"),
    ("joined", rf"{_ONE}\s?(?:通过.{{1,40}})?(?:已?加入了?|进入了?)(?:群聊|群组|本群|该群|群)"),
    ("removed", rf"{_A}\s?(?:将|把)\s?{_B}\s?(?:移出|移除|踢出)(?:了)?(?:群聊|群组|本群|该群|群)?"),
    ("removed", rf"{_ONE}\s?(?:已)?被\s?{_A}\s?(?:移出|移除|踢出)(?:了)?(?:群聊|群组|本群|该群|群)?"),
    ("left", rf"{_ONE}\s?(?:已)?(?:退出|离开)(?:了)?(?:群聊|群组|本群|该群|群)"),
    ("unmuted", rf"{_ONE}\s?被\s?{_A}\s?解除(?:了)?禁言"),
    ("muted", rf"{_ONE}\s?被\s?{_A}\s?禁言(?:了)?\s?(?P<length>\d{{1,4}})\s?(?P<unit>分钟|小时|天)"),
    ("renamed", rf"{_A}\s?(?:修改|更改)群(?:聊)?名(?:称)?为\s?[\"“「](?P<name>.{{1,200}}?)[\"”」]"),
    ("owner", rf"{_ONE}\s?已?成为新?(?:的)?群主"),
)  # fmt: skip
_COMPILED: Final = tuple((kind, re.compile(rf"{pattern}[.。!！]?")) for kind, pattern in _PATTERNS)
_HINT: Final = re.compile(r"撤回|加入|进入|移出|移除|踢出|退出|离开|禁言|群名|群聊名|群主")
_TAG: Final = re.compile(r"<[^<>]{1,200}>")
_BETWEEN: Final = re.compile(r"、|[\"”」]\s?[,，和]\s?[\"“「]|(?<=^你)和(?=[\"“「])")
_UNIT_MS: Final = {"分钟": 60_000, "小时": 3_600_000, "天": 86_400_000}
_OFFICE: Final = re.compile(r"^(?:群主|管理员)\s?(?=.)")


class Told(NamedTuple):
    """What a system line tells, with people as they are named there; `你` is the person whose device was exported."""

    kind: Kind
    actor: str | None
    subjects: tuple[str, ...]
    name: str | None = None
    length_ms: int | None = None


class People:
    """Who is called what in one conversation, learnt before its system lines are read. Keeps at most `KEPT` names."""

    def __init__(self) -> None:
        self._ids: dict[str, str | None] = {}
        self.self_id: str | None = None
        """Id of the person whose device was exported; None until one of their messages was seen."""

    def learn(self, platform_id: str, *names: str | None) -> None:
        """Note the names of a person. A name that two people bear stands for nobody."""
        for name in names:
            if name and self._ids.setdefault(name, platform_id) != platform_id:
                self._ids[name] = None
        if len(self._ids) > KEPT:
            self._ids.clear()

    def party(self, name: str) -> Party | None:
        """Return the person called `name`, by name alone where the file knows no id; None for an unknown self."""
        if name == SELF:
            return Party(platform_id=self.self_id) if self.self_id else None
        return Party(platform_id=self._ids.get(name) or name, name=name)


class NoticeChat(Chat):
    """A conversation whose system lines are understood; `people` are those known so far, or learnt before."""

    def __init__(self, source: Source, conv: Conv, people: People) -> None:
        super().__init__(source, conv)
        self.people = people

    def system_line(self, ts_ms: int, text: str, message_id: str | None) -> Iterator[Event]:
        """Yield what a system line tells of, an event for each person named; the line itself where it is not understood.

        Keys are made of the line alone, never of the ids found for its names: a later export knows more people.
        """
        told = read_system(text)
        actor = self.people.party(told.actor) if told and told.actor else None
        plain = _TAG.sub("", text).strip()
        if told is None:
            yield self.notice(ts_ms, message_id, plain)
        elif told.kind in ("recalled", "recalled_of"):
            yield from self._recall(told, actor, ts_ms, plain, message_id)
        else:
            for index, name in enumerate(told.subjects or ("",)):
                subject = self.people.party(name) if name else None
                if message_id:
                    key = self.native("told", message_id, str(index))
                else:
                    key = self.fingerprint(ts_ms, name, told.kind, plain)
                if name and subject is None:
                    yield self.event(ts_ms, _line(message_id, plain), key)
                else:
                    yield self.event(ts_ms, _body(told, actor, subject, ts_ms), key, actor=actor, subject=subject)

    def _recall(self, told: Told, actor: Party | None, ts_ms: int, text: str, message_id: str | None) -> Iterator[Event]:
        """Yield a message without text and its deletion: the text is gone from the export, that there was one is not."""
        author_name = told.subjects[0] if told.subjects else told.actor or ""
        author = self.people.party(author_name) if author_name else None
        message_id = message_id or self.fingerprint(ts_ms, author_name, "recalled", text)
        body = MessageCreated(message_id=message_id, text="", content=(Part(type="other", text=text),))
        yield self.event(ts_ms, body, self.native("m", message_id), actor=author)
        deleted = MessageDeleted(message_id=message_id, by="moderator" if told.kind == "recalled_of" else "author")
        yield self.event(ts_ms, deleted, self.native("deleted", message_id), actor=actor)


def _line(message_id: str | None, text: str) -> MessageCreated:
    return MessageCreated(message_id=message_id, text=text, content=(Part(type="system"),))


def read_system(text: str) -> Told | None:
    """Return what a system line tells; None when it is not understood."""
    text = _TAG.sub("", text).strip()
    if len(text) > LONGEST or not _HINT.search(text):
        return None
    for kind, pattern in _COMPILED:
        if match := pattern.fullmatch(text):
            found = match.groupdict()
            length = int(found["length"]) * _UNIT_MS[found["unit"]] if found.get("length") else None
            return Told(kind, _named(found.get("actor")), _names(found.get("subject")), found.get("name"), length)
    return None


def _named(name: str | None) -> str | None:
    cleaned = _OFFICE.sub("", (name or "").strip('"“”「」 '))
    return cleaned if cleaned and cleaned not in ("群主", "管理员") else None


def _names(listed: str | None) -> tuple[str, ...]:
    return tuple(name for part in _BETWEEN.split(listed or "") if (name := _named(part)))


def _body(told: Told, actor: Party | None, subject: Party | None, ts_ms: int) -> AnyBody:
    inviter = actor.platform_id if actor else None
    match told.kind:
        case "invited":
            return MemberJoined(scene="invited", inviter=inviter)
        case "qr":
            return MemberJoined(scene="qr", inviter=inviter)
        case "joined":
            return MemberJoined()
        case "left":
            return MemberLeft(reason="left")
        case "removed":
            return MemberLeft(reason="kicked")
        case "muted":
            return MemberRestricted(until_ms=ts_ms + told.length_ms if told.length_ms else None)
        case "unmuted":
            return MemberUnrestricted()
        case "owner":
            return GroupUpdated(field="owner", new=subject.platform_id if subject else None)
        case _:
            return GroupUpdated(field="name", new=told.name)
