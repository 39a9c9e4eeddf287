"""Declare what 群策 can ask of a platform, and what the platform answers.

The tag of a command is also the name of the capability it needs, so that "can this channel do it?" is one look-up.
Times are integers (`_s`, `_ms`), ids are the platform's own, as they stand in the events.
"""

from __future__ import annotations

from typing import Final, Literal

from qunce.domain.events import Event, Record


class Content(Record, frozen=True):
    """What is said."""

    text: str
    format: Literal["plain", "markdown"] = "plain"
    """`markdown` is taken where the channel knows it and sent as it stands elsewhere."""
    mentions: tuple[str, ...] = ()
    """Platform ids of the people to be notified; `@all` for everyone; `tel:…` by phone number, where the channel can."""
    reply_to: str | None = None
    """`message_id` in the same conversation; channels without replies leave it out."""


class Command(Record, frozen=True, tag_field="type"):
    """Base of the commands; the tag is the capability needed."""

    conv_id: str
    """Platform id of the conversation it happens in."""


class SendMessage(Command, frozen=True, tag="message.send"):
    content: Content


class SendDirect(Command, frozen=True, tag="message.send_direct"):
    """Say something to one person alone; `conv_id` is the group both are in."""

    member_id: str
    content: Content


class DeleteMessage(Command, frozen=True, tag="message.delete"):
    message_id: str
    reason: str = ""
    """Shown by platforms that show reasons; empty = none given. The same below."""


class MuteMember(Command, frozen=True, tag="member.mute"):
    member_id: str
    until_ms: int | None = None
    """End of the mute; None = until lifted. Channels that keep no end leave the lifting to `UnmuteMember`."""
    reason: str = ""


class UnmuteMember(Command, frozen=True, tag="member.unmute"):
    member_id: str
    reason: str = ""


class RemoveMember(Command, frozen=True, tag="member.kick"):
    """Remove somebody, who may come back."""

    member_id: str
    reason: str = ""


class BanMember(Command, frozen=True, tag="member.ban"):
    """Remove somebody, who may not come back."""

    member_id: str
    reason: str = ""


class UnbanMember(Command, frozen=True, tag="member.unban"):
    member_id: str
    reason: str = ""


class AnswerRequest(Command, frozen=True, tag="join.approve"):
    """Let somebody in who asked, or turn the request down."""

    member_id: str
    request_ref: str
    """As in `member.requested`."""
    approve: bool
    reason: str = ""


AnyCommand = (
    SendMessage | SendDirect | DeleteMessage
    | MuteMember | UnmuteMember | RemoveMember | BanMember | UnbanMember | AnswerRequest
)  # fmt: skip

CAPABILITY_NAMES: Final[dict[type, str]] = {cls: str(cls.__struct_config__.tag) for cls in Command.__subclasses__()}


def capability_of(command: AnyCommand) -> str:
    """Return the name of the capability a command needs, such as `member.mute`."""
    return CAPABILITY_NAMES[type(command)]


class Receipt(Record, frozen=True):
    """The platform took a command."""

    platform_id: str | None = None
    """Native id of the message or change; None where the platform gives none."""
    conv_id: str | None = None
    """Set where it went into another conversation than the one asked for: a direct one, or a group that moved."""
    parts: int = 1
    """How many messages a long text became."""
    events: tuple[Event, ...] = ()
    """Events of origin `self` for channels that do not report our own doing back; empty where they do."""
