"""Compare two playbooks by the ids of their parts, not by lines."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from qunce.playbook.check import ID_FIELDS
from qunce.playbook.schema import Playbook

Kind = Literal["added", "removed", "changed"]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One difference."""

    section: str
    """playbook, exempt, blocklist, lexicons, ladders, rules, answers, duties or holidays."""
    item_id: str
    """Id of the part; empty for sections that have none."""
    kind: Kind
    key: str = ""
    """Which key of the part; empty = the part as a whole."""
    old: object = None
    new: object = None


def diff(old: Playbook, new: Playbook) -> tuple[Change, ...]:
    """Return what is different, section by section in order of ids. Version numbers are not compared."""
    changes: list[Change] = []
    changes += _records("playbook", "", old.playbook, new.playbook, skip=("version",))
    changes += _records("exempt", "", old.exempt, new.exempt)
    changes += _items("blocklist", "", "blocklist", old.blocklist, new.blocklist)
    for section, field in ID_FIELDS.items():
        changes += _parts(section, field, getattr(old, section), getattr(new, section))
    return tuple(changes)


def _parts(section: str, field: str, old: Iterable[msgspec.Struct], new: Iterable[msgspec.Struct]) -> Iterable[Change]:
    before = {getattr(item, field): item for item in old}
    after = {getattr(item, field): item for item in new}
    for item_id in sorted(before.keys() | after.keys()):
        if item_id not in after:
            yield Change(section=section, item_id=item_id, kind="removed")
        elif item_id not in before:
            yield Change(section=section, item_id=item_id, kind="added")
        else:
            yield from _records(section, item_id, before[item_id], after[item_id])


def _records(
    section: str, item_id: str, old: msgspec.Struct, new: msgspec.Struct, skip: tuple[str, ...] = ()
) -> Iterable[Change]:
    for field in msgspec.structs.fields(type(old)):
        before, after = getattr(old, field.name), getattr(new, field.name)
        if before == after or field.name in skip:
            continue
        if field.encode_name in ("terms", "allow"):
            yield from _items(section, item_id, field.encode_name, before, after)
        else:
            yield Change(
                section=section,
                item_id=item_id,
                kind="changed",
                key=field.encode_name,
                old=msgspec.to_builtins(before),
                new=msgspec.to_builtins(after),
            )


def _items(section: str, item_id: str, key: str, old: tuple[object, ...], new: tuple[object, ...]) -> Iterable[Change]:
    for item in old:
        if item not in new:
            yield Change(section=section, item_id=item_id, kind="removed", key=key, old=msgspec.to_builtins(item))
    for item in new:
        if item not in old:
            yield Change(section=section, item_id=item_id, kind="added", key=key, new=msgspec.to_builtins(item))
