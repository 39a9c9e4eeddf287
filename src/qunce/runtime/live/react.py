"""React: read the journal behind one's own cursor, decide, and make the decisions durable with what follows from them.

    a turn:  hear people's words ─▶ read a batch ─▶ decide and fold, in memory
             ─▶ one transaction: cursor (only from where we stood) · words heard · decisions · deliveries · the desk's table

A crash before the transaction leaves nothing behind; after it, everything. Whatever fails in between, the state in memory is
ahead of the database, so it is thrown away and made again from the checkpoint and the tail.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.db import connection, transaction

from qunce.domain.desk import DeskDecision
from qunce.domain.ids import GroupId, IdentityId
from qunce.engine import core
from qunce.engine.happening import Happening
from qunce.journal.store import Journal
from qunce.playbook.errors import InvalidPlaybook
from qunce.readmodels.rows import Database
from qunce.runtime.clock import now_ms
from qunce.runtime.happenings import Resolver
from qunce.runtime.live import appeals, cases, gate, memory, playbooks, practice, watch
from qunce.runtime.live.appeals import Heard
from qunce.runtime.live.desk import alarms, notices, table
from qunce.runtime.live.memory import REACT
from qunce.runtime.live.playbooks import Running, Standing
from qunce.runtime.models import DeskWord, PlaybookVersion, Word

logger = logging.getLogger(__name__)

BATCH: Final = 1_000
"""Events decided on in one transaction."""
TICK_MS: Final = 1_000
"""How often moments that pass are looked at."""
CHECKPOINT_S: Final = 60.0
SHARE: Final = 20
"""A checkpoint that took n seconds is followed by n × SHARE seconds without one."""


class Overtaken(Exception):
    """Another process has reacted meanwhile."""


@dataclass(slots=True)
class _Loaded:
    state: core.State
    seq: int
    aligned: bool = False
    """Whether the desk's table is known to say what the state says."""


@dataclass(slots=True)
class _Said:
    """What people said since the last turn."""

    words: list[Word]
    settled: list[DeskWord]

    def __bool__(self) -> bool:
        return bool(self.words or self.settled)


