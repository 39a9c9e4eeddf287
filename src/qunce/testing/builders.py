"""Build events for tests in one readable line each: `said("读书会", "小红", "在吗", at="09:30")`.

People and groups are named; their platform ids are their names. Times are local (UTC+8) on a base day, Monday 2 March 2026,
plus `day` days. All constructors are pure: the same words give the same event, dedupe key included.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final, Literal

from qunce.domain.events import (
    AnyBody,
    ContactAdded,
    Conv,
    Event,
    GroupCreated,
    GroupUpdated,
    IdentityKeyed,
    IdentityLinked,
    IdentityUnlinked,
    Item,
    LinkClicked,
    MemberJoined,
    MemberLeft,
    MemberRestricted,
    MemberUpdated,
    MessageCreated,
    MessageDeleted,
    MessageEdited,
    OrderUpdated,
    Part,
    Party,
    PartyKind,
    ReactionAdded,
    ReplyGiven,
    Source,
    TagChanged,
)
from qunce.domain.keys import message_key, native_key

BASE_DAY: Final = date(2026, 3, 2)
"""A Monday, far from festivals."""
SOURCE: Final = Source(connector="wecom", account="test", origin="archive")

_BASE_MS: Final = (BASE_DAY - date(1970, 1, 1)).days * 86_400_000 - 8 * 3_600_000
_LINE: Final = re.compile(r"(?P<at>\d\d:\d\d(?::\d\d)?)\s+(?P<who>[^:：*]+)(?P<staff>\*?)[:：]\s*(?P<text>.*)")


def moment(at: str, day: int = 0) -> int:
    """Return the milliseconds of a local time `HH:MM[:SS]` on the base day plus `day`. Raises ValueError for other forms."""
    hours, minutes, seconds = (*map(int, at.split(":")), 0)[:3]
    return _BASE_MS + (((day * 24 + hours) * 60 + minutes) * 60 + seconds) * 1_000


def person(name: str, kind: PartyKind = "member") -> Party:
    """Return the person of this name."""
    return Party(platform_id=name, kind=kind, name=name)


def conversation(group: str) -> Conv:
    """Return the group of this name."""
    return Conv(platform_id=group, name=group)


def said(
    group: str, who: str, text: str, *, at: str, day: int = 0, kind: PartyKind = "member", id: str | None = None,  # noqa: A002
    reply_to: Event | str | None = None, mentions: tuple[str, ...] = (), content: tuple[Part, ...] = (),
    source: Source = SOURCE,
) -> Event:  # fmt: skip
    """`who` said `text`. Its id is `id`, else made of time, name and text; `reply_to` takes the message or its id."""
    message_id = id or f"{day}/{at}/{who}/{text}"
    body = MessageCreated(
        message_id=message_id, text=text, content=content, reply_to=reply_to if reply_to is None else _message(reply_to),
        mentions=mentions,
    )  # fmt: skip
    return Event(
        ts_ms=moment(at, day), source=source, body=body, dedupe_key=message_key(group, message_id), conv=conversation(group),
        actor=person(who, kind),
    )  # fmt: skip


def chat(group: str, lines: str, *, day: int = 0, source: Source = SOURCE) -> list[Event]:
    """Return the messages of lines like `09:30 小红: 在吗`; a star after the name marks staff.

    Raises ValueError for lines of another form.
    """
    events = []
    for line in filter(None, map(str.strip, lines.splitlines())):
        found = _LINE.fullmatch(line)
        if found is None:
            raise ValueError(f"not a line of chat: {line!r}")
        kind: PartyKind = "staff" if found["staff"] else "member"
        events.append(said(group, found["who"].strip(), found["text"], at=found["at"], day=day, kind=kind, source=source))
    return events


def edited(message: Event, text: str, *, at: str, day: int = 0) -> Event:
    """The author of `message` changed it to `text`."""
    return _about(message, MessageEdited(message_id=_message(message), text=text), "edited", at, day, message.actor)


def deleted(message: Event, *, at: str, day: int = 0, by: str | None = None) -> Event:
    """`message` was taken back: by its author, or by the employee named `by`."""
    body = MessageDeleted(message_id=_message(message), by="moderator" if by else "author")
    return _about(message, body, "deleted", at, day, person(by, "staff") if by else message.actor)


def reacted(message: Event, who: str, emoji: str = "👍", *, at: str, day: int = 0) -> Event:
    """`who` reacted to `message`."""
    return _about(message, ReactionAdded(message_id=_message(message), emoji=emoji), "reacted", at, day, person(who))


def joined(
    group: str, who: str, *, at: str, day: int = 0, inviter: str | None = None, channel: str | None = None,
    kind: PartyKind = "member", source: Source = SOURCE,
) -> Event:  # fmt: skip
    """`who` joined: invited by `inviter`, or by the code of a channel, or in an unknown way."""
    scene: Literal["invited", "qr", "unknown"] = "invited" if inviter else "qr" if channel else "unknown"
    body = MemberJoined(scene=scene, inviter=inviter, channel_code=channel)
    return happened(
        body, "joined", group, who, at=at, day=day, group=group, actor=person(inviter) if inviter else None,
        subject=person(who, kind), source=source,
    )  # fmt: skip


def left(group: str, who: str, *, at: str, day: int = 0, kicked_by: str | None = None, source: Source = SOURCE) -> Event:
    """`who` left, or was removed by the employee named `kicked_by`."""
    body = MemberLeft(reason="kicked" if kicked_by else "left")
    actor = person(kicked_by, "staff") if kicked_by else None
    return happened(body, "left", group, who, at=at, day=day, group=group, actor=actor, subject=person(who), source=source)


def muted(group: str, who: str, *, at: str, day: int = 0, by: str, until: str | None = None) -> Event:
    """`who` was muted until a local time of the same day; None = until lifted."""
    body = MemberRestricted(until_ms=None if until is None else moment(until, day))
    actor = person(by, "staff")
    return happened(body, "muted", group, who, at=at, day=day, group=group, actor=actor, subject=person(who))


def flagged(who: str, kind: PartyKind, *, at: str, day: int = 0, source: Source = SOURCE) -> Event:
    """Operators flagged `who` as staff, bot or house persona, in all groups."""
    body = MemberUpdated(field="kind", old="unknown", new=kind)
    return happened(body, "flagged", who, at=at, day=day, subject=person(who, "unknown"), source=source)


def opened(group: str, *, at: str, day: int = 0, source: Source = SOURCE) -> Event:
    """The group was created."""
    return happened(GroupCreated(), "opened", group, at=at, day=day, group=group, source=source)


def placed(group: str, community: str, *, at: str, day: int = 0, source: Source = SOURCE) -> Event:
    """The group was put into a community."""
    body = GroupUpdated(field="community", new=community)
    return happened(body, "placed", group, at=at, day=day, group=group, source=source)


def answered(
    question: Event, staff: str, *, at: str, day: int = 0, id: str | None = None, by_hand: bool = False,  # noqa: A002
) -> Event:  # fmt: skip
    """The colleague with the login name `staff` answered who asked `question`, from the desk; `id` = of the answer, if told."""
    body = ReplyGiven(staff=staff, answers=_message(question), message_id=id, by_hand=by_hand)
    return Event(
        ts_ms=moment(at, day), source=question.source, body=body, conv=question.conv, subject=question.actor,
        dedupe_key=native_key("answered", _message(question), staff, f"{day}/{at}"),
    )  # fmt: skip


def ordered(
    who: str, yuan: float, *, at: str, day: int = 0, id: str | None = None, item: str = "春风礼盒",  # noqa: A002
    status: Literal["created", "paid", "refunded", "closed"] = "paid", source: Source = SOURCE,
) -> Event:  # fmt: skip
    """`who` ordered for `yuan`. The order id is `id`, else made of time and name."""
    order_id, fen = id or f"{day}/{at}/{who}", round(yuan * 100)
    body = OrderUpdated(order_id=order_id, status=status, amount_minor=fen, items=(Item(name=item, amount_minor=fen),))
    return Event(
        ts_ms=moment(at, day), source=source, body=body, dedupe_key=native_key("order", order_id, status), subject=person(who)
    )


def clicked(group: str, who: str, link: str, *, at: str, day: int = 0, source: Source = SOURCE) -> Event:
    """`who` followed a link posted in the group."""
    return happened(LinkClicked(link_id=link), "clicked", who, at=at, day=day, group=group, actor=person(who), source=source)


def befriended(who: str, staff: str, *, at: str, day: int = 0, channel: str | None = None, source: Source = SOURCE) -> Event:
    """`who` added an employee as a contact."""
    body = ContactAdded(staff=staff, channel_code=channel)
    return happened(body, "befriended", who, staff, at=at, day=day, subject=person(who), source=source)


def keyed(who: str, key: str, digest: str, *, at: str, day: int = 0, source: Source = SOURCE) -> Event:
    """An account carries a key, such as `phone`, of this digest."""
    body = IdentityKeyed(key=key, digest=digest)
    return happened(body, "keyed", who, key, digest, at=at, day=day, subject=person(who, "unknown"), source=source)


def linked(
    who: str, other: str, *, at: str, day: int = 0, id: str | None = None, other_source: Source | None = None,  # noqa: A002
    source: Source = SOURCE,
) -> Event:  # fmt: skip
    """Two accounts belong to one person. The link's id is `id`, else made of the names."""
    beside = other_source or source
    body = IdentityLinked(
        link_id=id or f"{who}={other}", other_connector=beside.connector, other_account=beside.account, other_platform_id=other,
        by="manual",
    )  # fmt: skip
    subject = Party(platform_id=who)
    return happened(body, "linked", body.link_id, at=at, day=day, subject=subject, source=source)


