"""Try one part over the newest stored messages of some groups, before it is saved: a few seconds, and nobody is touched.

The engine is the one of live work and replay, but it begins without a memory: who joined before the joins that are read, what
was said and decided earlier is not known to it. A replay knows.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from typing import Final

import msgspec
from django.db import connection

from qunce.domain.events import MessageCreated
from qunce.engine import core
from qunce.engine.happening import Happening
from qunce.journal.store import Journal
from qunce.playbook.forms.saying import bind_part, bound
from qunce.playbook.schema import AnswerRule, Lexicon, Playbook, Rule
from qunce.playbook.schema.checks import Newcomer, Terms
from qunce.readmodels.models import Happening as HappeningRow
from qunce.readmodels.models import Message
from qunce.readmodels.rows import Database
from qunce.runtime.happenings import Resolver
from qunce.runtime.live import marks
from qunce.runtime.replay.report import RuleRow, rule_rows
from qunce.runtime.replay.service import names_of
from qunce.runtime.replay.tally import Tally

SECTIONS: Final = frozenset({"rules", "answers", "lexicons"})
"""Sections whose parts can be tried."""
MOST_MESSAGES: Final = 10_000
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
    forgetful: bool
    """Whether it asks for what was before the messages, so that it finds too many or too few here."""


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
    happenings = _newest(group_ids, min(max(newest, 1), MOST_MESSAGES))
    wanted = sum(_is_message(one) for one in happenings)
    tally, looked, last = Tally(), 0, None
    state, program = core.State(), core.Program(book, "trial", marks.learnt())
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


def _newest(group_ids: Collection[int] | None, newest: int) -> list[Happening]:
    """Return the newest messages and the newest joins and leaves of groups, in order. Four queries at most."""
    messages, rows = Message.objects.order_by("-seq"), HappeningRow.objects.order_by("-seq")
    if group_ids is not None:
        messages, rows = messages.filter(group_id__in=group_ids), rows.filter(group_id__in=group_ids)
    seqs = [*messages.values_list("seq", flat=True)[:newest], *rows.values_list("seq", flat=True)[:newest]]
    stored = Journal(connection).at(seqs)
    return Resolver(Database(connection)).happenings([stored[seq] for seq in sorted(stored)])


def _report(book: Playbook, tally: Tally, happenings: list[Happening], looked: int, wanted: int) -> Trial:
    moments = [one.event.ts_ms for one in happenings if _is_message(one)]
    groups = {int(one.group) for one in happenings if one.group is not None and _is_message(one)}
    titles = {rule.rule_id: rule.title for rule in book.rules} | {rule.rule_id: rule.title for rule in book.answers}
    return Trial(
        messages=looked, wanted=wanted, groups=len(groups), since_ms=min(moments, default=None),
        until_ms=max(moments, default=None), found=sum(count.decisions for count in tally.counts.values()),
        people=len(set().union(*(count.people for count in tally.counts.values()))),
        rows=rule_rows(tally.counts, titles, names_of((tally,), (), groups)), forgetful=_forgetful(book.rules),
    )  # fmt: skip


def _forgetful(rules: Iterable[Rule]) -> bool:
    return any(isinstance(check, Newcomer) for rule in rules for check in rule.when)


def _is_message(happening: Happening) -> bool:
    return isinstance(happening.event.body, MessageCreated)
