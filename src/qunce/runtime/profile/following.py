"""Keep the tags that rules put close behind the events: look again at whom something touched, and whose time has come.

    a turn:  read events ─▶ mark whom they could move ─┐
             whose time has come ──────────────────────┴─▶ conditions, words ─▶ one transaction: tags, times, cursor

What is not known to be somebody's own (accounts that were merged, a colleague who became one) leads to a run over everybody,
and so does the night: correctness never depends on following. What rules themselves change is looked at again only
`LATER_MS` later, so two rules that undo each other change somebody twice in ten minutes and not twice in a second.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Final

from django.db import connection, transaction

from qunce.analytics.segments.plan import Plan
from qunce.analytics.subjects import Reader, asked_of
from qunce.domain.events import TagChanged, TagPut, TagTaken
from qunce.engine.segments.moment import Moment
from qunce.engine.segments.wheel import judge
from qunce.journal.store import Journal, Stored
from qunce.playbook.profile import rule_key
from qunce.playbook.schema.segments import Subject
from qunce.playbook.segments.tree import Rule
from qunce.readmodels.rows import Database
from qunce.runtime import organisation
from qunce.runtime.clock import now_ms
from qunce.runtime.happenings import Resolver
from qunce.runtime.ingest import Ingest
from qunce.runtime.models import ChangeBatch, Job, JobState
from qunce.runtime.profile import runs, times
from qunce.runtime.profile.changing import new_batch_id
from qunce.runtime.profile.hearing import heard, is_of_rules
from qunce.runtime.profile.rules import Seat, act, acting, add_due, tag_key, trees_of, version_of, wanted_of
from qunce.runtime.profile.vocabulary import Vocabulary, in_force
from qunce.runtime.profile.weighing import Facts, Wanted, compare
from qunce.runtime.profile.words import Key, spoken
from qunce.runtime.segments import lease, mirrors
from qunce.runtime.segments.dirty import TAG, Dirty, Marker, mentions
from qunce.runtime.segments.moves import Overtaken
from qunce.runtime.segments.turning import AGAIN_MS, BATCH, keep_turning

logger = logging.getLogger(__name__)

LOOK_S: Final = 5.0
FAR_BEHIND: Final = 20_000
"""Events after which a run over everybody is cheaper than following."""
LATER_MS: Final = 300_000
REST_MS: Final = 60_000
SHARE: Final = 10
"""A run that took n is followed by n × SHARE, and `REST_MS` at least, without another one."""
ONE_BATCH_MS: Final = 3_600_000
"""What is put within so long is one change on the list of changes, and undone as one."""
_OWN: Final = "follow"
_OF_TAGS: Final = (TagPut, TagTaken, TagChanged)


@dataclass(slots=True)
class _Looked:
    """Whom to look at. Seats are of tags: a group is (0, group)."""

    whole: set[Seat] = field(default_factory=set)
    """By all rules."""
    partly: set[Seat] = field(default_factory=set)
    """By rules with conditions only: their words did not change."""
    later: dict[Seat, int] = field(default_factory=dict)
    wide: bool = False

    def keys(self, of: Subject) -> set[Key]:
        return {key for kind, key in (*self.whole, *self.partly) if kind == of}


class Follower:
    """The loop, for one thread and one database connection; `turn` is one round."""

    def __init__(self, clock: Callable[[], int] = now_ms) -> None:
        self._clock = clock
        self._journal, self._database = Journal(connection), Database(connection)
        self._marker, self._resolver = Marker(self._database), Resolver(self._database)
        self._days = mirrors.clock()
        self._reader = Reader(connection, mirrors.engine(), organisation.zone(), organisation.currency())
        self._ingest = Ingest(clock)

    def turn(self) -> int:
        """Do one round; return how many events and people were looked at, 0 = nothing was to do, or not by following.

        Raises InvalidPlaybook when the playbook in force cannot be read by this version.
        """
        words, now = in_force(), self._clock()
        if not acting(words):
            return 0
        state, before, head = times.state(), self._journal.cursor_position(times.CURSOR), self._journal.head()
        if state is None or state.version != version_of(words) or head - before > FAR_BEHIND:
            # Models change with every mark: these runs have to rest in between.
            self._ask_for_run(now, at_once=state is None or state.version.partition("+")[0] != words.version)
            return 0
        due = times.due(now, BATCH)
        if before == head and not due:
            return 0
        with lease.kept(name=times.LEASE) as holds:
            return 0 if holds is None else self._follow(words, state, before, due, now, holds)

    def _ask_for_run(self, now: int, *, at_once: bool) -> None:
        newest = Job.objects.filter(kind=runs.JOB_KIND).order_by("-pk").first()
        if newest is not None and newest.finished_ms is not None:
            took = newest.finished_ms - (newest.started_ms or newest.finished_ms)
            rest = AGAIN_MS if newest.state == JobState.FAILED else max(REST_MS, SHARE * took)
            if now < newest.finished_ms + rest and not (at_once and newest.state != JobState.FAILED):
                return
        runs.start()

    def _follow(
        self, words: Vocabulary, state: times.State, before: int, due: Sequence[Seat], now: int, holds: Callable[[], bool]
    ) -> int:  # fmt: skip
        wanted = wanted_of(words, acting(words))
        trees, names = trees_of(words, wanted)
        batch = self._journal.read(before, BATCH)
        looked, water = self._looked(batch, wanted, trees, names, state, now)
        if looked.wide:
            self._ask_for_run(now, at_once=False)
            return 0
        looked.whole.update(due)
        looked.partly -= looked.whole
        held, found = self._judged(trees, names, looked, now)
        facts = self._facts(wanted, looked, held, now)
        outcomes = compare(words, wanted, facts, now)
        add_due(found, wanted, outcomes, now)
        for seat, until in looked.later.items():
            found[seat] = min(until, found.get(seat, until))
        last = batch[-1].seq if batch else before
        with transaction.atomic():
            if not holds() or not self._journal.advance_cursor(times.CURSOR, before, last):
                raise Overtaken
            done = act(words, outcomes, now, self._batch_id(now), ingest=self._ingest)
            times.store(self._database, looked.whole, looked.partly | (looked.later.keys() - looked.whole), found)
            times.note(state.version, water)
        if done["batch"]:
            puts, takes = sum(done["puts"].values()), sum(done["takes"].values())
            logger.info("tags followed", extra={"action": "tags.followed", "puts": puts, "takes": takes})
        return len(batch) + len(due)

    def _looked(
        self, batch: Sequence[Stored], wanted: Wanted, trees: Mapping[str, Rule], names: Sequence[str], state: times.State,
        now: int,
    ) -> tuple[_Looked, dict[str, int]]:  # fmt: skip
        """Return whom a batch touches, and how far new members, memberships and groups go."""
        looked = _Looked()
        kinds = {group.target for group, _tag, _rule in wanted}
        asked = {of: frozenset[str]() for of in kinds} | mentions(trees, names)
        tagged = [stored for stored in batch if isinstance(stored.event.body, _OF_TAGS)]
        dirty = self._marker.mark([stored for stored in batch if not isinstance(stored.event.body, _OF_TAGS)], asked)
        looked.wide = dirty.wide
        water = self._marker.new_since(state.water, asked, dirty)
        looked.partly = _seats(dirty)
        any_tag = dict.fromkeys(kinds, frozenset({TAG}))
        looked.whole = _seats(self._marker.mark([stored for stored in tagged if not is_of_rules(stored)], any_tag))
        by_rules = _seats(self._marker.mark([stored for stored in tagged if is_of_rules(stored)], any_tag))
        looked.later = dict.fromkeys(by_rules, now + LATER_MS)
        rules = [(rule, group.target == "membership") for group, _tag, rule in wanted]
        for seat, ts_ms in heard(self._database, self._journal, self._resolver.happenings(batch), rules).items():
            looked.whole.add(seat)
            if ts_ms > now:
                looked.later[seat] = min(ts_ms, looked.later.get(seat, ts_ms))
        return looked, water

    def _judged(
        self, trees: Mapping[str, Rule], names: Sequence[str], looked: _Looked, now: int
    ) -> tuple[dict[str, Set[Key]], dict[Seat, int]]:
        """Return whom the conditions of each rule hold for, and until when the answers hold at least."""
        moment = Moment(now, self._days)
        held: dict[str, set[Key]] = {name: set() for name in names}
        found: dict[Seat, int] = {}
        keys_by_kind = {of: looked.keys(of) for of in {trees[name].of for name in names}}
        asking = {
            of: asked_of(of, [_segment_key(of, key) for key in keys], self._first_day(trees, names, of, moment))
            for of, keys in keys_by_kind.items()
            if keys
        }
        known = self._reader.read(asking) if asking else {}
        for of in asking:
            for key in keys_by_kind[of]:
                subject = known[of].subjects.get(_segment_key(of, key))
                if subject is None:
                    continue
                history = known[of].history(_segment_key(of, key))
                for name in names:
                    if trees[name].of != of:
                        continue
                    one = judge(trees[name], subject, history, moment, trees)
                    if one.holds:
                        held[name].add(key)
                    if one.until_ms is not None:
                        found[of, key] = min(one.until_ms, found.get((of, key), one.until_ms))
        return {name.removeprefix(rule_key("")): keys for name, keys in held.items()}, found

    @staticmethod
    def _first_day(trees: Mapping[str, Rule], names: Sequence[str], of: Subject, moment: Moment) -> int | None:
        return Plan(trees, [name for name in names if trees[name].of == of], moment, "").first_day()

    @staticmethod
    def _facts(wanted: Wanted, looked: _Looked, held: Mapping[str, Set[Key]], now: int) -> Facts:
        asked: dict[str, Set[Key]] = {}
        members: set[int] = set()
        for group, _tag, rule in wanted:
            whole = {key for of, key in looked.whole if of == group.target}
            asked[rule.rule_id] = looked.keys(group.target) if rule.where else whole
            if rule.listens:
                members |= {key[0] for key in (held[rule.rule_id] if rule.where else whole)}
        said = spoken([(rule, group.target == "membership") for group, _tag, rule in wanted], now, members)
        return Facts(held=held, said=said, looked=asked)

    def _batch_id(self, now: int) -> str:
        """Return the change that what is put now belongs to."""
        rows = ChangeBatch.objects.filter(batch_id__startswith=_OWN, kind="rules", undone_ms=None)
        newest = rows.filter(made_ms__gt=now - ONE_BATCH_MS, made_ms__lte=now).order_by("-made_ms").first()
        return newest.batch_id if newest is not None else f"{_OWN}{new_batch_id()}"


def _segment_key(of: Subject, key: Key) -> Key:
    return (key[1], 0) if of == "group" else key


def _seats(dirty: Dirty) -> set[Seat]:
    return {(of, tag_key(of, key)) for of, keys in dirty.keys.items() for key in keys}


async def follow() -> None:
    """Follow until cancelled. Runs beside the server, its work in a thread."""
    await keep_turning(Follower, what="tags", look_s=LOOK_S)
