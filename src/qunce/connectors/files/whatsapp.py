"""Import a WhatsApp chat export (`_chat.txt`).

The file has no ids, no zone and no fixed shape: people are their names, times are in the zone of the phone, and the order of
day and month has to be inferred, so the file is read twice (`whatsapp_dates`). A line without a head continues the message
before it. What WhatsApp itself wrote is recognised by its wording (`whatsapp_system`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from qunce.connectors.files import whatsapp_media as media
from qunce.connectors.files import whatsapp_system as system
from qunce.connectors.files.base import FileSource, ImportOptions, Rejected
from qunce.connectors.files.base import Head as FileHead
from qunce.connectors.files.generic import stem
from qunce.connectors.files.tables import excerpt, head_lines
from qunce.connectors.files.times import TimeReader
from qunce.connectors.files.whatsapp_dates import Head, infer_order, read_head
from qunce.domain.events import (
    AnyBody,
    Conv,
    Event,
    GroupCreated,
    GroupUpdated,
    MemberJoined,
    MemberLeft,
    MessageCreated,
    MessageDeleted,
    Part,
    Party,
    Source,
)
from qunce.domain.keys import Fingerprints, message_key

SOURCE: Final = Source(connector="whatsapp")
_DAY_MS: Final = 86_400_000
_MARKS: Final = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\ufeff"
_AUTHOR: Final = re.compile(r"(?P<author>.{1,100}?):(?:\s(?P<text>.*)|$)", re.DOTALL)
_FILE_NAME: Final = re.compile(
    r"(?:WhatsApp[ -]Chat (?:with|mit|-)|WhatsApp Chat[ -]+|Chat de WhatsApp con|与|與)\s*(?P<title>.+?)\s*"
    r"(?:的\s?WhatsApp\s?(?:聊天|[对對][话話]).*)?",
    re.IGNORECASE,
)
_NOTICE: Final = re.compile(
    r"(?:Messages|Nachrichten|Los mensajes|[消訊]息)[^\n]{0,100}?"
    r"(?:end-to-end encrypt|Ende-zu-Ende-[Vv]erschlüssel|cifrad[oa]s de extremo a extremo|端[到對]端加密)"
)
"""WhatsApp's first line. Its beginning is asked for, as people talk about encryption too."""
_MENTION: Final = re.compile(r"@\u2068([^\u2069]{1,100})\u2069")


@dataclass(slots=True)
class _Overview:
    """What the first reading finds out."""

    order: str
    authors: set[str] = field(default_factory=set)
    """At most three; more are not told apart."""
    title: str | None = None
    is_group: bool = False


@dataclass(slots=True)
class _Block:
    """One message or system line with the lines that continue it."""

    number: int
    head: Head
    lines: list[str]


class WhatsApp:
    """The text file of WhatsApp's "export chat"."""

    name = "whatsapp"
    title = "WhatsApp _chat.txt"

    def sniff(self, head: FileHead) -> float:
        """Return 0.9 when a first line has a WhatsApp head and one of the first has an author."""
        lines = head_lines(head)[:50]
        heads = [found for line in lines if (found := read_head(line))]
        if not heads or head.members or not any(read_head(line) for line in lines[:3]):
            return 0.0
        return 0.9 if any(_AUTHOR.match(found.rest) or _NOTICE.match(found.rest.lstrip(_MARKS)) for found in heads) else 0.4

    def read(self, source: FileSource, options: ImportOptions) -> Iterator[Event | Rejected]:
        """Yield the events in file order. Raises Ambiguous when day and month cannot be told apart."""
        overview = _overview(source, options)
        archive = getattr(source, "archive_name", "")  # an iPhone puts `_chat.txt` into a zip named after the chat
        title = options.group or _title_of(source.name) or _title_of(archive) or overview.title or stem(source.name)
        is_group = overview.is_group or len(overview.authors) > 2
        conv = Conv(platform_id=title, kind="group" if is_group else "direct", name=title)
        maker = _Maker(conv, TimeReader(options.zone), overview.order)
        for block in _blocks(source):
            if isinstance(block, Rejected):
                yield block
            else:
                yield from maker.events(block)


def _title_of(name: str) -> str | None:
    """Return the chat's title from the file name WhatsApp gives, such as `WhatsApp Chat with 新生群.txt`."""
    match = _FILE_NAME.fullmatch(stem(name))
    return match["title"] if match else None


def _overview(source: FileSource, options: ImportOptions) -> _Overview:
    found = _Overview(order=options.date_order or "dmy")

    def heads() -> Iterator[Head]:
        for _, line in source.lines():
            if head := read_head(line):
                _note(found, head)
                yield head

    if options.date_order:
        for _ in heads():
            pass
    else:
        latest = datetime.fromtimestamp((options.now_ms + _DAY_MS) / 1000, tz=options.zone).replace(tzinfo=None)
        found.order = infer_order(heads(), latest)
    return found


def _note(found: _Overview, head: Head) -> None:
    """Remember the group's title and who writes."""
    author, text = split_author(head.rest)
    if _NOTICE.match(text.lstrip(_MARKS)):
        found.title = found.title or author
        return
    happening = None if author and not text.startswith("\u200e") else system.read_system(text.strip(_MARKS))
    if happening:
        found.is_group = True
        found.title = found.title or happening.name or None
    elif author and len(found.authors) < 3:
        found.authors.add(author)


