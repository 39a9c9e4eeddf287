"""Compute for all subjects until when their answers hold, beside the answers, in the same pass.

Coarser than `engine.segments.wheel` and never later: a window's answer is doubted as soon as its oldest event leaves it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import and_, or_
from typing import Final

import ibis

from qunce.analytics.tables import Expr
from qunce.engine.segments.moment import Moment
from qunce.playbook.segments.tree import (
    Age,
    AgeBetween,
    AllOf,
    AnyOf,
    Did,
    InPeriod,
    Leaf,
    Node,
    Not,
    Period,
    Ref,
    Since,
    Test,
    Within,
)  # fmt: skip

NEVER: Final = 1 << 62
"""Stands for no moment."""
Pair = tuple[Expr, Expr]
"""Whether it holds, and until when at least."""


def turns(value: Expr, test: Test, now: Moment, there: Expr | None = None) -> Expr:
    """Return when a test on a moment could give another answer while the moment stays.

    `there` tells whether there is one; None = it is not 0.
    """
    there = value > 0 if there is None else there
    spans = {0}
    match test:
        case Age(span_ms=span_ms):
            spans |= {span_ms, span_ms + 1}
        case AgeBetween(low_ms=low_ms, high_ms=high_ms):
            spans |= {low_ms, high_ms + 1}
        case _:
            pass
    found = [ahead(there, value + span, now) for span in sorted(spans)]
    if isinstance(test, InPeriod):
        found.append(ibis.ifelse(there, ibis.literal(now.next_start_ms(test.word)), NEVER))
    return _least(found)


def fades(leaf: Did, value: Expr, oldest: Expr | None, since: Expr | None, now: Moment) -> Expr:
    """Return until when a measure holds. `oldest`: first event in the window, 0 = none; `since`: where it starts."""
    found: list[Expr] = []
    if leaf.measure in ("first", "last"):
        found.append(turns(value, leaf.test, now))
    match leaf.window:
        case Within(span_ms=span_ms):
            if oldest is not None:
                found.append(ibis.ifelse(oldest > 0, oldest + span_ms + 1, NEVER))
        case Period(word=word):
            if oldest is not None:
                found.append(ibis.ifelse(oldest > 0, ibis.literal(now.next_start_ms(word)), NEVER))
        case Since():
            if since is not None:
                found.append(ahead(since > 0, since, now))
        case None:
            pass
    return _least(found)


def walk(node: Node, body_of: Callable[[Ref], Node], leaf_of: Callable[[Leaf], Pair]) -> Pair:
    """Join the answers of leaves to that of a tree."""
    match node:
        case AllOf(parts):
            return _joined([walk(part, body_of, leaf_of) for part in parts], is_all=True)
        case AnyOf(parts):
            return _joined([walk(part, body_of, leaf_of) for part in parts], is_all=False)
        case Not(part):
            holds, until = walk(part, body_of, leaf_of)
            return ~holds, until
        case Ref():
            return walk(body_of(node), body_of, leaf_of)
        case _:
            return leaf_of(node)


def _joined(parts: list[Pair], *, is_all: bool) -> Pair:
    """Join parts: what holds fails with its first part; what fails needs every failing part to turn."""
    if len(parts) == 1:
        return parts[0]
    holds = reduce(and_ if is_all else or_, [part for part, _ in parts])
    settled = holds if is_all else ~holds
    first = _least([until for _, until in parts])
    against = [ibis.ifelse((~part) if is_all else part, until, 0) for part, until in parts]
    return holds, ibis.ifelse(settled, first, ibis.greatest(*against))


def ahead(there: Expr, moment: Expr, now: Moment) -> Expr:
    """Return a moment that is still to come, or `NEVER`."""
    return ibis.ifelse(there & (moment > now.now_ms), moment, NEVER)


def _least(found: list[Expr]) -> Expr:
    if not found:
        return ibis.literal(NEVER).cast("int64")
    return ibis.least(*found) if len(found) > 1 else found[0]
