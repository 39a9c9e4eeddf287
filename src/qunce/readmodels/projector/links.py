"""Fold links between accounts: linked accounts are one person, and every link can be taken back.

A linked account keeps what it did by itself in a row of its own (`account_total`). Its person is the sum over the accounts that
hang together by links in force, under the smallest of their ids. A link is in force while its ends are on one side: staff,
bots, house personas and system accounts stay apart from members. So the sum depends on what stands at the end of a batch only,
not on the order in which messages, links and flags came. Accounts without a link pay for none of this.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import groupby

from qunce.domain import events as ev
from qunce.readmodels.projector.state import IdentityRow, LinkRow, MemberRow, Rows, TotalRow
from qunce.readmodels.rows import Database, Row

Key = tuple[str, str, str]
_SUMS = ("message_count", "order_count", "paid_minor")
_IN_PERSON = ("member", "unknown")


def side_of(kind: str) -> str:
    """Return the side an account of this kind stands on: links between two sides are not in force."""
    return "person" if kind in _IN_PERSON else kind


def named_other(body: ev.AnyBody) -> Key | None:
    """Return the account a link names beside its subject."""
    if isinstance(body, ev.IdentityLinked):
        return body.other_connector, body.other_account, body.other_platform_id
    return None


class Links:
    """The links, keys and totals a batch touches."""

    def __init__(self, database: Database, identities: Rows[Key, IdentityRow], members: Rows[int, MemberRow]) -> None:
        self._db = database
        self._identities = identities
        self._members = members
        self.totals: Rows[int, TotalRow] = Rows(
            database, TotalRow, lambda row: row.identity_id, lambda keys: database.in_list("identity_id", keys), 20_000
        )
        self._links: Rows[str, LinkRow] = Rows(
            database, LinkRow, lambda row: row.link_id, lambda keys: database.in_list("link_id", keys), 5_000
        )
        self._keys: list[Row] = []
        self._loose: set[int] = set()
        """Accounts whose links or sides changed: who hangs together with them is found again."""
        self._renamed: set[int] = set()

    def forget(self) -> None:
        """Drop everything, after a transaction was rolled back."""
        self.totals.forget()
        self._links.forget()
        self._clear()

    def load(self, linked: Iterable[int], bodies: Iterable[ev.AnyBody]) -> None:
        """Load the totals of linked accounts, and the links these events are about."""
        self.totals.load(linked)
        self._links.load(body.link_id for body in bodies if isinstance(body, ev.IdentityLinked | ev.IdentityUnlinked))

    def fold(self, seq: int, event: ev.Event, subject: IdentityRow | None) -> None:
        """Fold one event about identities. A link that is known already, or of an account with itself, changes nothing."""
        body = event.body
        if subject is None:
            return
        if isinstance(body, ev.IdentityKeyed):
            self._keys.append((seq, subject.id, body.key, body.digest))
        elif isinstance(body, ev.IdentityLinked):
            other = self._identities.peek((body.other_connector, body.other_account, body.other_platform_id))
            if other is not None and other.id != subject.id and self._links.peek(body.link_id) is None:
                self._link(seq, event, body, subject, other)
        elif isinstance(body, ev.IdentityUnlinked):
            row = self._links.get(body.link_id)
            if row is not None and row.undone_ms is None:
                row.undone_ms = event.ts_ms
                self._loose |= {row.a_id, row.b_id}

    def side_changed(self, identity: IdentityRow) -> None:
        """Note that a linked account is of another kind than before."""
        self._loose.add(identity.id)

    def renamed(self, identity: IdentityRow) -> None:
        """Note that a linked account has another name than before."""
        self._renamed.add(identity.id)

    def _link(self, seq: int, event: ev.Event, body: ev.IdentityLinked, subject: IdentityRow, other: IdentityRow) -> None:
        first, second = sorted((subject.id, other.id))
        evidence = " ".join(body.evidence)
        values = (seq, body.link_id, first, second, body.by, body.reason, body.score, evidence, event.ts_ms, None)
        self._links.add(LinkRow(values))
        for identity in (subject, other):
            if not identity.linked:
                self._detach(identity)
        self._loose |= {first, second}

    def _detach(self, identity: IdentityRow) -> None:
        """Let an account count for itself from here on."""
        self._identities.get((identity.connector, identity.account, identity.platform_id))
        identity.linked = True
        own = self._members.peek(identity.id)
        assert own is not None  # noqa: S101  # loaded with the batch
        sums = (own.message_count, own.order_count, own.paid_minor)
        self.totals.add(TotalRow((identity.id, own.first_ms, own.last_ms, own.last_message_ms, *sums)))

    # ── at the end of a batch ────────────────────────────────────────────────────────────────────────────────────────────

    def write(self) -> None:
        """Write what changed, and bring the persons concerned up to date. Call when the accounts are written."""
        touched = self.totals.touched()
        self.totals.write()
        self._links.write()
        self._write_keys()
        if self._loose:
            self._regroup()
        concerned = {*touched, *self._renamed, *self._loose}
        if concerned:
            self._sum(concerned)
        self._clear()

    def _clear(self) -> None:
        self._keys.clear()
        self._loose.clear()
        self._renamed.clear()

    def _write_keys(self) -> None:
        self._db.execute_many(
            "INSERT INTO identity_key (seq, identity_id, key, digest) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", self._keys
        )

    def _regroup(self) -> None:
        """Find who hangs together with the accounts that changed, and give each set its member."""
        edges = self._reached()
        known = {row[0]: row for row in self._accounts(self._loose)}
        sides = {pk: side_of(row[4]) for pk, row in known.items()}
        heads = _heads(known, [(a, b) for a, b in edges if sides[a] == sides[b]])
        standing = {end for edge in edges for end in edge}
        lone = [pk for pk in known if pk not in standing]
        self._members.drop(known)
        self._restore(lone)
        for pk, row in known.items():
            identity = self._identities.peek(row[1:4])
            if identity is not None:
                identity.member_id, identity.linked = heads[pk], pk in standing
        self._db.execute_many(
            "UPDATE identity SET member_id = ?, linked = ? WHERE id = ?", [(heads[pk], pk in standing, pk) for pk in known]
        )
        test, params = self._db.in_list("id", [pk for pk in known if heads[pk] != pk])
        self._db.execute(f"DELETE FROM member WHERE {test}", params)

    def _reached(self) -> set[tuple[int, int]]:
        """Widen the accounts that changed to all that standing links lead to; return those links."""
        edges: set[tuple[int, int]] = set()
        frontier: Collection[int] = self._loose
        while frontier:
            in_a, params_a = self._db.in_list("a_id", sorted(frontier))
            in_b, params_b = self._db.in_list("b_id", sorted(frontier))
            sql = f"SELECT a_id, b_id FROM identity_link WHERE undone_ms IS NULL AND ({in_a} OR {in_b})"
            found = {(a, b) for a, b in self._db.query(sql, [*params_a, *params_b])}
            frontier = {end for edge in found for end in edge} - self._loose
            edges |= found
            self._loose |= frontier
        return edges

    def _accounts(self, ids: Collection[int]) -> list[Row]:
        test, params = self._db.in_list("id", sorted(ids))
        return self._db.query(
            f"SELECT id, connector, account, platform_id, kind FROM identity WHERE {test} ORDER BY id", params
        )

    def _restore(self, ids: list[int]) -> None:
        """Give accounts that have no link any more their own member back."""
        if not ids:
            return
        test, params = self._db.in_list("identity_id", ids)
        mine, more = self._db.in_list("i.id", ids)
        columns = ", ".join(f"t.{name}" for name in TotalRow.columns[1:])
        rows = self._db.query(
            f"SELECT i.id, i.name, i.kind, {columns} FROM identity i JOIN account_total t ON t.identity_id = i.id WHERE {mine}",
            more,
        )
        self._db.upsert("member", MemberRow.columns, ("id",), rows)
        self._db.execute(f"DELETE FROM account_total WHERE {test}", params)
        self.totals.drop(ids)

    def _sum(self, identity_ids: Collection[int]) -> None:
        """Sum the persons of these accounts anew from their accounts."""
        test, params = self._db.in_list("id", sorted(identity_ids))
        columns = ", ".join(f"t.{name}" for name in TotalRow.columns[1:])
        rows = self._db.query(
            f"SELECT i.member_id, i.name, i.platform_id, i.kind, {columns} FROM identity i "
            "JOIN account_total t ON t.identity_id = i.id "
            f"WHERE i.member_id IN (SELECT member_id FROM identity WHERE {test}) ORDER BY i.member_id, i.id",
            params,
        )
        summed = [_summed(member_id, list(accounts)) for member_id, accounts in groupby(rows, key=lambda row: row[0])]
        self._db.upsert("member", MemberRow.columns, ("id",), summed)


def _heads(ids: Iterable[int], edges: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Return for each id the smallest one it hangs together with."""
    head = {pk: pk for pk in ids}

    def find(pk: int) -> int:
        while head[pk] != pk:
            head[pk] = head[head[pk]]
            pk = head[pk]
        return pk

    for a, b in edges:
        first, second = sorted((find(a), find(b)))
        head[second] = first
    return {pk: find(pk) for pk in head}


def _summed(member_id: int, accounts: list[Row]) -> Row:
    """Return a member's row: the first account's name unless nobody told it, and the accounts' counts together."""
    names = [name for _, name, platform_id, *_ in accounts if name != platform_id]
    kinds = {row[3] for row in accounts}
    kind = "member" if "member" in kinds else accounts[0][3]
    firsts, lasts, spoke = ([row[place] for row in accounts if row[place] is not None] for place in (4, 5, 6))
    return (
        member_id, names[0] if names else accounts[0][1], kind, min(firsts, default=None), max(lasts, default=None),
        max(spoke, default=None), *(sum(row[place] for row in accounts) for place in (7, 8, 9)),
    )  # fmt: skip
