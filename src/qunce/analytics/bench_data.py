"""Make a large mirror directly, for measuring metrics without importing: 120 days, Zipf members and groups, no text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from qunce.domain.events import TYPE_CODES, LinkClicked, MemberJoined, MemberLeft, MessageCreated, ReactionAdded
from qunce.journal.mirror import FACT_SCHEMA, FULL_SEGMENT, MirrorStore
from qunce.readmodels.contents import CONTENT_CODES

FIRST_DAY: Final = 20_000
DAY_MS: Final = 86_400_000
MEMBER_ZIPF: Final = 0.9
GROUP_ZIPF: Final = 1.05
GROUPS_PER_MEMBER: Final = 2
ORDERS_PER_MEMBER: Final = 0.4
STAFF_SHARE: Final = 0.001

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How large a mirror to make. All counts are exact except `facts`, which is rounded to whole days."""

    facts: int = 20_000_000
    days: int = 120
    members: int = 1_000_000
    groups: int = 10_000
    seed: int = 1


def make(store: MirrorStore, shape: Shape) -> None:
    """Write a mirror of the given shape into an empty store; deterministic by seed."""
    draw = np.random.default_rng(shape.seed)
    homes = _zipf(draw, shape.groups, GROUP_ZIPF, shape.members * GROUPS_PER_MEMBER).reshape(-1, shape.members)
    first = draw.integers(0, shape.days, shape.members)
    first[draw.random(shape.members) < 0.5] = 0
    per_day = shape.facts // shape.days
    pending: list[pa.Table] = []
    seq = 1
    for day in range(shape.days):
        pending.append(_facts_of_day(draw, shape, homes, seq, day, per_day))
        seq += per_day
        if sum(table.num_rows for table in pending) >= FULL_SEGMENT or day == shape.days - 1:
            with store.change() as change:
                change.add_facts("message", pa.concat_tables(pending))
                change.set_cursor("message", seq - 1)
            pending = []
    with store.change() as change:
        for name, table in _dimensions(draw, shape, homes, first).items():
            change.set_dimension(name, table)


def _zipf(draw: np.random.Generator, size: int, exponent: float, count: int) -> Ints:
    weights = np.cumsum(1.0 / np.arange(1, size + 1) ** exponent)
    places: Ints = np.searchsorted(weights, draw.random(count) * weights[-1]).astype(np.int64) + 1
    return places


def _facts_of_day(draw: np.random.Generator, shape: Shape, homes: Ints, seq: int, day: int, count: int) -> pa.Table:
    actor = _zipf(draw, shape.members, MEMBER_ZIPF, count)
    group = homes[draw.integers(0, GROUPS_PER_MEMBER, count), actor - 1]
    kinds = np.array([TYPE_CODES[cls] for cls in (MessageCreated, ReactionAdded, MemberJoined, MemberLeft)])
    kind = kinds[np.searchsorted([0.80, 0.95, 0.98], draw.random(count))]
    seqs = np.arange(seq, seq + count)
    kind = np.where(seqs % 100 == 7, TYPE_CODES[LinkClicked], kind)
    second = np.sort(draw.integers(0, 86_400, count))
    message = kind == kinds[0]
    columns = {
        "seq": seqs,
        "ts_ms": (FIRST_DAY + day) * DAY_MS + second * 1000,
        "day": np.full(count, FIRST_DAY + day),
        "hour": second // 3600,
        "type": kind,
        "group_id": group,
        "actor": actor,
        "peer": np.where(draw.random(count) < 0.2, _zipf(draw, shape.members, MEMBER_ZIPF, count), 0),
        "content": np.where(message, np.where(seqs % 50 == 0, CONTENT_CODES["forward"], 1 + (draw.random(count) < 0.2)), 0),
        "length": np.where(message, draw.integers(1, 60, count), 0),
        "is_question": np.where(message & (draw.random(count) < 0.08), 1, 0),
        "reply_to": np.where(message & (seqs % 5 == 0) & (seqs > 10), seqs - 1 - seqs % 7, 0),
    }
    return pa.table(columns).cast(FACT_SCHEMA)


def _dimensions(draw: np.random.Generator, shape: Shape, homes: Ints, first: Ints) -> dict[str, pa.Table]:
    staff = np.flatnonzero(draw.random(shape.members) < STAFF_SHARE) + 1
    return {
        "exceptions": pa.table({"identity_id": staff, "member_id": staff, "excluded": np.ones(len(staff), np.int8)}),
        "groups": _groups(shape),
        "memberships": _memberships(draw, shape, homes, first),
        "purchases": _purchases(draw, shape),
        "questions": _questions(draw, shape, homes),
    }


def _groups(shape: Shape) -> pa.Table:
    ids = np.arange(1, shape.groups + 1)
    return pa.table({"group_id": ids, "community_id": ids % 20 + 1, "kind": np.full(shape.groups, "group")})


def _memberships(draw: np.random.Generator, shape: Shape, homes: Ints, first: Ints) -> pa.Table:
    ids = np.tile(np.arange(1, shape.members + 1), GROUPS_PER_MEMBER)
    joined = np.tile(first, GROUPS_PER_MEMBER) + FIRST_DAY
    left = joined + draw.integers(1, shape.days, len(ids))
    stays = (draw.random(len(ids)) < 0.8) | (left >= FIRST_DAY + shape.days)
    table = pa.table(
        {
            "group_id": homes.reshape(-1),
            "identity_id": ids,
            "first_day": joined.astype(np.int32),
            "joined_day": joined.astype(np.int32),
            "left_day": np.where(stays, 0, left).astype(np.int32),
        }
    )
    return (
        table.group_by(["group_id", "identity_id"])
        .aggregate([("first_day", "min"), ("joined_day", "max"), ("left_day", "max")])
        .rename_columns(["group_id", "identity_id", "first_day", "joined_day", "left_day"])
    )


def _purchases(draw: np.random.Generator, shape: Shape) -> pa.Table:
    count = int(shape.members * ORDERS_PER_MEMBER)
    day = FIRST_DAY + draw.integers(0, shape.days, count)
    amount = draw.integers(100, 50_000, count)
    return pa.table(
        {
            "order_id": np.arange(1, count + 1),
            "identity_id": _zipf(draw, shape.members, MEMBER_ZIPF, count),
            "day": day.astype(np.int32),
            "paid_ms": day * DAY_MS + draw.integers(0, DAY_MS, count),
            "amount_minor": amount,
            "refunded_minor": np.where(draw.random(count) < 0.03, amount, 0),
            "currency": np.full(count, "CNY"),
            "is_paid": (draw.random(count) < 0.95).astype(np.int8),
        }
    )


def _questions(draw: np.random.Generator, shape: Shape, homes: Ints) -> pa.Table:
    count = shape.facts // 20
    asker = _zipf(draw, shape.members, MEMBER_ZIPF, count)
    response = np.minimum(draw.lognormal(5.0, 1.4, count), 604_800).astype(np.int64)
    return pa.table(
        {
            "seq": np.arange(1, count + 1),
            "group_id": homes[0, asker - 1],
            "identity_id": asker,
            "day": (FIRST_DAY + draw.integers(0, shape.days, count)).astype(np.int32),
            "response_s": np.where(draw.random(count) < 0.85, response, -1),
            "responder": np.ones(count, np.int64),
        }
    )
