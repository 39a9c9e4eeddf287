"""Tell a group of ours that nobody answers: a robot's group, or any group of a channel that a rule names in `notify`.

What is said holds the group, the kind of need, how long, and an address; never what a member wrote, nor who they are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from django.conf import settings

from qunce.domain.commands import Content, SendMessage, capability_of
from qunce.domain.desk import DeskDecision
from qunce.outbox import queue
from qunce.outbox.models import State
from qunce.outbox.queue import Plan, idem_key
from qunce.playbook.explain_desk import NEEDS
from qunce.playbook.schema import Playbook
from qunce.playbook.units import say_duration
from qunce.readmodels.models import Group
from qunce.runtime.live import plans
from qunce.runtime.models import Channel

USEFUL_MS: Final = 1_800_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something can be said."""

    connector: str
    account: str
    conv_id: str
    enabled: bool


def follow(decisions: Iterable[DeskDecision], playbook: Playbook, now_ms: int) -> int:
    """Enqueue the notices of escalations; return how many. Call in the transaction that stores the decisions."""
    named = {rule.rule_id: rule.notify for rule in playbook.answers if rule.notify}
    calls = [one for one in decisions if one.verdict == "escalate" and one.mode != "observe" and one.rule_id in named]
    if not calls:
        return 0
    places = _places({name for one in calls for name in named[one.rule_id]})
    groups = dict(Group.objects.filter(pk__in={one.group_id for one in calls}).values_list("pk", "name"))
    made = [
        _plan(one, place, groups.get(one.group_id, ""), now_ms)
        for one in calls
        for name in named[one.rule_id]
        for place in places.get(name, ())
    ]
    return queue.enqueue(made, now_ms) if made else 0


def _plan(decision: DeskDecision, place: Place, group: str, now_ms: int) -> Plan:
    need, waited = NEEDS[decision.need][0], say_duration(max(60, decision.waited_s // 60 * 60), "zh")
    text = f"【应答提醒】「{group}」有一条{need}等了{waited}还没有人回复（第 {decision.level} 级）。{_address(decision.thread)}"
    command = SendMessage(conv_id=place.conv_id, content=Content(text=text))
    return Plan(
        idem_key=idem_key("notify", decision.decision_id, place.connector, place.account, place.conv_id),
        connector=place.connector, account=place.account, conv_id=place.conv_id, group_id=decision.group_id,
        capability=capability_of(command), command=plans.encode(command), expires_ms=now_ms + USEFUL_MS, not_before_ms=now_ms,
        state=State.READY if place.enabled else State.SUPPRESSED, reason="" if place.enabled else "no_channel",
    )  # fmt: skip


def _address(thread: int) -> str:
    return f"{settings.PUBLIC_URL}/desk/{thread}"


def _places(names: set[str]) -> Mapping[str, list[Place]]:
    """Return where each name leads: groups by name or id, channels that only send by their own name or their group's."""
    channels = list(Channel.objects.all())
    enabled = {(channel.connector, channel.account) for channel in channels if channel.enabled}
    found: dict[str, list[Place]] = {}
    for group in Group.objects.filter(name__in=names) | Group.objects.filter(platform_id__in=names):
        place = Place(
            connector=group.connector, account=group.account, conv_id=group.platform_id,
            enabled=(group.connector, group.account) in enabled,
        )  # fmt: skip
        for name in {group.name, group.platform_id} & names:
            found.setdefault(name, []).append(place)
    for channel in channels:
        conv_id = json.loads(channel.settings or "{}").get("conv_id")
        for name in {channel.name, conv_id} & names if conv_id else ():
            place = Place(connector=channel.connector, account=channel.account, conv_id=conv_id, enabled=channel.enabled)
            if place not in found.setdefault(name, []):
                found[name].append(place)
    return found
