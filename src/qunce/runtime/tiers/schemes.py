"""Find the schemes of tiers in force: those of the published playbook, or the shipped ones where it has none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from qunce.playbook import gallery
from qunce.playbook.load import parse
from qunce.playbook.profile import segment_fields
from qunce.playbook.schema.segments import Segment
from qunce.playbook.schema.tiers import Scheme
from qunce.playbook.segments.catalogue import Attribute
from qunce.runtime.live import playbooks

SHIPPED = "shipped"
"""Version of the shipped schemes, where those are in force."""
_HEAD = {"playbook.yaml": "schema_version: 1\nplaybook: {playbook_id: tiers, title: 分层}\n"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Schemes:
    """Schemes with the segments that their conditions may name."""

    version: str
    schemes: tuple[Scheme, ...]
    segments: tuple[Segment, ...]
    fields: Mapping[str, Attribute]
    """Attributes of members that those may ask for."""

    def get(self, scheme_id: str) -> Scheme | None:
        """Return a scheme, or None when there is none of that id."""
        return next((scheme for scheme in self.schemes if scheme.scheme_id == scheme_id), None)


def in_force() -> Schemes:
    """Return the schemes by which members are sorted. Raises InvalidPlaybook when the published playbook no longer holds."""
    version = playbooks.newest()
    if version is not None:
        found = _of_version(version.number, playbooks.label(version))
        if found.schemes:
            return found
    return shipped()


@lru_cache(maxsize=1)
def shipped() -> Schemes:
    """Return the schemes that come with 群策."""
    playbook = parse({**_HEAD, **gallery.tiers()}).playbook
    return Schemes(version=SHIPPED, schemes=playbook.tiers, segments=playbook.segments, fields={})


@lru_cache(maxsize=4)
def _of_version(number: int, label: str) -> Schemes:
    version = playbooks.get(number)
    if version is None:
        return Schemes(version=label, schemes=(), segments=(), fields={})
    playbook = parse(version.files).playbook
    fields = segment_fields(playbook.attributes)
    return Schemes(version=label, schemes=playbook.tiers, segments=playbook.segments, fields=fields)
