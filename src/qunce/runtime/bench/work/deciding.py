"""Decide on messages, one after the other, as live and replay do."""

from __future__ import annotations

from time import perf_counter_ns, thread_time_ns
from typing import Any, Final

from qunce.domain.events import Event, MessageCreated
from qunce.domain.ids import GroupId, IdentityId
from qunce.engine import core
from qunce.engine.happening import Happening
from qunce.playbook.load import parse
from qunce.runtime.bench.work.chatter import TERMS, chatter, made_up_terms, playbook
from qunce.runtime.bench.work.stopwatch import Stopwatch
from qunce.runtime.garbage import fewer_collections

LAP: Final = 5_000
"""Events that are timed as one stretch."""


def measure(kind: str, events: int) -> dict[str, Any]:
    """Decide and fold: stretches for the rate, then as many events again, each timed by itself.

    What the engine is told of an event (its position, its group and person as numbers) is made inside the timed part.
    """
    program = core.compile_rules(parse(playbook(kind)))
    happened = list(chatter(events * 2, mixed=kind == "light"))
    state, watch, decisions = core.State(), Stopwatch(), 0
    with fewer_collections():
        for start in range(0, events, LAP):
            batch = happened[start : min(start + LAP, events)]
            with watch.lap():
                for seq, event in enumerate(batch, start + 1):
                    decisions += len(_step(state, seq, event, program))
        each = [_timed(state, seq, event, program) for seq, event in enumerate(happened[events:], events + 1)]
    texts = [event.body.text for event in happened if isinstance(event.body, MessageCreated)]
    return {
        **watch.figures(), "counts": [min(LAP, events - start) for start in range(0, events, LAP)],
        "mean_chars": sum(map(len, texts)) / len(texts), "decisions": decisions,
        "wall_ns": [wall for wall, _ in each], "cpu_ns": [cpu for _, cpu in each],
    }  # fmt: skip


def _step(state: core.State, seq: int, event: Event, program: core.Program) -> tuple[core.AnyDecision, ...]:
    group, person = event.conv, event.actor
    happening = Happening(
        seq, event, group=GroupId(int(group.platform_id[1:])) if group else None,
        actor=IdentityId(int(person.platform_id[1:])) if person else None,
    )  # fmt: skip
    return core.step(state, happening, program, event.ts_ms)


def _timed(state: core.State, seq: int, event: Event, program: core.Program) -> tuple[int, int]:
    cpu, wall = thread_time_ns(), perf_counter_ns()
    _step(state, seq, event, program)
    return perf_counter_ns() - wall, thread_time_ns() - cpu


def keyword_loop(events: int) -> dict[str, Any]:
    """Look for the same terms in the same messages the obvious way: each term in each text."""
    terms = made_up_terms(TERMS)
    texts = [event.body.text for event in chatter(events) if isinstance(event.body, MessageCreated)]
    watch, found = Stopwatch(), 0
    with watch.lap():
        for text in texts:
            found += any(term in text for term in terms)
    return {**watch.figures(), "found": found}
