"""Fold events into read-model rows, batch by batch, as if one by one.

A batch is folded in five steps: find whom and where the events name; give new groups and identities their ids in order of first
appearance; load the rows they touch; change them event by event; write. Everything is decided by the events and the rows
before them, so the cut into batches leaves no trace.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from qunce.domain import events as ev
from qunce.domain.keys import message_key
from qunce.domain.localtime import LocalClock
from qunce.domain.text import fold, index_tokens, is_question
from qunce.readmodels.contents import SYSTEM, TEXT, content_code
from qunce.readmodels.models import PLAYED
from qunce.readmodels.projector import contacts, knowledge
from qunce.readmodels.projector.charts import Charts
from qunce.readmodels.projector.links import Links, named_other
from qunce.readmodels.projector.messages import Changes
from qunce.readmodels.projector.orders import Orders
from qunce.readmodels.projector.replies import Positions
from qunce.readmodels.projector.state import GroupRow, IdentityRow, MemberRow, MembershipRow, Rows, TotalRow
from qunce.readmodels.projector.tiers import Tiers
from qunce.readmodels.rows import Database

Key = tuple[str, str, str]
"""(connector, account, platform id)"""

_STRONG_KINDS = frozenset({"staff", "bot", "house_persona", "system"})
_detail = msgspec.json.Encoder()


class Positioned(Protocol):
    """An event with its journal position."""

    @property
    def seq(self) -> int: ...
    @property
    def event(self) -> ev.Event: ...


class Projector:
    """The fold, with its caches. One per connection; after a rollback call `forget`."""

    def __init__(self, database: Database, clock: LocalClock, positions: Positions, currency: str = "CNY") -> None:
        """`currency` is the one members' spend is summed in."""
        self._db = database
        self._clock = clock
        self._positions = positions
        text3 = ("text", "text", "text")
        named = ("connector", "account", "platform_id")
        self._groups: Rows[Key, GroupRow] = Rows(
            database, GroupRow, _key_of, lambda keys: database.in_rows(named, keys, text3), 20_000
        )
        self._identities: Rows[Key, IdentityRow] = Rows(
            database, IdentityRow, _key_of, lambda keys: database.in_rows(named, keys, text3), 60_000
        )
        self._members: Rows[int, MemberRow] = Rows(
            database, MemberRow, lambda row: row.id, lambda keys: database.in_list("id", keys), 60_000
        )
        self._memberships: Rows[tuple[int, int], MembershipRow] = Rows(
            database, MembershipRow, lambda row: (row.group_id, row.identity_id),
            lambda keys: database.in_rows(("group_id", "identity_id"), keys, ("bigint", "bigint")), 80_000,
        )  # fmt: skip
        self._orders = Orders(database, clock, currency)
        self._tiers = Tiers(database)
        self._charts = Charts(database)
        self._contacts = contacts.Contacts(database)
        self._knowledge = knowledge.Knowledge(database, clock)
        self._links = Links(database, self._identities, self._members)
        self._communities: dict[str, int] = {}

    def forget(self) -> None:
        """Drop the caches, after a transaction was rolled back."""
        for rows in (self._groups, self._identities, self._members, self._memberships, self._orders.rows):
            rows.forget()
        self._tiers.forget()
        self._charts.forget()
        self._contacts.forget()
        self._knowledge.forget()
        self._links.forget()
        self._communities.clear()

    def apply(self, batch: Sequence[Positioned]) -> None:
        """Fold a batch in journal order. Call inside the transaction that appended it or moves the cursor."""
        if not batch:
            return
        self._identify(batch)
        pairs = self._load(batch)
        changes = Changes(self._db, self._clock)
        earlier = self._references(batch)
        for stored, (group, actor, subject) in zip(batch, pairs, strict=True):
            body = stored.event.body
            kind = type(body)
            if kind is ev.MessageCreated:
                self._message(stored.seq, stored.event, body, group, actor, earlier, changes)  # type: ignore[arg-type]
            elif kind in (ev.MessageEdited, ev.MessageDeleted, ev.ReactionAdded, ev.ReactionRemoved):
                target = self._referred(stored, earlier)
                if target is not None:
                    changes.to_message(stored.seq, stored.event, target, actor)
                if actor is not None:
                    self._seen(actor, stored.event.ts_ms)
            elif kind is ev.OrderUpdated:
                buyer = subject or actor
                self._orders.fold(stored.seq, stored.event, body, buyer, self._own(buyer))  # type: ignore[arg-type]
                if buyer is not None:
                    self._seen(buyer, stored.event.ts_ms)
            else:
                self._happening(stored.seq, stored.event, group, actor, subject, changes)
        for rows in (self._members, self._identities, self._groups, self._memberships):
            rows.write()
        self._orders.rows.write()
        self._tiers.write()
        self._charts.write()
        self._contacts.write()
        self._knowledge.write()
        self._links.write()
        changes.write()

    # ── whom and where ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _identify(self, batch: Sequence[Positioned]) -> None:
        """Load the groups and identities of a batch; give new ones ids in order of appearance."""
        groups: dict[Key, ev.Event] = {}
        people: dict[Key, tuple[ev.Event, ev.Party | None]] = {}
        for stored in batch:
            event = stored.event
            source = event.source
            connector, account = source.connector, source.account
            if event.conv is not None:
                groups.setdefault((connector, account, event.conv.platform_id), event)
            for party in (event.actor, event.subject):
                if party is not None:
                    people.setdefault((connector, account, party.platform_id), (event, party))
            named = _named_person(event.body)
            if named:
                people.setdefault((connector, account, named), (event, None))
            other = named_other(event.body)
            if other is not None:
                people.setdefault(other, (event, None))
        self._groups.load(groups)
        self._identities.load(people)
        next_group = next_identity = 0
        for key, event in groups.items():
            if self._groups.peek(key) is None:
                next_group = next_group or self._next_id("chat_group")
                conv = event.conv
                assert conv is not None  # noqa: S101  # `groups` holds events with a conversation only
                name = conv.name or conv.platform_id
                self._groups.add(GroupRow((next_group, *key, conv.kind, name, "", None, None, None, None, None, None, None, 0)))
                next_group += 1
        for key, (_event, party) in people.items():
            if self._identities.peek(key) is None:
                next_identity = next_identity or self._next_id("identity")
                kind = party.kind if party else "unknown"
                name = (party.name if party else None) or key[2]
                self._members.add(MemberRow((next_identity, name, kind, None, None, None, 0, 0, 0)))
                self._identities.add(IdentityRow((next_identity, *key, next_identity, kind, False, name, fold(name), False)))
                next_identity += 1

    def _next_id(self, table: str) -> int:
        return int(self._db.query(f"SELECT coalesce(max(id), 0) + 1 FROM {table}")[0][0])

    def _load(self, batch: Sequence[Positioned]) -> list[tuple[GroupRow | None, IdentityRow | None, IdentityRow | None]]:
        """Load members, memberships and orders of a batch; return each event's group, actor and subject."""
        found: list[tuple[GroupRow | None, IdentityRow | None, IdentityRow | None]] = []
        memberships: dict[tuple[int, int], None] = {}
        members: dict[int, None] = {}
        linked: dict[int, None] = {}
        peek_group, peek_identity = self._groups.peek, self._identities.peek
        for stored in batch:
            event = stored.event
            source = event.source
            connector, account = source.connector, source.account
            group = peek_group((connector, account, event.conv.platform_id)) if event.conv is not None else None
            actor = peek_identity((connector, account, event.actor.platform_id)) if event.actor is not None else None
            subject = peek_identity((connector, account, event.subject.platform_id)) if event.subject is not None else None
            for person in (actor, subject):
                if person is not None:
                    (linked if person.linked else members)[person.id] = None
                    if group is not None:
                        memberships[group.id, person.id] = None
            other = named_other(event.body)
            if other is not None and (person := peek_identity(other)) is not None and not person.linked:
                members[person.id] = None
            found.append((group, actor, subject))
        self._members.load(members)
        self._links.load(linked, (stored.event.body for stored in batch))
        self._memberships.load(memberships)
        self._orders.load(stored.event for stored in batch if type(stored.event.body) is ev.OrderUpdated)
        self._knowledge.load(
            (stored.event.body, group, subject or actor)
            for stored, (group, actor, subject) in zip(batch, found, strict=True)
            if isinstance(stored.event.body, knowledge.TYPES)
        )
        return found

    def _references(self, batch: Sequence[Positioned]) -> dict[tuple[str, str, str], int]:
        """Return the positions of the messages this batch refers to, by (connector, account, dedupe key)."""
        wanted: dict[tuple[str, str], tuple[ev.Source, dict[str, None]]] = {}
        for stored in batch:
            event = stored.event
            reference = _reference(event.body)
            if reference is not None and event.conv is not None:
                pair = (event.source.connector, event.source.account)
                keys = wanted.setdefault(pair, (event.source, {}))[1]
                keys[message_key(event.conv.platform_id, reference)] = None
        return {
            (*pair, key): seq
            for pair, (source, keys) in wanted.items()
            for key, seq in self._positions(source, list(keys)).items()
        }

    def _referred(self, stored: Positioned, earlier: dict[tuple[str, str, str], int]) -> int | None:
        """Return the message an event refers to; earlier ones only, since a rebuild knows the later and a live fold not."""
        event = stored.event
        reference = _reference(event.body)
        if reference is None or event.conv is None:
            return None
        source = event.source
        seq = earlier.get((source.connector, source.account, message_key(event.conv.platform_id, reference)))
        return seq if seq is not None and seq < stored.seq else None

    # ── people ───────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _own(self, identity: IdentityRow | None) -> MemberRow | TotalRow | None:
        """Return the row that counts what an account did: its member's, or its own while it is linked with others."""
        if identity is None:
            return None
        return self._links.totals.get(identity.id) if identity.linked else self._members.get(identity.id)

    def _seen(self, identity: IdentityRow, ts_ms: int) -> MemberRow | TotalRow:
        """Widen an account's first and last sign of life."""
        member = self._own(identity)
        assert member is not None  # noqa: S101  # loaded with the batch
        if member.first_ms is None or ts_ms < member.first_ms:
            member.first_ms = ts_ms
        if member.last_ms is None or ts_ms > member.last_ms:
            member.last_ms = ts_ms
        return member

    def _hear(self, identity: IdentityRow, party: ev.Party | None, ts_ms: int, changes: Changes) -> None:
        """Take the name, unless something newer was heard, and the kind, unless an operator decided it."""
        if party is None:
            return
        if party.name and party.name != identity.name:
            member = self._links.totals.peek(identity.id) if identity.linked else self._members.peek(identity.id)
            if member is None or member.last_ms is None or ts_ms >= member.last_ms or identity.name == identity.platform_id:
                self._rename(identity, party.name)
        kind = party.kind
        news = kind not in (identity.kind, "unknown") and not identity.kind_flagged
        if news and (kind in _STRONG_KINDS or identity.kind == "unknown"):
            self._set_kind(identity, kind, changes)

    def _rename(self, identity: IdentityRow, name: str) -> None:
        self._touch(identity)
        identity.name = name
        identity.folded_name = fold(name)
        if identity.linked:
            self._links.renamed(identity)
        elif (member := self._members.get(identity.id)) is not None:
            member.name = name

    def _set_kind(self, identity: IdentityRow, kind: str, changes: Changes) -> None:
        self._touch(identity)
        identity.kind = kind
        if identity.linked:
            self._links.side_changed(identity)
        elif (member := self._members.get(identity.id)) is not None:
            member.kind = kind
        changes.kind_changed(identity.id)

    def _touch(self, identity: IdentityRow) -> None:
        self._identities.get((identity.connector, identity.account, identity.platform_id))

    def _membership(self, group: GroupRow, identity: IdentityRow, ts_ms: int) -> MembershipRow:
        """Return the membership to change, made at the first sign of it."""
        row = self._memberships.get((group.id, identity.id))
        if row is None:
            values = (group.id, identity.id, "", "member", None, None, "", "", "", None, None, ts_ms, None, None, 0)
            row = self._memberships.add(MembershipRow(values))
        elif ts_ms < row.first_ms:
            row.first_ms = ts_ms
        return row

    def _place(self, event: ev.Event) -> GroupRow | None:
        """Return the event's group with its name and its first and last sign of life brought up to date."""
        conv = event.conv
        if conv is None:
            return None
        group = self._groups.get((event.source.connector, event.source.account, conv.platform_id))
        assert group is not None  # noqa: S101  # loaded with the batch
        ts_ms = event.ts_ms
        newest = group.last_ms is None or ts_ms >= group.last_ms
        if conv.name and conv.name != group.name and (newest or group.name == group.platform_id):
            group.name = conv.name
        if newest:
            group.last_ms = ts_ms
        if group.first_ms is None or ts_ms < group.first_ms:
            group.first_ms = ts_ms
        return group

    # ── what happened ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _message(
        self, seq: int, event: ev.Event, body: ev.MessageCreated, group: GroupRow | None, actor: IdentityRow | None,
        earlier: dict[tuple[str, str, str], int], changes: Changes,
    ) -> None:  # fmt: skip
        if group is None:
            return
        self._place(event)
        ts_ms = event.ts_ms
        code = content_code(body) if body.content else TEXT
        if actor is None and code == TEXT:
            code = SYSTEM
        if actor is not None:
            self._spoke(group, actor, event, changes)
        if group.last_message_ms is None or ts_ms > group.last_message_ms:
            group.last_message_ms = ts_ms
        group.message_count += 1
        reply_to = None
        if body.reply_to is not None and event.conv is not None:
            source = event.source
            reply_to = earlier.get((source.connector, source.account, message_key(event.conv.platform_id, body.reply_to)))
            if reply_to is not None and reply_to >= seq:
                reply_to = None
        text = body.text
        asks = actor is not None and code != SYSTEM and is_question(text)
        parts = _detail.encode(body.content).decode() if body.content else ""
        author = actor.id if actor is not None else None
        row = (seq, group.id, author, ts_ms, self._clock.day(ts_ms), code, text, parts, reply_to, asks)
        counted = group.connector != PLAYED
        changes.message(row, index_tokens(text) if text else "", in_group=group.kind == "group", counted=counted)

    def _spoke(self, group: GroupRow, actor: IdentityRow, event: ev.Event, changes: Changes) -> None:
        ts_ms = event.ts_ms
        self._hear(actor, event.actor, ts_ms, changes)
        member = self._seen(actor, ts_ms)
        member.message_count += 1
        if member.last_message_ms is None or ts_ms > member.last_message_ms:
            member.last_message_ms = ts_ms
        row = self._membership(group, actor, ts_ms)
        row.message_count += 1
        if row.first_message_ms is None or ts_ms < row.first_message_ms:
            row.first_message_ms = ts_ms
        if row.last_message_ms is None or ts_ms > row.last_message_ms:
            row.last_message_ms = ts_ms

    def _happening(
        self, seq: int, event: ev.Event, group: GroupRow | None, actor: IdentityRow | None, subject: IdentityRow | None,
        changes: Changes,
    ) -> None:  # fmt: skip
        body = event.body
        ts_ms = event.ts_ms
        alive = type(body) not in ev.OURS and not contacts.is_listed(event)
        if alive:
            self._place(event)
        if actor is not None:
            self._hear(actor, event.actor, ts_ms, changes)
        person = subject or actor
        if subject is not None:
            self._hear(subject, event.subject, ts_ms, changes)
        if person is not None and alive and not isinstance(body, ev.MemberUpdated):
            self._seen(person, ts_ms)
        if isinstance(body, ev.MemberJoined) and group is not None and person is not None:
            self._joined(group, person, body, event, changes)
        elif isinstance(body, ev.MemberLeft) and group is not None and person is not None:
            self._left(group, person, body, ts_ms, changes)
        elif isinstance(body, ev.MemberRestricted | ev.MemberUnrestricted) and group is not None and person is not None:
            until = body.until_ms if isinstance(body, ev.MemberRestricted) else None
            self._membership(group, person, ts_ms).muted_until_ms = until
        elif isinstance(body, ev.MemberUpdated) and person is not None:
            self._updated(group, person, body, ts_ms, changes)
        elif isinstance(body, ev.GroupCreated | ev.GroupUpdated | ev.GroupDismissed) and group is not None:
            self._group_changed(group, body, event)
        elif isinstance(body, ev.GroupCharted) and group is not None:
            self._charts.set(group.id, body, ts_ms)
        elif isinstance(body, ev.ReplyGiven) and group is not None and group.kind == "group" and group.connector != PLAYED:
            changes.unsettle(group.id, ts_ms)
        elif isinstance(body, contacts.TYPES) and person is not None:
            self._contacts.fold(seq, event, person.id)
        elif isinstance(body, ev.TierMoved) and person is not None:
            self._tiers.move(seq, person.id, body, ts_ms)
        elif isinstance(body, knowledge.TYPES):
            self._knowledge.fold(seq, ts_ms, body, group, person)
        elif isinstance(body, ev.IdentityKeyed | ev.IdentityLinked | ev.IdentityUnlinked):
            self._links.fold(seq, event, person)
        by = actor.id if actor is not None and actor is not person else None
        changes.happening(
            (
                seq, ev.TYPE_CODES[type(body)], group.id if group else None, person.id if person else None, by, ts_ms,
                self._clock.day(ts_ms), _detail.encode(body).decode(),
            )
        )  # fmt: skip

    def _joined(self, group: GroupRow, person: IdentityRow, body: ev.MemberJoined, event: ev.Event, changes: Changes) -> None:
        ts_ms = event.ts_ms
        row = self._membership(group, person, ts_ms)
        if group.connector != PLAYED:
            changes.count(group.id, ts_ms, joined=1)
        if row.joined_ms is not None and ts_ms < row.joined_ms:
            return
        row.joined_ms = ts_ms
        row.scene = body.scene
        row.channel_code = body.channel_code or ""
        if row.left_ms is not None and row.left_ms <= ts_ms:
            row.left_ms, row.leave_reason = None, ""
        inviter = body.inviter
        if inviter:
            source = event.source
            found = self._identities.peek((source.connector, source.account, inviter))
            row.inviter_id = found.id if found else None

    def _left(self, group: GroupRow, person: IdentityRow, body: ev.MemberLeft, ts_ms: int, changes: Changes) -> None:
        row = self._membership(group, person, ts_ms)
        if group.connector != PLAYED:
            changes.count(group.id, ts_ms, left=1)
        if (row.joined_ms is None or ts_ms >= row.joined_ms) and (row.left_ms is None or ts_ms >= row.left_ms):
            row.left_ms, row.leave_reason = ts_ms, body.reason

    def _updated(
        self, group: GroupRow | None, person: IdentityRow, body: ev.MemberUpdated, ts_ms: int, changes: Changes
    ) -> None:
        new = body.new or ""
        if body.field == "kind" and new:
            if new != person.kind:
                self._set_kind(person, new, changes)
            self._touch(person)
            person.kind_flagged = True
        elif body.field == "role" and group is not None:
            self._membership(group, person, ts_ms).role = new or "member"
        elif body.field == "card" and group is not None:
            self._membership(group, person, ts_ms).nickname = new
        elif body.field == "nickname" and new:
            self._rename(person, new)

    def _group_changed(
        self, group: GroupRow, body: ev.GroupCreated | ev.GroupUpdated | ev.GroupDismissed, event: ev.Event
    ) -> None:
        if isinstance(body, ev.GroupCreated):
            if group.created_ms is None or event.ts_ms < group.created_ms:
                group.created_ms = event.ts_ms
        elif isinstance(body, ev.GroupDismissed):
            group.dismissed_ms = event.ts_ms
        elif body.field == "name" and body.new:
            group.name = body.new
        elif body.field == "notice":
            group.notice = body.new or ""
        elif body.field == "community":
            group.community_id = self._community(body.new) if body.new else None
        elif body.field == "owner" and body.new:
            owner = self._identities.peek((event.source.connector, event.source.account, body.new))
            group.owner_id = owner.id if owner else None

    def _community(self, name: str) -> int:
        if name not in self._communities:
            self._communities = dict(self._db.query("SELECT name, id FROM community"))
        if name not in self._communities:
            self._communities[name] = self._next_id("community")
            self._db.insert("community", ("id", "name"), [(self._communities[name], name)])
        return self._communities[name]


def _key_of(row: GroupRow | IdentityRow) -> Key:
    return row.connector, row.account, row.platform_id


def _named_person(body: ev.AnyBody) -> str | None:
    """Return the platform id of a person that only the body names."""
    if isinstance(body, ev.MemberJoined):
        return body.inviter
    if isinstance(body, ev.GroupUpdated) and body.field == "owner":
        return body.new
    return None


def _reference(body: ev.AnyBody) -> str | None:
    """Return the message id an event refers to."""
    if isinstance(body, ev.MessageCreated):
        return body.reply_to
    if isinstance(body, ev.MessageEdited | ev.MessageDeleted | ev.ReactionAdded | ev.ReactionRemoved):
        return body.message_id
    return None
