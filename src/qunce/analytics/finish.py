"""Turn the integers an engine counted into the numbers people read. Plain arithmetic, the same after every engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qunce.analytics.health import score
from qunce.analytics.tables import Params
from qunce.readmodels.contents import CONTENT_NAMES

Rows = Sequence[dict[str, Any]]


def ratio(rows: Rows, _: Params) -> list[dict[str, Any]]:
    """Add `value` = numerator ÷ denominator; None where there is nothing to divide by."""
    return [{**row, "value": quotient(row["numerator"], row["denominator"])} for row in rows]


def quotient(numerator: int, denominator: int) -> float | None:
    """Return the quotient; None for a denominator of 0."""
    return numerator / denominator if denominator else None


def funnel(rows: Rows, _: Params) -> list[dict[str, Any]]:
    """Name the steps and add the share of the first step and of the step before."""
    names = {1: "joined", 2: "spoke", 3: "ordered"}
    people = [row["people"] for row in rows]
    before = [people[0], *people[:-1]]
    return [
        {
            "step": names[row["step"]],
            "people": row["people"],
            "of_first": quotient(row["people"], people[0]),
            "of_previous": quotient(row["people"], previous),
        }
        for row, previous in zip(rows, before, strict=True)
    ]


def content(rows: Rows, _: Params) -> list[dict[str, Any]]:
    """Name the kinds of content."""
    return [{**row, "content": CONTENT_NAMES.get(row["content"], "other")} for row in rows]


def first_response(rows: Rows, _: Params) -> list[dict[str, Any]]:
    """Make median and p90 in seconds and the share of fast answers; None where there was nothing to measure."""
    done = []
    for row in rows:
        kept = {name: value for name, value in row.items() if name not in ("median_low_s", "median_high_s", "p90_s")}
        answered = bool(row["answered"])
        kept["median_s"] = (row["median_low_s"] + row["median_high_s"]) / 2 if answered else None
        kept["p90_s"] = row["p90_s"] if answered else None
        kept["value"] = quotient(row["fast"], row["questions"])
        done.append(kept)
    return done


def group_health(rows: Rows, params: Params) -> list[dict[str, Any]]:
    """Score each group; `reason` says why there is no score."""
    done = []
    for row in rows:
        health = score(row, params.until_day)
        parts = {f"points_{part.id}": points for part, points in health.parts}
        done.append({"group_id": row["group_id"], "value": health.score, "reason": health.reason, **parts, **row})
    return done


def group_health_trend(rows: Rows, params: Params) -> list[dict[str, Any]]:
    """Average the scores of the groups that have one, at the end of each week, or of the period where it is not cut."""
    if "week" not in params.by:
        return [_mean_score(rows, params.until_day)]
    weeks: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        weeks.setdefault(row["week"], []).append(row)
    return [{"week": week, **_mean_score(found, min(week + 6, params.until_day))} for week, found in sorted(weeks.items())]


def _mean_score(rows: Rows, until_day: int) -> dict[str, Any]:
    scores = [health.score for row in rows if (health := score(row, until_day)).score is not None]
    mean = round(sum(scores) / len(scores), 1) if scores else None
    return {"value": mean, "scored": len(scores), "unscored": len(rows) - len(scores)}


def value_members(rows: Rows, _: Params) -> list[dict[str, Any]]:
    """Turn hundredths of points into the score."""
    done = []
    for row in rows:
        kept = {name: value for name, value in row.items() if name != "points"}
        done.append(
            {name: kept.pop(name) for name in ("group_id", "person") if name in kept} | {"value": row["points"] / 100} | kept
        )
    return done
