"""Refuse regular expressions that could run for ever.

Python's `re` cannot be interrupted, so its cost must be bounded before it runs. Accepted are patterns in which every repeat
has an upper bound and the number of ways to match at one position, counted over all repeats and alternatives, stays small.
The engine moreover shows a pattern only a bounded stretch of text (`engine.text.views.MAX_PATTERN_CHARS`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

MAX_WAYS: Final = 2_000
"""Most ways in which a pattern may try to match at one position."""
MAX_PATTERN_CHARS: Final = 500

_parser = re._parser  # type: ignore[attr-defined]  # the parser of `re` has no public name; 3.11 to 3.14 have it here
_MAXREPEAT: Final = re._constants.MAXREPEAT  # type: ignore[attr-defined]  # as above

Tree = Iterable[tuple[object, Any]]


class UnsafePattern(ValueError):
    """A pattern that is refused; the message says why, `fix` what to write instead."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.fix = fix


def check_pattern(pattern: str) -> int:
    """Return in how many ways `pattern` may try to match at one position. Raises UnsafePattern."""
    if len(pattern) > MAX_PATTERN_CHARS:
        raise UnsafePattern(
            f"{len(pattern)} characters are too long", f"write at most {MAX_PATTERN_CHARS}; split it into several"
        )
    try:
        tree = _parser.parse(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise UnsafePattern(f"not a regular expression: {error}", "mend it, or use a lexicon term with * or ?") from error
    if tree.getwidth()[0] == 0:
        raise UnsafePattern("it matches nothing at all, so it would hold for every message", "make some part of it necessary")
    ways = _ways(tree)
    if ways > MAX_WAYS:
        raise UnsafePattern(
            f"it could try {ways} ways at each position", f"use fewer or shorter repeats (at most {MAX_WAYS} ways)"
        )
    return ways


def _ways(tree: Tree) -> int:
    total = 1
    for operation, argument in tree:
        total *= _ways_of(str(operation), argument)
        if total > MAX_WAYS**2:
            return total
    return total


def _ways_of(operation: str, argument: Any) -> int:  # what stands here depends on the operation; `re` has no types for it
    if operation in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        low, high, inner = argument
        return _repeat(low, high, inner)
    if operation == "BRANCH":
        return sum(_ways(branch) for branch in argument[1])
    if operation in ("SUBPATTERN", "ASSERT", "ASSERT_NOT"):
        return _ways(argument[-1])
    if operation == "ATOMIC_GROUP":
        return _ways(argument)
    if operation.startswith("GROUPREF"):
        raise UnsafePattern("it refers back to a group", "write the repeated part out")
    return 1


def _repeat(low: int, high: object, inner: Tree) -> int:
    if not isinstance(high, int) or high >= _MAXREPEAT:
        raise UnsafePattern("it holds an endless repeat (*, + or {n,})", "write an upper bound, such as .{0,20}")
    inside = _ways(inner)
    if inside == 1:
        return high - low + 1
    if high > 12:
        raise UnsafePattern("a repeat stands around other repeats or alternatives", "use one repeat only, of at most 12")
    return sum(inside**count for count in range(low, high + 1))
