"""Declare the journal's event vocabulary: one envelope, and a closed type for everything that can happen.

Everything that happened in a group reaches 群策 as one of these frozen records. They are parsed at the border (connectors)
with unknown fields refused, written to the journal as JSON, and folded by everything above. The wire form carries the schema
version, so that a later reader knows what it reads.

Times are integers: milliseconds since 1970-01-01 UTC (`_ms`). Money is an integer of the currency's minor unit (`_minor`).
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

SCHEMA_VERSION: Final = 1

Origin = Literal["callback", "poll", "archive", "import", "self"]
ConvKind = Literal["group", "direct", "channel"]
PartyKind = Literal["member", "staff", "bot", "house_persona", "system", "unknown"]
Confidence = Literal["reported", "derived", "imported"]
PartType = Literal[
    "text", "image", "voice", "video", "file", "sticker", "link", "card", "location", "poll", "forward", "red_packet",
    "system", "other",
]  # fmt: skip


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """Base of every record: frozen, keyword-only, closed. Records hold no cycles, so the collector need not walk them."""


class Source(Record, frozen=True):
    """Where an event was learnt. (`connector`, `account`) is the scope of dedupe keys and of platform ids."""

    connector: str
    """Platform in lower case: `wecom`, `telegram`, `whatsapp`, `gitter` …"""
    account: str = "export"
    """Corp id or bot id of a live connection; `export` for files people exported themselves."""
    origin: Origin = "import"


class Conv(Record, frozen=True):
    """The conversation an event happened in."""

    platform_id: str
    kind: ConvKind = "group"
    name: str | None = None
    """Name as known at that moment; None = the source did not say."""


class Party(Record, frozen=True):
    """A person, bot or system as the platform names it."""

    platform_id: str
    kind: PartyKind = "unknown"
    """`unknown` unless the source says so; operators flag staff, bots and house personas later."""
    name: str | None = None


class Part(Record, frozen=True):
    """One part of a message's content. Only `type` is always there."""

    type: PartType = "text"
    text: str | None = None
    """The text itself, a caption, or a title."""
    url: str | None = None
    name: str | None = None
    """File name."""
    size_bytes: int | None = None
    duration_s: float | None = None
    codes: tuple[str, ...] = ()
    """What the QR codes in a picture say, as read when the message came; empty where there are none or nobody looked."""


class Item(Record, frozen=True):
    """One line of an order."""

    name: str
    sku: str | None = None
    quantity: int = 1
    amount_minor: int | None = None
    """Line total in the minor unit; None = not stated."""


class Body(Record, frozen=True, tag_field="type"):
    """Base of the event bodies; the tag is the event type."""


class MessageCreated(Body, frozen=True, tag="message.created"):
    message_id: str | None
    """Native id, unique in its conversation; None where the platform gives none (then nothing can refer to it)."""
    text: str
    """Plain text as people read it; empty for pure media."""
    content: tuple[Part, ...] = ()
    """Parts other than one plain text; empty means exactly one text part equal to `text`."""
    reply_to: str | None = None
    """`message_id` of the message answered, in the same conversation."""
    mentions: tuple[str, ...] = ()
    """Platform ids of the people mentioned; `@all` for everyone."""
    forwarded_from: str | None = None


class MessageEdited(Body, frozen=True, tag="message.edited"):
    message_id: str
    text: str
    content: tuple[Part, ...] = ()


class MessageDeleted(Body, frozen=True, tag="message.deleted"):
    message_id: str
    by: Literal["author", "moderator", "unknown"] = "unknown"
    reason: str | None = None


class ReactionAdded(Body, frozen=True, tag="reaction.added"):
    message_id: str
    emoji: str


class ReactionRemoved(Body, frozen=True, tag="reaction.removed"):
    message_id: str
    emoji: str


class MemberJoined(Body, frozen=True, tag="member.joined"):
    """`subject` joined; `actor` is who did it where that differs (an inviter, an approver)."""

    scene: Literal["invited", "invite_link", "qr", "join_way", "approved", "self", "unknown"] = "unknown"
    inviter: str | None = None
    """Platform id of the inviter."""
    channel_code: str | None = None


class MemberLeft(Body, frozen=True, tag="member.left"):
    """`subject` left or was removed by `actor`."""

    reason: Literal["left", "kicked", "banned", "group_dismissed", "unknown"] = "unknown"
    until_ms: int | None = None


class MemberRestricted(Body, frozen=True, tag="member.restricted"):
    until_ms: int | None = None
    """End of the mute; None = until lifted."""
    scope: Literal["send", "media", "all"] = "send"


class MemberUnrestricted(Body, frozen=True, tag="member.unrestricted"):
    pass


class MemberUpdated(Body, frozen=True, tag="member.updated"):
    """A property of `subject` changed. `kind` (a PartyKind) is the operators' flag and has no conversation."""

    field: Literal["role", "nickname", "card", "kind"]
    old: str | None = None
    new: str | None = None


class MemberRequested(Body, frozen=True, tag="member.requested"):
    request_ref: str
    comment: str = ""