def unlinked(who: str, link: str, *, at: str, day: int = 0, source: Source = SOURCE) -> Event:
    """The link of this id, of the account `who`, was taken back."""
    subject = Party(platform_id=who)
    return happened(IdentityUnlinked(link_id=link), "unlinked", link, at=at, day=day, subject=subject, source=source)


def tagged(who: str, *tags: str, at: str, day: int = 0, staff: str = "客服", source: Source = SOURCE) -> Event:
    """An employee tagged `who`."""
    body = TagChanged(target="contact", added=tags, staff=staff)
    return happened(body, "tagged", who, at=at, day=day, actor=person(staff, "staff"), subject=person(who), source=source)


def happened(
    body: AnyBody, verb: str, *ids: str, at: str, day: int = 0, group: str | None = None, actor: Party | None = None,
    subject: Party | None = None, source: Source = SOURCE,
) -> Event:  # fmt: skip
    """Anything happened; `verb`, `ids` and the time make the dedupe key."""
    return Event(
        ts_ms=moment(at, day), source=source, body=body, dedupe_key=native_key(verb, *ids, f"{day}/{at}"),
        conv=None if group is None else conversation(group), actor=actor, subject=subject,
    )  # fmt: skip


def _message(message: Event | str) -> str:
    if isinstance(message, str):
        return message
    if not isinstance(message.body, MessageCreated) or message.body.message_id is None:
        raise TypeError("only a message with an id can be referred to")
    return message.body.message_id


def _about(message: Event, body: AnyBody, verb: str, at: str, day: int, actor: Party | None) -> Event:
    """Make an event of the message's group and source; the key tells apart who did it."""
    who = actor.platform_id if actor else ""
    return Event(
        ts_ms=moment(at, day), source=message.source, body=body, conv=message.conv, actor=actor,
        dedupe_key=native_key(verb, _message(message), who, f"{day}/{at}"),
    )  # fmt: skip
