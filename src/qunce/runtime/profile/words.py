"""Find the messages of members that hold words of rules."""

from __future__ import annotations

from bisect import insort
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.db import connection, transaction

from qunce.domain.text import fold
from qunce.playbook.schema.profile import TagRule
from qunce.readmodels.rows import Database
from qunce.runtime.profile.making import Account

Key = tuple[int, int]
"""Member and group of a membership, or 0."""
MOST_EVIDENCE: Final = 5
READ: Final = 5_000
"""Messages read at a time."""
_NOT_MEMBERS: Final = "('staff', 'bot', 'house_persona', 'system')"


@dataclass(slots=True)
class Spoken:
    """Messages of one subject that hold a word."""

    times: int = 0
    newest: list[tuple[int, int]] = field(default_factory=list)
    """Moment and position of the newest ones, in order."""

    @property
    def seqs(self) -> list[int]:
        """Positions of the newest ones, in order: the evidence."""
        return [seq for _ts_ms, seq in self.newest[-MOST_EVIDENCE:]]

    def add(self, ts_ms: int, seq: int, most: int) -> None:
        """Count a message; the `most` newest are held."""
        self.times += 1
        insort(self.newest, (ts_ms, seq))
        del self.newest[:-most]


def spoken(
    rules: Sequence[tuple[TagRule, bool]], now_ms: int, members: Collection[int] | None = None
) -> Mapping[str, Mapping[Key, Spoken]]:
    """Return who said words of which rule within its time; each rule comes with whether it is about memberships.

    Reads the messages of the longest time once, a few thousand at a time; what is held are the subjects that said a word.
    `members`: only their messages are read; None = everybody's.
    """
    wanted = [
        (rule, per_group, now_ms - rule.within_s * 1000, tuple(fold(word) for word in rule.said))
        for rule, per_group in rules
        if rule.said
    ]
    found: dict[str, dict[Key, Spoken]] = {rule.rule_id: {} for rule, *_ in wanted}
    if not wanted or (members is not None and not members):
        return found
    database = Database(connection)
    some, ids = ("1 = 1", []) if members is None else database.in_list("a.member_id", sorted(members))
    sql = (
        "SELECT m.seq, a.member_id, m.group_id, m.ts_ms, m.text FROM message m JOIN identity a ON a.id = m.identity_id "
        "JOIN member p ON p.id = a.member_id "
        f"WHERE m.ts_ms >= ? AND m.ts_ms <= ? AND m.deleted_ms IS NULL AND a.kind NOT IN {_NOT_MEMBERS} "
        f"AND p.kind NOT IN {_NOT_MEMBERS} AND {some} ORDER BY m.seq"
    )
    first = min(start for _rule, _per_group, start, _words in wanted)
    with transaction.atomic():
        for seq, member, group, ts_ms, text in database.stream(sql, (first, now_ms, *ids), READ):
            folded = fold(text)
            for rule, per_group, start, words in wanted:
                if ts_ms >= start and any(word in folded for word in words):
                    said = found[rule.rule_id].setdefault((member, group if per_group else 0), Spoken())
                    said.add(ts_ms, seq, max(MOST_EVIDENCE, rule.times))
    return found


def accounts_of_members(member_ids: Iterable[int]) -> Mapping[int, Account]:
    """Return the first account of each member."""
    from qunce.readmodels.models import Identity

    rows = Identity.objects.filter(member_id__in=list(member_ids)).order_by("-pk")
    columns = rows.values_list("member_id", "pk", "connector", "account", "platform_id")
    return {member: Account(id=pk, connector=c, account=a, platform_id=p) for member, pk, c, a, p in columns}