class Reactor:
    """The loop, for one thread and one database connection; `turn` is one round."""

    def __init__(
        self, checkpoint: Path, clock: Callable[[], int] = now_ms, steady: Callable[[], float] = time.monotonic,
        holds: Callable[[], bool] = lambda: True,
    ) -> None:  # fmt: skip
        """`holds` tells, inside the transaction, whether it is still this process that reacts."""
        self._path = checkpoint
        self._holds = holds
        self._clock = clock
        self._steady = steady
        self._journal = Journal(connection)
        self._database = Database(connection)
        self._resolver = Resolver(self._database)
        self._loaded: _Loaded | None = None
        self._standing: Standing | None = None
        self._rules: Running | None = None
        self._noted: int | None = None
        """The version of which it is known from where on it decided."""
        self._ticked_ms = 0
        self.has_decided = False
        """Whether the last turn decided something, so that something may be due."""
        self._saved_seq = 0
        self._next_save_s = 0.0

    @property
    def seq(self) -> int:
        """How far the journal has been reacted to; -1 = the state is not in memory."""
        return self._loaded.seq if self._loaded is not None else -1

    @property
    def state(self) -> core.State:
        """The engine's state; loaded when it is not in memory."""
        return self._memory().state

    @property
    def wants_checkpoint(self) -> bool:
        """Whether a checkpoint is due."""
        return self._loaded is not None and self.seq != self._saved_seq and self._steady() >= self._next_save_s

    def load(self) -> None:
        """Bring the state into memory. May take minutes when there is no checkpoint; `turn` does it when nobody has."""
        self._memory()

    def turn(self) -> int:
        """Do one round and return how many events it took; 0 = the end of the journal was reached."""
        try:
            return self._turn()
        except BaseException:
            self._loaded = None
            raise

    def checkpoint(self) -> None:
        """Write the state down, so that the next start is quick."""
        if self._loaded is None:
            return
        started = self._steady()
        memory.save(self._journal, self._path, self._loaded.state, self._loaded.seq)
        self._saved_seq = self._loaded.seq
        took = self._steady() - started
        self._next_save_s = self._steady() + max(CHECKPOINT_S, took * SHARE)

    def _turn(self) -> int:
        loaded = self._memory()
        self.has_decided = False
        news = watch.look(self._database)
        self._refresh_rules(news.standing)
        said = _Said(
            list(Word.objects.filter(after_seq=None).order_by("id")) if news.words else [],
            list(DeskWord.objects.filter(after_seq=None).order_by("id")) if news.desk_words else [],
        )
        batch = self._journal.read(loaded.seq, BATCH)
        moment = self._clock()
        ticking = abs(moment - self._ticked_ms) >= TICK_MS
        if not said and not batch and not ticking:
            return 0
        for word in said.words:
            core.fold(loaded.state, memory.spoken(word))
        decided = [(loaded.seq, decision) for word in said.settled for decision in self._settle(loaded.state, word, moment)]
        appealed: list[Heard] = []
        for happening in self._resolver.happenings(batch):
            if self._rules is not None and (appeal := appeals.heard(happening, self._rules.published_ms)) is not None:
                appealed.append(appeal)
            decided += [(happening.seq, decision) for decision in self._decide(loaded.state, happening, moment)]
        last = batch[-1].seq if batch else loaded.seq
        if ticking and len(batch) < BATCH:
            self._ticked_ms = moment
            if self._rules is not None:
                decided += [(last, decision) for decision in core.tick(loaded.state, self._rules.program, moment)]
        if said or batch or decided or not loaded.aligned:
            self._store(loaded, last, said, decided, appealed, moment)
        loaded.seq = last
        self.has_decided = bool(decided or said)
        return len(batch)

    def _settle(self, state: core.State, word: DeskWord, moment: int) -> tuple[core.AnyDecision, ...]:
        if self._rules is None:
            return ()
        group_id, person = GroupId(word.group_id), IdentityId(word.identity_id)
        return core.settle(state, group_id, person, word.thread_seq, self._rules.program, moment)

    def _decide(self, state: core.State, happening: Happening, moment: int) -> tuple[core.AnyDecision, ...]:
        decisions: tuple[core.AnyDecision, ...] = ()
        if self._rules is not None:
            try:
                found = core.decide(state, happening, self._rules.program, moment)
            except Exception:  # a border: one event that no rule can take must not stop all groups
                logger.exception("event cannot be decided on", extra={"action": "react.undecided", "seq": happening.seq})
                found = ()
            decisions = gate.passed(found, happening.event, self._rules.published_ms)
        core.fold(state, happening)
        for decision in decisions:
            core.fold(state, decision)
        return decisions

    def _store(
        self, loaded: _Loaded, last: int, said: _Said, decided: list[tuple[int, core.AnyDecision]],
        appealed: list[Heard], moment: int,
    ) -> None:  # fmt: skip
        before = loaded.seq
        with transaction.atomic():
            if not self._holds() or not self._journal.advance_cursor(REACT, before, last):
                raise Overtaken
            if said.words:
                Word.objects.filter(pk__in=[word.pk for word in said.words]).update(after_seq=before)
            if said.settled:
                DeskWord.objects.filter(pk__in=[word.pk for word in said.settled]).update(after_seq=before)
            if self._rules is not None and self._noted != self._rules.standing[0]:
                PlaybookVersion.objects.filter(pk=self._rules.standing[0], from_seq=None).update(from_seq=before)
            cases.store(self._database, self._journal, decided, moment)
            # What is played in a practice room calls nobody.
            played = practice.rooms_among({decision.group_id for _, decision in decided})
            real = [decision for _, decision in decided if decision.group_id not in played]
            of_desk = [decision for decision in real if isinstance(decision, DeskDecision)]
            table.fold(self._database, of_desk)
            alarms.follow(real, moment)
            if self._rules is not None:
                notices.follow(of_desk, self._rules.program.playbook, moment)
            if not loaded.aligned:
                table.align(self._database, loaded.state, self._rules.program.version if self._rules else "", moment)
                loaded.aligned = True
            appeals.store(appealed, moment)
        self._noted = self._rules.standing[0] if self._rules is not None else None

    def _memory(self) -> _Loaded:
        if self._loaded is None:
            self._journal.advance_cursor(REACT, 0, 0)
            state, seq = memory.load(self._journal, self._resolver, self._path)
            self._loaded = _Loaded(state, seq)
        return self._loaded

    def _refresh_rules(self, standing: Standing) -> None:
        if standing == self._standing:
            return
        try:
            self._rules = playbooks.running(standing)
            playbooks.note_invalid("")
        except InvalidPlaybook as error:
            # Written for another version of 群策: nothing is decided, and the console says so, until somebody publishes anew.
            self._rules = None
            playbooks.note_invalid(str(error.problems[0]))
            logger.exception("playbook in force cannot be used", extra={"action": "react.playbook", "version": standing[0]})
        self._standing = standing