class GroupCreated(Body, frozen=True, tag="group.created"):
    pass


class GroupUpdated(Body, frozen=True, tag="group.updated"):
    """A property of the conversation changed. `community` is our own grouping, set by operators and imports."""

    field: Literal["name", "notice", "owner", "avatar", "settings", "community"]
    old: str | None = None
    new: str | None = None


class GroupDismissed(Body, frozen=True, tag="group.dismissed"):
    pass


class ContactAdded(Body, frozen=True, tag="contact.added"):
    staff: str
    """Platform id of the employee who was added as a friend (已加好友)."""
    way: str = "unknown"
    channel_code: str | None = None
    pending: bool = False
    batch_id: str = ""
    """The imported list it stands in; empty = a platform told it."""


class ContactUpdated(Body, frozen=True, tag="contact.updated"):
    fields: tuple[str, ...]


class ContactRemoved(Body, frozen=True, tag="contact.removed"):
    by: Literal["staff", "contact", "transfer", "list", "correction"]
    """`list` = an imported list says that they are no contacts; `correction` = it was never so: the list is taken back."""
    staff: str
    batch_id: str = ""


class ContactTransferred(Body, frozen=True, tag="contact.transferred"):
    from_staff: str
    to_staff: str
    status: Literal["started", "done", "failed"]
    reason: str | None = None


class TagChanged(Body, frozen=True, tag="tag.changed"):
    target: Literal["contact", "corp"]
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    staff: str | None = None


class ConsentChanged(Body, frozen=True, tag="consent.changed"):
    scope: Literal["archive", "marketing"]
    granted: bool


class BroadcastUpdated(Body, frozen=True, tag="broadcast.updated"):
    broadcast_id: str
    recipient: str
    status: Literal["pending", "sent", "failed", "skipped"]
    reason: str | None = None


class OrderUpdated(Body, frozen=True, tag="order.updated"):
    """An order of `subject` reached `status`. A later event of the same order replaces the earlier one."""

    order_id: str
    status: Literal["created", "paid", "refunded", "closed"]
    amount_minor: int
    """Order total in the minor unit of `currency` (fen for CNY); for `refunded` the amount given back."""
    currency: str = "CNY"
    items: tuple[Item, ...] = ()


class LinkClicked(Body, frozen=True, tag="link.clicked"):
    link_id: str
    url: str | None = None
    channel_code: str | None = None


class ConnectorStatus(Body, frozen=True, tag="connector.status"):
    state: Literal["up", "down", "limited", "auth_failed"]
    code: str | None = None


# What we come to know or decide about people and groups. All of it is ours (origin `self` or `import`): it is no sign of life
# of a member, and no platform sends it.

Kept = Literal["manual", "rule", "model", "import", "connector", "chat"]
"""Where knowledge came from: a colleague's hand, a playbook's rule, a model, a file, the platform, words said in a group."""
Target = Literal["member", "membership", "group"]


class IdentityKeyed(Body, frozen=True, tag="identity.keyed"):
    """`subject` carries a key that other accounts of the same person carry too."""

    key: str
    """Kind of key: `unionid`, `phone`, `email`, `external_userid`, `crm`."""
    digest: str
    """Keyed hash of the value (`accounts.digests`); the value itself is not kept."""


class IdentityLinked(Body, frozen=True, tag="identity.linked"):
    """`subject` and the other account belong to one person."""

    link_id: str
    """What `identity.unlinked` names to take exactly this link back."""
    other_connector: str
    other_account: str
    other_platform_id: str
    by: Literal["key", "manual", "suggestion"]
    reason: str = ""
    score: float = 1.0
    evidence: tuple[str, ...] = ()
    """What spoke for it, in codes: `key:unionid`, `name`, `groups:3`, `writing:0.91`."""


class IdentityUnlinked(Body, frozen=True, tag="identity.unlinked"):
    """A link of `subject` was taken back."""

    link_id: str
    reason: str = ""


class AttributeSet(Body, frozen=True, tag="attribute.set"):
    """An attribute of `subject` has a value."""

    attribute: str
    """Id of the attribute in the playbook, such as `city`."""
    value: str | int | float | bool | None
    """None = the value was taken away. Dates are ISO texts; money is in the minor unit."""
    kept: Kept = "manual"
    confidence: float = 1.0
    evidence: tuple[int, ...] = ()
    """Journal positions of what it was read from."""
    batch_id: str = ""
    """Names the action, bulk action or import it belongs to, so that the whole can be undone; empty = cannot be undone."""
    colleague: str = ""
    """Id of the colleague who did it; empty = nobody in person."""
    undoes: str = ""
    """A `batch_id`: what that batch changed here becomes what it was before, if nothing else has changed it since. The other
    fields then only tell people what it became."""


