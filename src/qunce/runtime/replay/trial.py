"""Try one part over the newest stored messages of some groups, before it is saved: a few seconds, and nobody is touched.

The engine is the one of live work and replay, and it begins with the past that `warm` gives it. Only sanctions of earlier
offences are not known to it; a replay knows them.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from typing import Final

import msgspec
from django.db import connection

from qunce.domain.events import MessageCreated
from qunce.engine import core
from qunce.engine.happening import Happening
from qunce.journal.store import Journal
from qunce.playbook.forms.saying import bind_part, bound
from qunce.playbook.schema import AnswerRule, Lexicon, Playbook, Rule
from qunce.playbook.schema.checks import Terms
from qunce.readmodels.models import Happening as HappeningRow
from qunce.readmodels.models import Message
from qunce.readmodels.rows import Database
from qunce.runtime.happenings import Resolver
from qunce.runtime.live import marks
from qunce.runtime.replay.report import RuleRow, rule_rows
from qunce.runtime.replay.service import names_of
from qunce.runtime.replay.tally import Tally
from qunce.runtime.replay.warm import MESSAGES_BEFORE, warmed

SECTIONS: Final = frozenset({"rules", "answers", "lexicons"})
"""Sections whose parts can be tried."""
MOST_MESSAGES: Final = 10_000
MOST_HAPPENINGS: Final = 10_000
"""So many joins, leaves, mutes and flags are read, the newest first."""
BUDGET_S: Final = 5.0
_STRIDE: Final = 100


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What a part found."""

    messages: int
    """Looked at."""
    wanted: int
    """There were to look at; more than `messages` when the time was over."""
    groups: int
    since_ms: int | None
    """Moment of the oldest message; None = there was none."""
    until_ms: int | None
    found: int
    """Messages or happenings it decided about."""
    people: int
    rows: tuple[RuleRow, ...]
    first_offences: bool
    """Whether a ladder follows, on which each offence is taken for the first here."""


def try_part(
    files: Mapping[str, str], section: str, values: object, *, group_ids: Collection[int] | None, newest: int,
    budget_s: float = BUDGET_S,
) -> Trial | None:  # fmt: skip
    """Return what a part finds among the `newest` messages of groups (None = all groups); None = it has mistakes.

    Other parts are taken from `files` as far as they hold on their own. Stops after `budget_s` seconds of deciding.
    """
    book = _alone(bound(files), bind_part(section, values))
    if book is None:
        return None
    before, happenings = _newest(group_ids, min(max(newest, 1), MOST_MESSAGES))
    wanted = sum(_is_message(one) for one in happenings)
    tally, looked, last = Tally(), 0, None
    program = core.Program(book, "trial", marks.learnt())
    state = warmed(before, happenings, playing={one.group for one in happenings if one.group is not None})
    give_up = time.monotonic() + budget_s
    for at, happening in enumerate(happenings):
        if at % _STRIDE == 0 and time.monotonic() > give_up:
            break
        for decision in core.step(state, happening, program, happening.event.ts_ms):
            tally.add(decision)
        looked += _is_message(happening)
        last = happening
    if last is not None:
        for waited in core.tick(state, program, last.event.ts_ms):
            tally.add(waited)
    return _report(book, tally, happenings, looked, wanted)


def _alone(book: Playbook, record: msgspec.Struct | None) -> Playbook | None:
    """Return a playbook in which only this part decides; of a lexicon, a rule that looks for its words."""
    bare = msgspec.structs.replace(book, rules=(), answers=(), blocklist=(), segments=(), tiers=())
    match record:
        case Rule():
            return msgspec.structs.replace(bare, rules=(msgspec.structs.replace(record, enabled=True),))
        case AnswerRule():
            return msgspec.structs.replace(bare, answers=(msgspec.structs.replace(record, enabled=True),))
        case Lexicon():
            rule = Rule(
                rule_id="trial", title=record.title, category="trial", reason="-", when=(Terms(lexicons=(record.lexicon_id,)),)
            )
            return msgspec.structs.replace(bare, lexicons=(record,), rules=(rule,))
    return None


def _newest(group_ids: Collection[int] | None, newest: int) -> tuple[list[Happening], list[Happening]]:
    """Return what happened before the newest messages of groups, as far as it is folded, and these with what happened between.

    Both are in order. Five queries at most.
    """
    messages, rows = Message.objects.order_by("-seq"), HappeningRow.objects.order_by("-seq")
    if group_ids is not None:
        messages, rows = messages.filter(group_id__in=group_ids), rows.filter(group_id__in=group_ids)
    said = list(messages.values_list("seq", flat=True)[: newest + MESSAGES_BEFORE])
    first = said[:newest][-1] if said else 0
    stored = Journal(connection).at([*said, *rows.values_list("seq", flat=True)[:MOST_HAPPENINGS]])
    found = Resolver(Database(connection)).happenings([stored[seq] for seq in sorted(stored)])
    return [one for one in found if one.seq < first], [one for one in found if one.seq >= first]


def _report(book: Playbook, tally: Tally, happenings: list[Happening], looked: int, wanted: int) -> Trial:
    moments = [one.event.ts_ms for one in happenings if _is_message(one)]
    groups = {int(one.group) for one in happenings if one.group is not None and _is_message(one)}
    titles = {rule.rule_id: rule.title for rule in book.rules} | {rule.rule_id: rule.title for rule in book.answers}
    return Trial(
        messages=looked, wanted=wanted, groups=len(groups), since_ms=min(moments, default=None),
        until_ms=max(moments, default=None), found=sum(count.decisions for count in tally.counts.values()),
        people=len(set().union(*(count.people for count in tally.counts.values()))),
        rows=rule_rows(tally.counts, titles, names_of((tally,), (), groups)),
        first_offences=any(rule.ladder is not None for rule in book.rules),
    )  # fmt: skip


def _is_message(happening: Happening) -> bool:
    return isinstance(happening.event.body, MessageCreated)
