"""Find the messages of members that hold words of rules."""

from __future__ import annotations

from bisect import insort
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.db import connection, transaction

from qunce.domain.text import fold
from qunce.engine.text.views import Views
from qunce.playbook.schema.profile import TagRule
from qunce.readmodels.rows import Database
from qunce.runtime.profile.making import Account
from qunce.runtime.profile.models import Judge, judge_of

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
    newest: list[tuple[int, int, float]] = field(default_factory=list)
    """Moment and position of the newest ones, in order, each with how sure the model is; 1 where words are looked for."""

    @property
    def seqs(self) -> list[int]:
        """Positions of the newest ones, in order: the evidence."""
        return [seq for _ts_ms, seq, _sure in self.newest[-MOST_EVIDENCE:]]

    @property
    def sures(self) -> list[float]:
        """How sure the model is of each of `seqs`."""
        return [sure for _ts_ms, _seq, sure in self.newest[-MOST_EVIDENCE:]]

    def add(self, ts_ms: int, seq: int, most: int, sure: float = 1.0) -> None:
        """Count a message; the `most` newest are held."""
        self.times += 1
        insort(self.newest, (ts_ms, seq, sure))
        del self.newest[:-most]


class Heard:
    """A message, as far as something of it was asked for."""

    __slots__ = ("_folded", "_text", "_views")

    def __init__(self, text: str) -> None:
        self._text = text
        self._folded: str | None = None
        self._views: Views | None = None

    @property
    def folded(self) -> str:
        """The text in one spelling."""
        if self._folded is None:
            self._folded = fold(self._text)
        return self._folded

    @property
    def views(self) -> Views:
        """The text as models look at it."""
        if self._views is None:
            self._views = Views(self._text)
        return self._views


@dataclass(frozen=True, slots=True)
class Ear:
    """What a rule listens for: words, or what its model finds."""

    words: tuple[str, ...]
    judge: Judge | None

    @classmethod
    def of(cls, rule: TagRule) -> Ear:
        """Return what a rule listens for, with its model as it is now."""
        return cls(tuple(fold(word) for word in rule.said), judge_of(rule))

    def sure(self, heard: Heard) -> float:
        """Return how sure it is that a message is what the rule listens for; 0 = not sure enough, 1 for words."""
        if any(word in heard.folded for word in self.words):
            return 1.0
        if self.judge is None:
            return 0.0
        found = self.judge.probability(heard.views)
        return round(found, 4) if found >= self.judge.at_least else 0.0


def spoken(
    rules: Sequence[tuple[TagRule, bool]], now_ms: int, members: Collection[int] | None = None
) -> Mapping[str, Mapping[Key, Spoken]]:
    """Return who said words of which rule, or what its model finds, within its time; each rule comes with whether it is about
    memberships.

    Reads the messages of the longest time once, a few thousand at a time; what is held are the subjects that said a word.
    `members`: only their messages are read; None = everybody's.
    """
    wanted = [
        (rule, per_group, now_ms - rule.within_s * 1000, Ear.of(rule)) for rule, per_group in rules if rule.listens
    ]  # fmt: skip
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
            heard = Heard(text)
            for rule, per_group, start, ear in wanted:
                sure = ear.sure(heard) if ts_ms >= start else 0.0
                if sure:
                    said = found[rule.rule_id].setdefault((member, group if per_group else 0), Spoken())
                    said.add(ts_ms, seq, max(MOST_EVIDENCE, rule.times), sure)
    return found


def accounts_of_members(member_ids: Iterable[int]) -> Mapping[int, Account]:
    """Return the first account of each member."""
    from qunce.readmodels.models import Identity

    rows = Identity.objects.filter(member_id__in=list(member_ids)).order_by("-pk")
    columns = rows.values_list("member_id", "pk", "connector", "account", "platform_id")
    return {member: Account(id=pk, connector=c, account=a, platform_id=p) for member, pk, c, a, p in columns}