class TagPut(Body, frozen=True, tag="tag.put"):
    """A tag was put on `subject`; a group's tag has a conversation and no subject, a membership's has both."""

    target: Target
    tag: str
    """Id of the tag in the playbook, such as `intent/strong`."""
    kept: Kept = "manual"
    rule_id: str = ""
    version: str = ""
    """Version of the playbook whose rule put it; empty where no rule did."""
    reason: str = ""
    confidence: float = 1.0
    evidence: tuple[int, ...] = ()
    until_ms: int | None = None
    """When it ends by itself; None = never."""
    batch_id: str = ""
    colleague: str = ""
    """As of `attribute.set`, and so is `undoes`."""
    undoes: str = ""


class TagTaken(Body, frozen=True, tag="tag.taken"):
    """A tag was taken away again: the one that `kept` and `rule_id` name, since several may have put the same."""

    target: Target
    tag: str
    kept: Kept = "manual"
    """Who had put it, not who takes it."""
    rule_id: str = ""
    reason: str = ""
    batch_id: str = ""
    colleague: str = ""
    """The colleague who took it; then no rule puts it again by itself. Empty = its rule or its platform did."""
    undoes: str = ""


class SegmentEntered(Body, frozen=True, tag="segment.entered"):
    """`subject` (with `conv`: the membership; `conv` alone: the group) belongs to a segment since the event's time."""

    segment_id: str
    version: str


class SegmentLeft(Body, frozen=True, tag="segment.left"):
    segment_id: str
    version: str


class TierMoved(Body, frozen=True, tag="tier.moved"):
    """`subject` moved between the levels of a scheme of tiers."""

    scheme_id: str
    version: str
    old: str | None = None
    """None = was on no level before."""
    new: str | None = None
    evidence: tuple[str, ...] = ()
    """Conditions that decided, as `name=value`."""


class GroupCharted(Body, frozen=True, tag="group.charted"):
    """What colleagues set down about a group: its type, its phase where they decided it, its charter."""

    field: Literal["group_type", "phase", "charter", "decision"]
    value: str | None = None
    """A code, or JSON for the charter; None = taken away."""
    reason: str = ""


class ReplyGiven(Body, frozen=True, tag="reply.given"):
    """A colleague answered `subject` from our desk: through our account there, or by their own hand in the platform's app."""

    staff: str
    """Login name of the colleague."""
    answers: str | None = None
    """`message_id` of what is answered; None = the platform gave none."""
    message_id: str | None = None
    """`message_id` of the answer; None = nobody told it."""
    by_hand: bool = False
    holding: bool = False
    """It only asks for patience (稍等)."""


AnyBody = (
    MessageCreated | MessageEdited | MessageDeleted | ReactionAdded | ReactionRemoved
    | MemberJoined | MemberLeft | MemberRestricted | MemberUnrestricted | MemberUpdated | MemberRequested
    | GroupCreated | GroupUpdated | GroupDismissed
    | ContactAdded | ContactUpdated | ContactRemoved | ContactTransferred
    | TagChanged | ConsentChanged | BroadcastUpdated | OrderUpdated | LinkClicked | ConnectorStatus
    | IdentityKeyed | IdentityLinked | IdentityUnlinked | AttributeSet | TagPut | TagTaken
    | SegmentEntered | SegmentLeft | TierMoved | GroupCharted | ReplyGiven
)  # fmt: skip


class Event(Record, frozen=True):
    """One thing that happened. Position and id are given by the journal when it is appended."""

    ts_ms: int
    """When it happened, as the platform says."""
    source: Source
    body: AnyBody
    dedupe_key: str
    """Unique within (source.connector, source.account); see `domain.keys`."""
    conv: Conv | None = None
    actor: Party | None = None
    """Who did it; None = nobody in particular (a system, an unknown)."""
    subject: Party | None = None
    """To whom it was done, where that is not the actor."""
    confidence: Confidence = "reported"
    raw: str | None = None
    """Original payload as text, kept only where a retention limit is set."""

    @property
    def type(self) -> str:
        """Name of the event type, such as `message.created`."""
        return TYPE_NAMES[type(self.body)]


def _body_types() -> tuple[type[Body], ...]:
    return tuple(Body.__subclasses__())


TYPE_NAMES: Final[dict[type, str]] = {cls: str(cls.__struct_config__.tag) for cls in _body_types()}

TYPE_CODES: Final[dict[type, int]] = {cls: code for code, cls in enumerate(_body_types(), start=1)}
"""Small stable integers for storage, in order of declaration above. Never reorder; append only."""

OURS: Final = frozenset({
    IdentityKeyed, IdentityLinked, IdentityUnlinked, AttributeSet, TagPut, TagTaken, SegmentEntered, SegmentLeft, TierMoved,
    GroupCharted, ReplyGiven,
})  # fmt: skip
"""Types that say what we know or decided: no sign that the member or the group is alive."""

TYPE_BY_CODE: Final[dict[int, type]] = {code: cls for cls, code in TYPE_CODES.items()}

encoder: Final = msgspec.json.Encoder()
decoder: Final = msgspec.json.Decoder(Event)


def encode(event: Event) -> bytes:
    """Return the JSON wire form of an event."""
    return encoder.encode(event)


def decode(data: bytes | str) -> Event:
    """Return the event of a wire form. Raises msgspec.ValidationError on unknown fields, types or shapes."""
    return decoder.decode(data)
