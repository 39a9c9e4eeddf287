"""Count what is said: by hour and weekday, by kind of content, and how fast members' questions are answered."""

from __future__ import annotations

from typing import Final

import ibis

from qunce.analytics.tables import (
    MESSAGE,
    Expr,
    Params,
    Tables,
    cells,
    counted,
    during,
    happened,
    people,
    scoped,
    total,
    whole_sum,
    with_totals,
)  # fmt: skip
from qunce.readmodels.contents import CONTENT_CODES

FAST_S: Final = 180
"""An answer within this time is a fast one: operators promise 1 to 3 minutes."""


def heat_map(tables: Tables, params: Params) -> Expr:
    """Return the number of members' messages by weekday (0 = Monday) and local hour."""
    rows = happened(tables, params, (MESSAGE,))
    rows = rows.mutate(weekday=(rows.day + 3) % 7)
    return total(rows, ["weekday", "hour"], messages=rows.count())


def content_kinds(tables: Tables, params: Params) -> Expr:
    """Return the number of members' messages by kind of content (code)."""
    rows, names = cells(tables, params, happened(tables, params, (MESSAGE,)))
    return total(rows, [*names, "content"], messages=rows.count())


def forward_rate(tables: Tables, params: Params) -> Expr:
    """Return forwarded messages, of all members' messages, per cell."""
    rows, names = cells(tables, params, happened(tables, params, (MESSAGE,)))
    forwarded = counted(rows.content == CONTENT_CODES["forward"])
    return total(rows, names, numerator=whole_sum(forwarded), denominator=rows.count())


def replies(tables: Tables, params: Params) -> Expr:
    """Return the number of members' messages that reply to a message, per cell."""
    rows, names = cells(tables, params, happened(tables, params, (MESSAGE,)))
    rows = rows.filter(rows.reply_to != 0)
    return total(rows, names, replies=rows.count())


def reply_rate(tables: Tables, params: Params) -> Expr:
    """Return messages that another member replied to within the period, of all members' messages, per cell."""
    said, names = cells(tables, params, happened(tables, params, (MESSAGE,)))
    answers = happened(tables, params, (MESSAGE,))
    answers = answers.filter(answers.reply_to != 0).select(answered_seq=answers.reply_to, answered_by=answers.person)
    met = said.inner_join(answers, said.seq == answers.answered_seq)
    met = met.filter(met.answered_by != met.person).select(*names, "seq").distinct()
    answered = total(met, names, numerator=met.count())
    everything = total(said, names, denominator=said.count())
    return with_totals(everything, answered, names, "numerator").select(*names, "numerator", "denominator")


def questions(tables: Tables, params: Params) -> Expr:
    """Return members' questions of the period in the groups asked for, with `person`."""
    return people(tables, scoped(tables, params, during(params, tables.questions)), "identity_id")


def first_response(tables: Tables, params: Params) -> Expr:
    """Return questions, answered ones, fast ones, and the middle and 90th-percentile waiting time, per cell.

    Percentiles are exact: waiting times are whole seconds, so their histogram is small and is walked in order. The median is
    the mean of `median_low_s` and `median_high_s`; p90 is the nearest rank. All are 0 where nothing was answered.
    """
    rows, names = cells(tables, params, questions(tables, params))
    answered = counted(rows.response_s >= 0)
    fast = counted((rows.response_s >= 0) & (rows.response_s <= FAST_S))
    counts = total(rows, names, questions=rows.count(), answered=whole_sum(answered), fast=whole_sum(fast))
    replies = rows.filter(rows.response_s >= 0)
    histogram = replies.group_by([*names, "response_s"]).agg(n=replies.count())
    upto = ibis.window(group_by=names or None, order_by="response_s", preceding=None, following=0)
    everything = ibis.window(group_by=names or None)
    ranked = histogram.mutate(
        upto=histogram.n.sum().over(upto).cast("int64"), everything=histogram.n.sum().over(everything).cast("int64")
    )
    measures = {
        "median_low_s": _first_where(ranked, ranked.upto * 2 >= ranked.everything),
        "median_high_s": _first_where(ranked, ranked.upto * 2 > ranked.everything),
        "p90_s": _first_where(ranked, ranked.upto * 10 >= ranked.everything * 9),
    }
    return with_totals(counts, total(ranked, names, **measures), names, *measures)


def _first_where(ranked: Expr, reached: Expr) -> Expr:
    return ranked.response_s.min(where=reached)