def split_author(rest: str) -> tuple[str | None, str]:
    """Return (author, text) of what follows a head; author None for a line of WhatsApp itself."""
    cleaned = rest.lstrip(_MARKS)
    match = _AUTHOR.match(cleaned)
    if not match or system.read_system(cleaned.strip(_MARKS)):
        return None, cleaned
    return match["author"].strip().strip(_MARKS + "~\u202f\xa0 "), match["text"] or ""


def _blocks(source: FileSource) -> Iterator[_Block | Rejected]:
    block: _Block | None = None
    for number, line in source.lines():
        if head := read_head(line):
            if block:
                yield block
            block = _Block(number, head, [])
        elif block:
            block.lines.append(line)
        elif line.strip():
            yield Rejected(
                where=f"line {number}",
                code="bad_row",
                reason="The line stands before the first message.",
                fix="Remove lines that WhatsApp's export did not write.",
                excerpt=excerpt(line),
            )
    if block:
        yield block


class _Maker:
    """Make the events of one chat."""

    def __init__(self, conv: Conv, times: TimeReader, order: str) -> None:
        self._conv = conv
        self._times = times
        self._order = order
        self._prints = Fingerprints()

    def events(self, block: _Block) -> Iterator[Event | Rejected]:
        """Yield what a block says: one event, two for a deleted message, one each for several people added at once."""
        moment = block.head.moment(self._order)
        if moment is None:
            yield Rejected(
                where=f"line {block.number}",
                code="bad_time",
                reason=f"There is no such day when dates are read as {self._order}.",
                fix="Mend the date, or give the right order with --date-order.",
                excerpt=excerpt(block.head.rest),
            )
            return
        ts_ms = self._times.of(moment)
        author, first = split_author(block.head.rest)
        text = "\n".join((first, *block.lines)).rstrip()
        bare = text.strip(_MARKS + " ")
        if author is None or self._is_system(author, text, bare):
            yield from self._system(ts_ms, bare)
        else:
            yield from self._message(ts_ms, Party(platform_id=author, name=author), bare)

    def _is_system(self, author: str, text: str, bare: str) -> bool:
        """Tell whether WhatsApp speaks; iPhones put the group's name before such a line and an invisible mark after it."""
        if _NOTICE.match(bare):
            return len(bare) < system.LONGEST
        return text.startswith("\u200e") and (author == self._conv.name or system.read_system(bare) is not None)

    def _message(self, ts_ms: int, actor: Party, text: str) -> Iterator[Event]:
        key = self._prints.key(ts_ms, self._conv.platform_id, actor.platform_id, "message", text)
        if by := media.deleted_by(text):
            parts: tuple[Part, ...] = (Part(type="other", text=text),)
            yield self._event(
                ts_ms, MessageCreated(message_id=key, text="", content=parts), message_key(self._conv.platform_id, key), actor
            )
            deleter = actor if by == "author" else None
            yield self._event(ts_ms, MessageDeleted(message_id=key, by=by), f"deleted:{key}", deleter)
            return
        text, parts = _content(text)
        mentions = tuple(dict.fromkeys(_MENTION.findall(text)))
        text = _MENTION.sub(r"@\1", text)
        yield self._event(ts_ms, MessageCreated(message_id=None, text=text, content=parts, mentions=mentions), key, actor)

    def _system(self, ts_ms: int, text: str) -> Iterator[Event]:
        happening = system.read_system(text)
        if happening is None:
            key = self._prints.key(ts_ms, self._conv.platform_id, "system", "message", text)
            body = MessageCreated(message_id=None, text=text, content=(Part(type="system", text=text),))
            yield self._event(ts_ms, body, key, None)
            return
        actor = Party(platform_id=happening.actor, name=happening.actor) if happening.actor else None
        for subject in happening.subjects or (None,):
            key = self._prints.key(ts_ms, self._conv.platform_id, subject or "", happening.kind, text)
            party = Party(platform_id=subject, name=subject) if subject else None
            yield self._event(ts_ms, _body(happening), key, actor, party)

    def _event(self, ts_ms: int, body: AnyBody, key: str, actor: Party | None, subject: Party | None = None) -> Event:
        return Event(
            ts_ms=ts_ms,
            source=SOURCE,
            body=body,
            dedupe_key=key,
            conv=self._conv,
            actor=actor,
            subject=subject,
            confidence="imported",
        )


def _content(text: str) -> tuple[str, tuple[Part, ...]]:
    """Return (text people read, parts) of a message that may be a medium, an attachment, or edited."""
    if kind := media.omitted_media(text):
        return "", (Part(type=kind),)
    if attached := media.attached_file(text):
        attached_kind, file, caption = attached
        caption = caption.strip(_MARKS + " ")
        return caption, (Part(type=attached_kind, name=file, text=caption or None),)
    return media.EDITED.sub("", text), ()


def _body(happening: system.Happening) -> AnyBody:
    match happening.kind:
        case "created":
            return GroupCreated()
        case "renamed":
            return GroupUpdated(field="name", old=happening.old, new=happening.name)
        case "joined_link":
            return MemberJoined(scene="invite_link")
        case "joined":
            return MemberJoined()
        case "added":
            return MemberJoined(scene="invited", inviter=happening.actor)
        case "left":
            return MemberLeft(reason="left")
        case "removed" | "was_removed":
            return MemberLeft(reason="kicked")
