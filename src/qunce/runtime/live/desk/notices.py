"""Tell a group or a colleague of ours that nobody answers: whom a rule names in `notify`.

A name is a robot's group, any group of a channel, or the login name of a colleague, who gets an e-mail. Robots that can call by
phone number call those whom the step of the escalation names.

What is said holds the group, the kind of need, how long, and an address; never what a member wrote, nor who they are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.db.models import Q

from qunce.accounts.access import can
from qunce.accounts.models import Staff
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
MAIL: Final = "mail"
BY_PHONE: Final = frozenset({"wecom_robot", "dingtalk_robot"})
"""Robots that call people by phone number."""
CALLED: Final = 20
"""So many people are called in one message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something can be said."""

    connector: str
    account: str
    conv_id: str
    why: str = ""
    """Why nothing can be said there; empty = it can."""
    language: str = "zh"


def follow(decisions: Iterable[DeskDecision], playbook: Playbook, now_ms: int) -> int:
    """Enqueue the notices of escalations; return how many. Call in the transaction that stores the decisions."""
    named = {rule.rule_id: rule.notify for rule in playbook.answers if rule.notify}
    calls = [one for one in decisions if one.verdict == "escalate" and one.mode != "observe" and one.rule_id in named]
    if not calls:
        return 0
    names = {name for one in calls for name in named[one.rule_id]}
    places, people = _places(names), _people(names)
    groups = dict(Group.objects.filter(pk__in={one.group_id for one in calls}).values_list("pk", "name"))
    made = []
    for one in calls:
        numbers = _numbers(one)
        for name in named[one.rule_id]:
            found = places.get(name) or ([_letterbox(people[name], one.group_id)] if name in people else [])
            made += [_plan(one, place, groups.get(one.group_id, ""), numbers, now_ms) for place in found]
    return queue.enqueue(made, now_ms) if made else 0


def _plan(decision: DeskDecision, place: Place, group: str, numbers: tuple[str, ...], now_ms: int) -> Plan:
    mentions = numbers if place.connector in BY_PHONE else ()
    content = Content(text=_text(decision, group, place.language), mentions=mentions)
    command = SendMessage(conv_id=place.conv_id, content=content)
    return Plan(
        idem_key=idem_key("notify", decision.decision_id, place.connector, place.account, place.conv_id),
        connector=place.connector, account=place.account, conv_id=place.conv_id, group_id=decision.group_id,
        capability=capability_of(command), command=plans.encode(command), expires_ms=now_ms + USEFUL_MS, not_before_ms=now_ms,
        state=State.SUPPRESSED if place.why else State.READY, reason=place.why,
    )  # fmt: skip


def _text(decision: DeskDecision, group: str, language: str) -> str:
    """Return the notice: its first line is a subject as well. It holds nothing a member wrote."""
    whole_minutes_s = max(60, decision.waited_s // 60 * 60)
    address = f"{settings.PUBLIC_URL}/desk/{decision.thread}"
    if language == "en":
        need, waited = NEEDS[decision.need][1], say_duration(whole_minutes_s, "en")
        return f"[Waiting] “{group}”: no answer for {waited} (among {need}; step {decision.level}).\n{address}"
    need, waited = NEEDS[decision.need][0], say_duration(whole_minutes_s, "zh")
    return f"【应答提醒】「{group}」有一条{need}等了{waited}还没有人回复（第 {decision.level} 级）。\n{address}"


def _people(names: set[str]) -> dict[str, Staff]:
    """Return the colleagues among the names, by login name."""
    return {one.username: one for one in Staff.objects.filter(username__in=names, is_active=True)}


def _letterbox(staff: Staff, group_id: int) -> Place:
    """Return where a colleague gets mail: nowhere without an address, a channel, or a right to see the group."""
    channel = Channel.objects.defer("settings").filter(connector=MAIL).order_by("-enabled", "pk").first()
    why = "" if channel is not None and channel.enabled else "no_channel"
    why = why if staff.email else "no_address"
    why = why if can(staff, "desk.view", group_id=group_id) else "no_access"
    return Place(
        connector=MAIL, account=channel.account if channel else "", conv_id=staff.email or staff.username, why=why,
        language="en" if staff.language.startswith("en") else "zh",
    )  # fmt: skip


def _numbers(decision: DeskDecision) -> tuple[str, ...]:
    """Return whom a step names, by phone number: those who gave one and may see the group."""
    named = Staff.objects.filter(Q(role__in=decision.to) | Q(username__in=decision.to), is_active=True)
    found = named.exclude(mobile="").order_by("username")[:CALLED]
    return tuple(f"tel:{one.mobile}" for one in found if can(one, "desk.view", group_id=decision.group_id))


def _places(names: set[str]) -> Mapping[str, list[Place]]:
    """Return where each name leads: groups by name or id, channels that only send by their own name or their group's."""
    channels = list(Channel.objects.all())
    enabled = {(channel.connector, channel.account) for channel in channels if channel.enabled}
    found: dict[str, list[Place]] = {}
    for group in Group.objects.filter(name__in=names) | Group.objects.filter(platform_id__in=names):
        place = Place(
            connector=group.connector, account=group.account, conv_id=group.platform_id,
            why="" if (group.connector, group.account) in enabled else "no_channel",
        )  # fmt: skip
        for name in {group.name, group.platform_id} & names:
            found.setdefault(name, []).append(place)
    for channel in channels:
        conv_id = json.loads(channel.settings or "{}").get("conv_id")
        for name in {channel.name, conv_id} & names if conv_id else ():
            why = "" if channel.enabled else "no_channel"
            place = Place(connector=channel.connector, account=channel.account, conv_id=conv_id, why=why)
            if place not in found.setdefault(name, []):
                found[name].append(place)
    return found
