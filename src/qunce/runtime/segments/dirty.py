"""Tell whom an event could move: the subjects of the segments that mention such an event, attribute or tag."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from qunce.analytics.segments.plan import leaves_of
from qunce.domain import events as ev
from qunce.journal.store import Stored
from qunce.playbook.schema.segments import Subject
from qunce.playbook.segments.tree import Attr, Did, Field, Rule, Since, Tagged
from qunce.readmodels.rows import Database
from qunce.runtime.happenings import Resolver
from qunce.runtime.segments.moves import Key

TAG: Final = "tag"
"""Stands for any tag among what a segment mentions."""
_SEEN: Final = frozenset({"first_seen_at", "last_seen_at"})
_TOUCHES: Final[Mapping[type, frozenset[str]]] = {
    ev.MessageCreated: _SEEN | {"message", "question", "got_reply", "last_message_at", "messages"},
    ev.ReactionAdded: _SEEN | {"reaction"},
    ev.ReactionRemoved: _SEEN | {"reaction"},
    ev.MemberJoined: _SEEN | {"group_join", "invite", "joined_at", "scene", "left_at", "groups", "members"},
    ev.MemberLeft: _SEEN | {"group_leave", "left_at", "groups", "members"},
    ev.LinkClicked: _SEEN | {"link_click"},
    ev.ContactAdded: _SEEN | {"contact_added"},
    ev.ContactRemoved: _SEEN | {"contact_removed"},
    ev.OrderUpdated: _SEEN | {"order_created", "order_paid", "order_refunded", "orders", "spend"},
    ev.GroupCreated: _SEEN | {"created_at"},
    ev.TagChanged: _SEEN | {TAG},
    ev.TagPut: frozenset({TAG}),
    ev.TagTaken: frozenset({TAG}),
    ev.SegmentEntered: frozenset(),
    ev.SegmentLeft: frozenset(),
    ev.TierMoved: frozenset(),
    ev.GroupCharted: frozenset(),
    ev.ConnectorStatus: frozenset(),
}
"""What of the catalogue an event can change; of types that are not here only when somebody was last seen."""
WIDE: Final = (ev.IdentityLinked, ev.IdentityUnlinked)
"""Events that change who somebody is, and with it what others have met."""


@dataclass(slots=True)
class Dirty:
    """Subjects to be judged again, by kind. `wide`: something happened after which everybody has to be."""

    keys: dict[Subject, set[Key]] = field(default_factory=dict)
    wide: bool = False

    def add(self, of: Subject, key: Key) -> None:
        self.keys.setdefault(of, set()).add(key)

    def __len__(self) -> int:
        return sum(map(len, self.keys.values()))


def mentions(rules: Mapping[str, Rule], wanted: Iterable[str] | None = None) -> dict[Subject, frozenset[str]]:
    """Return for each kind of subject what its `wanted` segments (None = all) mention: events, attributes, `TAG`."""
    found: dict[Subject, set[str]] = {}
    for rule in rules.values() if wanted is None else [rules[name] for name in wanted]:
        names = found.setdefault(rule.of, set())
        for leaf in leaves_of(rule.body, rules):
            match leaf:
                case Attr(name) | Field(name):
                    names.add(name)
                case Tagged():
                    names.add(TAG)
                case Did():
                    names.update(leaf.events)
                    if isinstance(leaf.window, Since):
                        names.add(leaf.window.attribute)
    return {of: frozenset(names) for of, names in found.items()}


class Marker:
    """Marks subjects, over one database connection."""

    def __init__(self, database: Database) -> None:
        self._database, self._resolver = database, Resolver(database)

    def mark(self, batch: Sequence[Stored], asked: Mapping[Subject, frozenset[str]]) -> Dirty:
        """Return whom a batch of events could move. `asked` is of `mentions`."""
        dirty = Dirty()
        accounts: dict[tuple[int, int | None], set[Subject]] = {}
        replies: dict[int, set[Subject]] = {}
        joins: dict[tuple[int, int], set[Subject]] = {}
        for happening in self._resolver.happenings(batch):
            body, group = happening.event.body, happening.group
            dirty.wide = dirty.wide or _is_wide(body, asked)
            kinds = {of for of, names in asked.items() if names & _touched(body)}
            if not kinds:
                continue
            if group is not None and "group" in kinds:
                dirty.add("group", (group, 0))
            for account in (happening.actor, happening.subject):
                if account is not None:
                    accounts.setdefault((account, group), set()).update(kinds)
            if isinstance(body, ev.MessageCreated) and body.reply_to:
                replies.setdefault(happening.seq, set()).update(kinds)
            if isinstance(body, ev.MemberJoined) and body.inviter and group is not None:
                account = happening.subject or happening.actor
                if account is not None:
                    joins.setdefault((group, account), set()).update(kinds)
        self._others(replies, joins, accounts)
        self._add(dirty, accounts)
        return dirty

    def new_since(self, water: Mapping[str, int], asked: Mapping[Subject, frozenset[str]], dirty: Dirty) -> dict[str, int]:
        """Add members, memberships and groups that came into being after `water`; return how far they go.

        Whoever has only just become known belongs to segments of those who did nothing, whatever made it known.
        """
        for account, group in self._database.query(
            "SELECT s.identity_id, s.group_id FROM membership s WHERE s.id > ?", [water.get("membership", 0)]
        ):
            self._add(dirty, {(account, group): {of for of in asked if of != "group"}})
        if "member" in asked:
            sql = "SELECT member_id FROM identity WHERE id > ?"
            for (member_id,) in self._database.query(sql, [water.get("identity", 0)]):
                dirty.add("member", (member_id, 0))
        if "group" in asked:
            for (group_id,) in self._database.query("SELECT id FROM chat_group WHERE id > ?", [water.get("chat_group", 0)]):
                dirty.add("group", (group_id, 0))
        return high_water(self._database)

    def _others(
        self, replies: Mapping[int, set[Subject]], joins: Mapping[tuple[int, int], set[Subject]],
        accounts: dict[tuple[int, int | None], set[Subject]],
    ) -> None:  # fmt: skip
        """Add who was replied to, and who invited: the other side of what happened."""
        if replies:
            test, params = self._database.in_list("m.seq", list(replies))
            sql = f"SELECT m.seq, t.identity_id, m.group_id FROM message m JOIN message t ON t.seq = m.reply_to WHERE {test}"
            for seq, account, group in self._database.query(sql, params):
                if account is not None:
                    accounts.setdefault((account, group), set()).update(replies[seq])
        if joins:
            test, params = self._database.in_rows(("group_id", "identity_id"), list(joins), ("bigint", "bigint"))
            sql = f"SELECT group_id, identity_id, inviter_id FROM membership WHERE {test}"
            for group, account, inviter in self._database.query(sql, params):
                if inviter is not None:
                    accounts.setdefault((inviter, group), set()).update(joins[group, account])

    def _add(self, dirty: Dirty, accounts: Mapping[tuple[int, int | None], Iterable[Subject]]) -> None:
        if not accounts:
            return
        test, params = self._database.in_list("id", sorted({account for account, _ in accounts}))
        rows = self._database.query(f"SELECT id, member_id FROM identity WHERE {test}", params)
        members: dict[int, int] = {row[0]: row[1] for row in rows}
        everywhere = {account for (account, group), kinds in accounts.items() if group is None and "membership" in kinds}
        groups = self._groups_of(everywhere)
        for (account, group), kinds in accounts.items():
            member = members.get(account)
            if member is None:
                continue
            if "member" in kinds:
                dirty.add("member", (member, 0))
            if "membership" in kinds:
                places = {group} if group is not None else groups[account]
                for place in places:
                    dirty.add("membership", (member, place))

    def _groups_of(self, accounts: set[int]) -> dict[int, set[int]]:
        """Return the groups of accounts: what is known of a member holds in all of its memberships."""
        found: dict[int, set[int]] = {account: set() for account in accounts}
        if accounts:
            test, params = self._database.in_list("identity_id", sorted(accounts))
            for account, group in self._database.query(f"SELECT identity_id, group_id FROM membership WHERE {test}", params):
                found[account].add(group)
        return found


def high_water(database: Database) -> dict[str, int]:
    """Return the newest ids of members, memberships and groups."""
    return {
        table: int(database.query(f"SELECT coalesce(max(id), 0) FROM {table}")[0][0])
        for table in ("identity", "membership", "chat_group")
    }


def _touched(body: ev.AnyBody) -> frozenset[str]:
    if isinstance(body, ev.MemberUpdated):
        return frozenset({"role"}) if body.field == "role" else _SEEN
    if isinstance(body, ev.AttributeSet):
        return frozenset({body.attribute})
    return _TOUCHES.get(type(body), _SEEN)


def _is_wide(body: ev.AnyBody, asked: Mapping[Subject, frozenset[str]]) -> bool:
    if isinstance(body, ev.MemberUpdated):
        return body.field == "kind"
    if isinstance(body, ev.GroupUpdated):
        return body.field == "community" and any("community" in names for names in asked.values())
    if isinstance(body, ev.ReactionRemoved):
        # The mirror keeps a reaction until it is read anew.
        return any("reaction" in names for names in asked.values())
    return isinstance(body, WIDE)
