"""Write a segment into the playbook's draft, and publish it: what the builder of the console saves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from qunce.accounts.models import Staff
from qunce.playbook import gallery
from qunce.playbook.errors import InvalidPlaybook
from qunce.playbook.load import parse
from qunce.playbook.profile import segment_fields, tag_ids
from qunce.playbook.schema import Playbook
from qunce.playbook.schema.segments import Segment
from qunce.playbook.segments import catalogue
from qunce.playbook.segments.check import check_segment, references
from qunce.playbook.write import write
from qunce.runtime.commands import CommandRefused
from qunce.runtime.live import drafts, playbooks
from qunce.runtime.segments.rules import shipped

FILE: Final = "segments.yaml"
_HEAD: Final = "schema_version: 1\nplaybook: {playbook_id: house, title: 我们的规则}\n"
Found = tuple[str, str, str, str]
"""Path below the segment, message, fix, code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """What a segment is edited in: the draft, else what is in force, else the examples."""

    playbook: Playbook
    files: Mapping[str, str]
    seen_ms: int
    """Token of the draft; 0 = there is none."""

    @property
    def segments(self) -> tuple[Segment, ...]:
        """Segments of the draft or in force; the examples where there are none."""
        return self.playbook.segments or shipped().segments

    @property
    def fields(self) -> Mapping[str, catalogue.Attribute]:
        """Attributes of members that the playbook declares."""
        return segment_fields(self.playbook.attributes)

    @property
    def tags(self) -> tuple[str, ...]:
        """Tags that the playbook declares."""
        return tuple(sorted(tag_ids(self.playbook.tag_groups)))

    def get(self, segment_id: str) -> Segment | None:
        """Return a segment, or None."""
        return next((segment for segment in self.segments if segment.segment_id == segment_id), None)

    def with_segment(self, segment: Segment, place: str | None = None) -> tuple[Segment, ...]:
        """Return all segments with one replaced (`place` is its id so far) or added."""
        place = place or segment.segment_id
        if all(known.segment_id != place for known in self.segments):
            return (*self.segments, segment)
        return tuple(segment if known.segment_id == place else known for known in self.segments)

    def check(self, segment: Segment) -> list[Found]:
        """Return what is wrong with a segment beside the others."""
        declared = frozenset(self.tags)
        return list(check_segment(self.with_segment(segment), segment, declared or None, self.fields))


def base() -> Base:
    """Return what a segment is edited in. Raises InvalidPlaybook when the draft has mistakes to be mended first."""
    draft = drafts.draft()
    newest = playbooks.newest()
    files: Mapping[str, str]
    if draft is not None:
        files = draft.files
    elif newest is not None:
        files = newest.files
    else:
        files = {"playbook.yaml": _HEAD, **gallery.segments(), **gallery.profile()}
    return Base(playbook=parse(files).playbook, files=files, seen_ms=draft.saved_ms if draft else 0)


def do_save(*, actor: Staff | None, segment: Segment, replaces: str | None = None, seen_ms: int) -> int:
    """Write a segment into the draft; return the draft's token. `replaces` is the id it had; None = it is new.

    Raises CommandRefused when the id is taken or the draft was changed meanwhile, InvalidPlaybook when the playbook would not
    hold.
    """
    known = base()
    if replaces != segment.segment_id and known.get(segment.segment_id) is not None:
        raise CommandRefused("there is a segment of that id already")
    return _save(actor, known, known.with_segment(segment, replaces), seen_ms)


def do_remove(*, actor: Staff | None, segment_id: str, seen_ms: int) -> int:
    """Take a segment out of the draft; return the draft's token.

    Raises CommandRefused when others refer to it, InvalidPlaybook when the playbook would not hold.
    """
    known = base()
    users = [other.segment_id for other in known.segments if segment_id in references(other.where)]
    if users:
        raise CommandRefused(f"other segments refer to it: {', '.join(users)}")
    kept = tuple(segment for segment in known.segments if segment.segment_id != segment_id)
    return _save(actor, known, kept, seen_ms)


def _save(actor: Staff | None, known: Base, segments: tuple[Segment, ...], seen_ms: int) -> int:
    if known.seen_ms != seen_ms:
        raise CommandRefused("the draft was changed meanwhile")
    files = _files(known, msgspec.structs.replace(known.playbook, segments=segments))
    parse(files)
    return drafts.do_save_draft(actor=actor, files=files, seen_ms=seen_ms)


def _files(known: Base, playbook: Playbook) -> Mapping[str, str]:
    """Return the files with other segments; what people wrote elsewhere stays as they wrote it."""
    rest = {name: text for name, text in known.files.items() if name != FILE}
    written = write(playbook)
    try:
        elsewhere = parse(rest).playbook.segments
    except InvalidPlaybook:  # other parts refer to segments, so which file holds them cannot be told this way
        return written
    if elsewhere:
        return written
    return {**rest, FILE: written[FILE]} if FILE in written else rest
