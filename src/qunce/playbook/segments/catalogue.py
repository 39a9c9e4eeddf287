"""Name what segments may speak of: attributes of each subject, events, their fields, and the tags that exist.

Only what the read models and the mirror can answer is here. A name that is planned but cannot be answered yet is refused with
the reason, rather than counted as nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from qunce.domain.events import PartType
from qunce.playbook.schema.segments import Subject

Kind = Literal["moment", "number", "money", "word", "id"]
Source = Literal["acted", "met", "order"]
"""Where an event is found: what the subject did, what another member did to it, or its orders."""
ROLES: Final = ("member", "admin", "owner")
"""Platform roles, lowest first."""
SCENES: Final = ("invited", "invite_link", "qr", "join_way", "approved", "self")
"""Ways into a group, as joins report them; `unknown` is no value."""
WORD_NAMES: Final[dict[str, dict[str, tuple[str, str]]]] = {
    "role": {"member": ("群成员", "member"), "admin": ("群管理员", "admin"), "owner": ("群主", "owner")},
    "scene": {
        "invited": ("被邀请", "invited"), "invite_link": ("邀请链接", "invite link"), "qr": ("扫码", "QR code"),
        "join_way": ("群活码", "join code"), "approved": ("审批通过", "approved"), "self": ("自行加入", "on their own"),
    },
    "kind": {"member": ("成员", "member"), "unknown": ("未标记身份", "unknown")},
    "content": {
        "text": ("文字", "text"), "image": ("图片", "image"), "voice": ("语音", "voice"), "video": ("视频", "video"),
        "file": ("文件", "file"), "sticker": ("表情", "sticker"), "link": ("链接", "link"), "card": ("名片", "card"),
        "location": ("位置", "location"), "poll": ("投票", "poll"), "forward": ("转发", "forward"),
        "red_packet": ("红包", "red packet"), "system": ("系统", "system"), "other": ("其他", "other"),
    },
}  # fmt: skip
"""What the words of attributes and fields are called, in Chinese and English."""
CODED: Final = {"role": ROLES, "scene": SCENES}
"""Words of memberships that profiles hold as their place, from 1; 0 = missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """An attribute: what kind of value it has, and the words it may be (empty = any)."""

    kind: Kind
    zh: str
    en: str
    choices: tuple[str, ...] = ()


def _moment(zh: str, en: str) -> Attribute:
    return Attribute(kind="moment", zh=zh, en=en)


def _number(zh: str, en: str) -> Attribute:
    return Attribute(kind="number", zh=zh, en=en)


def _word(zh: str, en: str, *choices: str) -> Attribute:
    return Attribute(kind="word", zh=zh, en=en, choices=choices)


_FIRST: Final = _moment("首次出现", "first sign of it")
_LAST: Final = _moment("最近出现", "newest sign of it")
_LAST_MESSAGE: Final = _moment("最近发言", "newest message")
_MESSAGES: Final = _number("发言数", "messages so far")
_CONNECTOR: Final = _word("平台", "platform")
_COMMUNITY: Final = _word("社群", "name of the community")

TRAITS: Final[dict[str, Attribute]] = {
    "rfm_recency": _number("RFM 近度", "RFM recency, 1 to 5 among buyers of a year; 0 = none"),
    "rfm_frequency": _number("RFM 频度", "RFM frequency, 1 to 5 among buyers of a year; 0 = none"),
    "rfm_money": _number("RFM 额度", "RFM money, 1 to 5 among buyers of a year; 0 = none"),
    "engagement": _number("活跃分", "engagement of 30 days, 0 to 100: service, content, interaction"),
    "service": _number("服务分", "questions and orders of 30 days, 0 to 30"),
    "content": _number("内容分", "days and messages of 30 days, 0 to 35"),
    "interaction": _number("互动分", "replies and reactions of 30 days, 0 to 35"),
    "loyalty": _number("忠诚分", "active weeks of twelve, and orders of a year, 0 to 100"),
}
"""Scores of members, computed once a day for all (`analytics.traits`)."""

