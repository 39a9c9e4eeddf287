"""Say on what the rules may act while messages arrive: on news, of others.

History is decided on all the same, but only to be looked at: what was imported, and what happened before the playbook was
published. What we did ourselves is remembered by the engine and never judged, so that no rule answers itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from qunce.domain.decisions import Decision
from qunce.domain.events import Event
from qunce.engine.core import AnyDecision


def is_history(event: Event, published_ms: int) -> bool:
    """Tell whether an event lies before the rules that were published at `published_ms`, or was imported."""
    return event.ts_ms < published_ms or event.confidence == "imported" or event.source.origin == "import"


def is_ours(event: Event) -> bool:
    """Tell whether we did it: reported by ourselves, or coming back from the platform as our account's or a bot's doing."""
    actor = event.actor
    return event.source.origin == "self" or (
        actor is not None and (actor.kind == "bot" or actor.platform_id == event.source.account)
    )


def passed(decisions: Sequence[AnyDecision], event: Event, published_ms: int) -> tuple[AnyDecision, ...]:
    """Return the decisions on `event` as far as they may count.

    Clocks for answers start with news only: nobody can answer the past in time.
    """
    if not decisions:
        return ()
    history, ours = is_history(event, published_ms), is_ours(event)
    if not history and not ours:
        return tuple(decisions)
    kept: list[AnyDecision] = []
    for decision in decisions:
        if isinstance(decision, Decision):
            if not ours:
                kept.append(observed(decision))
        elif not history:
            kept.append(decision)
    return tuple(kept)


def observed(decision: Decision) -> Decision:
    """Return the decision as one that nothing follows from."""
    return msgspec.structs.replace(decision, mode="observe")
