"""Tell why the desk is empty, so that the page can say what to do next."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from qunce.readmodels.models import PLAYED
from qunce.runtime.live import playbooks, wiring
from qunce.runtime.live.desk import duty
from qunce.runtime.models import Channel, DeskThread

Why = Literal["no_playbook", "unusable", "no_answers", "no_channel", "nothing_asked", "all_done"]
"""No playbook is in force; the one in force cannot be used; none of its rules wants answers; nothing that members write reaches
us; nobody has needed an answer so far; everything was answered or ended."""


def why_empty(group_ids: Collection[int] | None) -> Why:
    """Return why nothing waits in the groups somebody may see; None = all. Four queries at most."""
    number = playbooks.standing()[0]
    if not number:
        return "no_playbook"
    program = duty.program_of(number)
    if program is None:
        return "unusable"
    threads = DeskThread.objects.all() if group_ids is None else DeskThread.objects.filter(group_id__in=group_ids)
    if threads.exists():
        return "all_done"
    if not program.has_rules:
        return "no_answers"
    return "nothing_asked" if _is_listening() else "no_channel"


def _is_listening() -> bool:
    """Tell whether any channel reads what members write in real groups."""
    enabled = Channel.objects.filter(enabled=True).exclude(connector=PLAYED).values_list("connector", flat=True)
    known = [wiring.KINDS[connector] for connector in set(enabled) if connector in wiring.KINDS]
    return any(kind.capabilities.ability("message.read").how == "automatic" for kind in known)