ATTRIBUTES: Final[dict[Subject, dict[str, Attribute]]] = {
    "member": {
        "kind": _word("身份", "member, or unknown while nobody has said what the account is", "member", "unknown"),
        "connector": _word("平台", "platform of the first account"),
        "first_seen_at": _FIRST,
        "last_seen_at": _LAST,
        "last_message_at": _LAST_MESSAGE,
        "messages": _MESSAGES,
        "orders": _number("订单数", "paid orders, less those wholly refunded"),
        "spend": Attribute(kind="money", zh="消费额", en="paid orders less refunds, in the organisation's currency"),
        "groups": _number("所在群数", "groups the member is in"),
        **TRAITS,
    },
    "membership": {
        "joined_at": _moment("入群时间", "newest reported join"),
        "left_at": _moment("退群时间", "newest reported leave; missing while the member is there"),
        "role": _word("群内角色", "role on the platform", *ROLES),
        "scene": _word("进群途径", "way of the newest reported join; missing where nobody knows", *SCENES),
        "first_seen_at": _FIRST,
        "last_message_at": _LAST_MESSAGE,
        "messages": _MESSAGES,
        "connector": _CONNECTOR,
        "community": _COMMUNITY,
    },
    "group": {
        "created_at": _moment("建群时间", "when the group was made, where the platform says so"),
        "first_seen_at": _FIRST,
        "last_seen_at": _LAST,
        "last_message_at": _LAST_MESSAGE,
        "messages": _MESSAGES,
        "members": _number("成员数", "members who are there, without staff, bots and house personas"),
        "connector": _CONNECTOR,
        "community": _COMMUNITY,
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EventKind:
    """An event that can be asked for: who may be its subject, and its fields by what can be done with them."""

    source: Source
    zh: str
    en: str
    subjects: tuple[Subject, ...] = ("member", "membership", "group")
    sums: dict[str, Kind] = field(default_factory=dict)
    wheres: dict[str, Kind] = field(default_factory=dict)
    distinct: tuple[str, ...] = ()


_PEOPLE: Final[tuple[Subject, ...]] = ("member", "membership")
_GROUP: Final[dict[str, Kind]] = {"group_id": "id"}
_SPOKEN: Final[dict[str, Kind]] = {**_GROUP, "content": "word"}
_LENGTH: Final[dict[str, Kind]] = {"length": "number"}
_SIDES: Final = ("peer", "group_id", "member_id")
_MONEY: Final[dict[str, Kind]] = {"amount": "money"}
CONTENTS: Final[tuple[str, ...]] = get_args(PartType)


def _acted(zh: str, en: str, *distinct: str) -> EventKind:
    return EventKind(source="acted", zh=zh, en=en, wheres=_GROUP, distinct=distinct)


def _order(zh: str, en: str) -> EventKind:
    return EventKind(source="order", zh=zh, en=en, subjects=("member",), sums=_MONEY)


EVENTS: Final[dict[str, EventKind]] = {
    "message": EventKind(source="acted", zh="发言", en="spoke in a group", sums=_LENGTH, wheres=_SPOKEN, distinct=_SIDES),
    "question": EventKind(source="acted", zh="提问", en="asked in a group", sums=_LENGTH, wheres=_SPOKEN, distinct=_SIDES),
    "reaction": _acted("表态", "reacted to a message", *_SIDES),
    "group_join": _acted("入群", "joined a group", *_SIDES),
    "group_leave": _acted("退群", "left a group, or was removed", "group_id", "member_id"),
    "link_click": _acted("点击链接", "clicked a tracked link", "group_id", "member_id"),
    "contact_added": EventKind(source="acted", zh="加好友", en="added a colleague as a contact", subjects=("member",)),
    "contact_removed": EventKind(source="acted", zh="解除好友", en="is no longer a colleague's contact", subjects=("member",)),
    "got_reply": EventKind(
        source="met", zh="被回复", en="another member replied", subjects=_PEOPLE, wheres=_SPOKEN, distinct=("peer", "group_id")
    ),
    "invite": EventKind(
        source="met", zh="邀请入群", en="brought another member", subjects=_PEOPLE, wheres=_GROUP, distinct=("peer", "group_id")
    ),
    "order_created": _order("下单", "placed an order"),
    "order_paid": _order("支付订单", "paid an order that was not wholly refunded; the amount is less refunds"),
    "order_refunded": _order("退款", "had an order refunded"),
}  # fmt: skip

NOT_YET: Final[dict[str, str]] = {
    "ask_price": "questions are not told apart by topic yet: use question",
    "click_product": "clicks are not told apart by what was clicked yet: use link_click",
    "click_coupon": "clicks are not told apart by what was clicked yet: use link_click",
    "signup": "sign-ups are not recorded yet: use link_click or order_created",
    "checkin": "check-ins are not recorded yet: use message",
    "points_earned": "points are not recorded yet: use order_paid",
    "campaign": "clicks do not carry their campaign yet",
}
"""Names operators know from other tools and from plans, with what stands in for them."""
