"""The charter of a group: what it is for, whether it fits, what it costs, and the goals it is measured by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal

import msgspec
from django.db import transaction
from msgspec import Meta

from qunce.accounts import audit
from qunce.accounts.models import Staff
from qunce.domain.events import Conv, Event, GroupCharted, Source
from qunce.domain.keys import native_key
from qunce.readmodels.models import Group, GroupChart
from qunce.runtime.clock import now_ms
from qunce.runtime.commands import CommandRefused
from qunce.runtime.ingest import Ingest

TYPES: Final = ("interest", "seeding", "loyal", "vip")
"""兴趣群, 种草群, 铁粉群, VIP 群."""
PHASES: Final = ("growing", "extending", "winning_back")
DECISIONS: Final = ("revive", "merge", "retire", "keep")
METRICS: Final[Mapping[str, str]] = {
    "members": "people", "active_share": "ratio", "messages": "messages", "fast_answers": "ratio", "leave_rate": "ratio",
    "orders": "orders", "health": "score",
}  # fmt: skip
"""What a goal can be measured by, and its unit; always over the last 28 days."""
MOST_GOALS: Final = 6
Field = Literal["group_type", "phase", "charter", "decision"]
Text = Annotated[str, Meta(max_length=500)]


class Goal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One goal that can be measured. `target` is in the metric's unit, ratios from 0 to 1."""

    metric: str
    at_least: bool = True
    target: float
    until: Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None
    """Local date; None = for as long as the group lives."""


class Charter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The answers that a group is founded on."""

    purpose: Literal["", "conversion", "service"] = ""
    goal: Text = ""
    fit: Text = ""
    """Why these products fit a group."""
    cost: Text = ""
    """What it costs in people and money."""
    for_brand: Text = ""
    for_member: Text = ""
    for_product: Text = ""
    threshold: Text = ""
    """What one has to do or pay to get in."""
    goals: Annotated[tuple[Goal, ...], Meta(max_length=MOST_GOALS)] = ()

    @property
    def answered(self) -> int:
        """Of the three questions before a group is made, how many are answered."""
        return sum(bool(text.strip()) for text in (self.goal, self.fit, self.cost))


def read(text: str) -> Charter:
    """Return a charter as it is stored; an empty text is an empty charter. Raises msgspec.ValidationError for anything else."""
    return msgspec.json.decode(text, type=Charter) if text else Charter()


def of_group(group_id: int) -> dict[str, GroupChart]:
    """Return what was set down about a group, by field; fields that were taken away are left out."""
    rows = GroupChart.objects.filter(group_id=group_id).exclude(value="")
    return {row.field: row for row in rows}


def do_set_charter(*, actor: Staff, group_id: int, charter: Charter) -> None:
    """Store the charter of a group. Raises CommandRefused for an unknown group or metric, or a goal out of range."""
    for goal in charter.goals:
        if goal.metric not in METRICS:
            raise CommandRefused(f"unknown metric {goal.metric!r}")
        if not 0 <= goal.target <= (1 if METRICS[goal.metric] == "ratio" else 1e9):
            raise CommandRefused("the goal is out of range")
    do_chart(actor=actor, group_ids=[group_id], field="charter", value=msgspec.json.encode(charter).decode(), reason="")


def do_chart(*, actor: Staff, group_ids: Sequence[int], field: Field, value: str, reason: str) -> None:
    """Set down one thing about groups; an empty value takes it away. Raises CommandRefused for unknown groups or values."""
    known = {"group_type": TYPES, "phase": PHASES, "decision": DECISIONS}.get(field)
    if known is not None and value and value not in known:
        raise CommandRefused(f"unknown {field} {value!r}")
    groups = list(Group.objects.filter(pk__in=group_ids).order_by("id"))
    if len(groups) != len(set(group_ids)):
        raise CommandRefused("unknown group")
    moment = now_ms()
    events = [_event(group, GroupCharted(field=field, value=value or None, reason=reason.strip()), moment) for group in groups]
    with transaction.atomic():
        audit.record(
            actor=actor, action="group.charted", target_type="group", target_id=",".join(str(group.pk) for group in groups),
            after={"field": field, "value": value if known is not None else ""},
        )  # fmt: skip
        Ingest().take(events)


def _event(group: Group, body: GroupCharted, moment: int) -> Event:
    return Event(
        ts_ms=moment, source=Source(connector=group.connector, account=group.account, origin="self"), body=body,
        dedupe_key=native_key("chart", group.platform_id, body.field, str(moment)),
        conv=Conv(platform_id=group.platform_id, kind=group.kind),  # type: ignore[arg-type]  # stored from a ConvKind
    )  # fmt: skip
