"""Announce the group rules: send what members must know to chosen groups, and keep where and when it was said.

The text is made from the rules themselves, so what is announced is what holds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from django.db import transaction

from qunce.accounts import audit
from qunce.accounts.models import Staff
from qunce.domain.commands import Content, SendMessage, capability_of
from qunce.outbox import queue
from qunce.outbox.models import OPEN, Delivery, State
from qunce.outbox.queue import Plan, idem_key
from qunce.playbook.explain import group_rules
from qunce.readmodels.models import Group
from qunce.runtime.clock import now_ms
from qunce.runtime.commands import CommandRefused
from qunce.runtime.live import plans, playbooks
from qunce.runtime.live.desk.replies import Way, way_of
from qunce.runtime.models import Channel, RulesNotice

USEFUL_MS: Final = 24 * 3_600_000
MOST: Final = 300
"""So many groups stand on the page; a search finds the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRow:
    """A group with what it was told of the rules."""

    group_id: int
    name: str
    connector: str
    why: str
    """Why words reach it by hand only; empty = they are sent."""
    state: str
    """State of the newest announcement; empty = it was never told."""
    reason: str
    version: str
    current: bool
    """Whether that announcement says what the rules say now."""
    told_ms: int | None
    """When it was done, or began to wait; None = never."""
    delivery_id: int | None
    staff: str


def text_in_force() -> str:
    """Return the rules as members read them. Raises CommandRefused without a playbook or without rules to announce."""
    text = group_rules(playbooks.loaded_newest().playbook).strip()
    if "\n" not in text:
        raise CommandRefused("there are no rules to announce")
    return text


def group_list(group_ids: Collection[int] | None, words: str = "", limit: int = MOST) -> tuple[GroupRow, ...]:
    """Return the groups somebody may see, by name, each with its newest announcement. Six queries."""
    groups = Group.objects.filter(dismissed_ms=None).exclude(kind="direct").order_by("name", "pk")
    if group_ids is not None:
        groups = groups.filter(pk__in=group_ids)
    if words:
        groups = groups.filter(name__icontains=words)
    found = list(groups[:limit])
    channels = {(one.connector, one.account): one for one in Channel.objects.defer("settings").filter(enabled=True)}
    notices = {row.group_id: row for row in RulesNotice.objects.filter(group_id__in=[one.pk for one in found]).order_by("pk")}
    keys = [row.idem_key for row in notices.values()]
    deliveries = {row.idem_key: row for row in Delivery.objects.filter(idem_key__in=keys)}
    names = {
        one.pk: str(one) for one in Staff.objects.filter(pk__in={row.staff_id for row in notices.values() if row.staff_id})
    }
    try:
        now = _hash(text_in_force())
    except CommandRefused:
        now = ""
    return tuple(
        _row(group, way_of(channels.get((group.connector, group.account))), notices.get(group.pk), deliveries, names, now)
        for group in found
    )


def do_announce(*, actor: Staff | None, group_ids: Sequence[int], clock: Callable[[], int] = now_ms) -> tuple[int, int]:
    """Send the rules to groups; return to how many they go by themselves, and in how many a colleague must say them.

    A group where this very text still waits is left alone. Raises CommandRefused without groups, rules or such a group.
    """
    if not group_ids:
        raise CommandRefused("no group was chosen")
    text, moment = text_in_force(), clock()
    version = playbooks.newest()
    label = playbooks.label(version) if version is not None else ""
    groups = list(Group.objects.filter(pk__in=group_ids).order_by("pk"))
    if len(groups) != len(set(group_ids)):
        raise CommandRefused("unknown group")
    channels = {(one.connector, one.account): one for one in Channel.objects.defer("settings").filter(enabled=True)}
    with transaction.atomic():
        earlier = _earlier(group_ids, _hash(text))
        made: dict[int, Plan] = {}
        for group in groups:
            rows = earlier.get(group.pk, [])
            if not any(state in OPEN for state in rows):
                way = way_of(channels.get((group.connector, group.account)))
                made[group.pk] = _plan(group, text, len(rows), way, moment)
        queue.enqueue(list(made.values()), moment)
        RulesNotice.objects.bulk_create(
            RulesNotice(
                idem_key=plan.idem_key, group_id=group_id, version=label, text_hash=_hash(text),
                staff_id=actor.pk if actor else None, created_ms=moment,
            )
            for group_id, plan in made.items()
        )  # fmt: skip
        audit.record(
            actor=actor, action="rules.announce", target_type="playbook", target_id=label, after={"groups": sorted(made)}
        )
    sent = sum(plan.state == State.READY for plan in made.values())
    return sent, len(made) - sent


def is_announcement(delivery_id: int) -> bool:
    """Tell whether a delivery announces rules."""
    keys = Delivery.objects.filter(pk=delivery_id).values("idem_key")
    return RulesNotice.objects.filter(idem_key__in=keys).exists()


def _earlier(group_ids: Collection[int], text_hash: str) -> dict[int, list[str]]:
    """Return the states of earlier announcements of the same text, by group."""
    rows = list(RulesNotice.objects.filter(group_id__in=group_ids, text_hash=text_hash).values_list("idem_key", "group_id"))
    states = dict(Delivery.objects.filter(idem_key__in=[key for key, _ in rows]).values_list("idem_key", "state"))
    found: dict[int, list[str]] = {}
    for key, group_id in rows:
        found.setdefault(group_id, []).append(states.get(key, ""))
    return found


def _plan(group: Group, text: str, before: int, way: Way, moment: int) -> Plan:
    command = SendMessage(conv_id=group.platform_id, content=Content(text=text))
    return Plan(
        idem_key=idem_key("rules", _hash(text), group.pk, before), connector=group.connector, account=group.account,
        conv_id=group.platform_id, group_id=group.pk, capability=capability_of(command), command=plans.encode(command),
        expires_ms=moment + USEFUL_MS, not_before_ms=moment, state=State.READY if way.automatic else State.HUMAN,
        reason=way.why,
    )  # fmt: skip


def _row(
    group: Group, way: Way, notice: RulesNotice | None, deliveries: dict[str, Delivery], names: dict[int, str], now: str
) -> GroupRow:
    delivery = deliveries.get(notice.idem_key) if notice is not None else None
    pretended = delivery is not None and delivery.receipt.startswith("simulated:")
    return GroupRow(
        group_id=group.pk, name=group.name, connector=group.connector, why=way.why,
        state=("simulated" if pretended else delivery.state) if delivery is not None else "",
        reason=delivery.reason if delivery is not None else "", version=notice.version if notice is not None else "",
        current=notice is not None and notice.text_hash == now,
        told_ms=delivery.updated_ms if delivery is not None else None,
        delivery_id=delivery.pk if delivery is not None else None,
        staff=names.get(notice.staff_id or 0, "") if notice is not None else "",
    )  # fmt: skip


def _hash(text: str) -> str:
    return idem_key("text", text)[:16]
