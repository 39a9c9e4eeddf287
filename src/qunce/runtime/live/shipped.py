"""Put what ships, and is in force where a playbook says nothing of its own, into the draft, to be changed there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from qunce.accounts.models import Staff
from qunce.playbook import gallery, parts
from qunce.runtime.commands import CommandRefused
from qunce.runtime.live import drafts, playbooks
from qunce.runtime.live.sheets import draft_files

_HEAD: Final = "schema_version: 1\nplaybook: {playbook_id: community, title: 社群, title_en: Community}\n"
_FILES: Final[Mapping[str, tuple[Callable[[], dict[str, str]], str]]] = {
    "tiers": (gallery.tiers, "tiers.yaml"),
    "segments": (gallery.segments, "segments.yaml"),
    "attributes": (gallery.profile, "profile.yaml"),
    "tag_groups": (gallery.profile, "tags.yaml"),
}
"""By section: the files it ships in, and which of them holds it."""


def lacking(files: Mapping[str, str]) -> tuple[str, ...]:
    """Return the sections that these files say nothing of and that could be taken over as they ship."""
    there = {part.section for part in parts.parts(files)}
    return tuple(section for section in _FILES if section not in there)


def do_add_shipped(section: str, *, actor: Staff | None) -> int:
    """Add a section as it ships to the draft, or to the rules in force as the first change of one; return the draft's token.

    Raises CommandRefused when the draft has the section, or nothing of that name ships.
    """
    files, seen_ms = draft_files()
    if section not in _FILES:
        raise CommandRefused("nothing of that name ships")
    if section not in lacking(files):
        raise CommandRefused("the draft has it already")
    texts, name = _FILES[section]
    newest = playbooks.newest()
    origin = str(newest.number) if seen_ms == 0 and newest is not None else ""
    added = {**(files or {"playbook.yaml": _HEAD}), _free(name, files): texts()[name]}
    return drafts.do_save_draft(actor=actor, files=added, origin=origin, seen_ms=seen_ms)


def _free(name: str, files: Mapping[str, str]) -> str:
    """Return a name for the file that none of the others has."""
    stem = name.removesuffix(".yaml")
    return next(free for number in range(len(files) + 1) if (free := f"{stem}{number or ''}.yaml") not in files)
