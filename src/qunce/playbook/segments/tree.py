"""Hold a segment as a frozen tree that both evaluators walk.

Lengths of time are milliseconds, money is the currency's minor unit. `now` is not in the tree: each evaluation is given it.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from qunce.playbook.schema.segments import Subject
from qunce.playbook.segments.catalogue import Kind

Operator = Literal["=", "!=", ">=", "<=", ">", "<"]
Word = Literal["today", "this_week", "this_month"]
Measure = Literal["times", "days", "sum", "distinct", "first", "last"]


class Compare(msgspec.Struct, frozen=True, tag=True):
    """A number against a number."""

    op: Operator
    value: int


class Between(msgspec.Struct, frozen=True, tag=True):
    """A number from `low` to `high`, both inclusive."""

    low: int
    high: int


class Age(msgspec.Struct, frozen=True, tag=True):
    """How long ago a moment was: `<=` 7 days means not longer ago than that."""

    op: Literal[">=", "<=", ">", "<"]
    span_ms: int


class AgeBetween(msgspec.Struct, frozen=True, tag=True):
    """A moment from `low_ms` to `high_ms` ago, both inclusive."""

    low_ms: int
    high_ms: int


class InPeriod(msgspec.Struct, frozen=True, tag=True):
    """A moment in the current local day, week (from Monday) or month."""

    word: Word


class OneOf(msgspec.Struct, frozen=True, tag=True):
    """A word that is one of these."""

    words: tuple[str, ...]


class OneOfIds(msgspec.Struct, frozen=True, tag=True):
    """An id that is one of these."""

    ids: tuple[int, ...]


class IsSet(msgspec.Struct, frozen=True, tag=True):
    """There is a value."""


class IsMissing(msgspec.Struct, frozen=True, tag=True):
    """There is no value."""


Test = Compare | Between | Age | AgeBetween | InPeriod | OneOf | OneOfIds | IsSet | IsMissing


class Within(msgspec.Struct, frozen=True, tag=True):
    """The last `span_ms` up to now."""

    span_ms: int


class Period(msgspec.Struct, frozen=True, tag=True):
    """From the start of the current local day, week or month up to now."""

    word: Word


class Since(msgspec.Struct, frozen=True, tag=True):
    """From a moment of the subject up to now. Where the subject has no such moment, the leaf is false."""

    attribute: str


Window = Within | Period | Since


class AllOf(msgspec.Struct, frozen=True, tag=True):
    """Every part holds."""

    parts: tuple[Node, ...]


class AnyOf(msgspec.Struct, frozen=True, tag=True):
    """At least one part holds."""

    parts: tuple[Node, ...]


class Not(msgspec.Struct, frozen=True, tag=True):
    """The part does not hold."""

    part: Node


class Attr(msgspec.Struct, frozen=True, tag=True):
    """An attribute of the subject passes a test; a missing value passes only `missing`."""

    name: str
    test: Test


class Field(msgspec.Struct, frozen=True, tag=True):
    """An attribute of the member that the playbook declares passes a test; a missing value passes only `missing`."""

    name: str
    kind: Kind
    title: str
    test: Test


class Tagged(msgspec.Struct, frozen=True, tag=True):
    """The subject has any of the tags."""

    tags: tuple[str, ...]


class Did(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A measure over the subject's events passes a test. `window` None = everything up to now."""

    events: tuple[str, ...]
    window: Window | None = None
    where: tuple[tuple[str, Test], ...] = ()
    measure: Measure = "times"
    field: str = ""
    """What is summed, or counted each once; empty for other measures."""
    test: Test


class Ref(msgspec.Struct, frozen=True, tag=True):
    """The subject belongs to another segment."""

    segment_id: str


class Sample(msgspec.Struct, frozen=True, tag=True):
    """The subject falls into the first `share` of 10,000 buckets drawn with `salt`."""

    share: int
    salt: str


Leaf = Attr | Field | Tagged | Did | Sample
Node = AllOf | AnyOf | Not | Ref | Leaf


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A segment ready to be evaluated."""

    segment_id: str
    title: str
    of: Subject
    body: Node
