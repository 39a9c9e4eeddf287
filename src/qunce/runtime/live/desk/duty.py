"""Tell who is on duty in which group, by the playbook in force."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from qunce.engine.desk.program import DeskProgram
from qunce.playbook.errors import InvalidPlaybook
from qunce.playbook.load import parse
from qunce.runtime.live import playbooks

Names = tuple[str | None, str | None]
"""(platform id, name) of a group."""


def on_duty(groups: Mapping[int, Names], now_ms: int) -> dict[int, tuple[str, ...]]:
    """Return who is rostered in each group, as the playbook names them; groups with nobody in particular are left out.

    One query; two the first time a version is met.
    """
    number = playbooks.standing()[0]
    program = program_of(number) if number else None
    if program is None:
        return {}
    found = {}
    for group_id, names in groups.items():
        clock = program.clock(*names)
        if clock is not None and (people := clock.on_duty(now_ms)):
            found[group_id] = people
    return found


@lru_cache(maxsize=4)
def program_of(number: int) -> DeskProgram | None:
    """Return the answer rules of a published version, which never changes; None = it cannot be used."""
    version = playbooks.get(number)
    try:
        return DeskProgram(parse(version.files).playbook, str(number)) if version is not None else None
    except InvalidPlaybook:
        return None
