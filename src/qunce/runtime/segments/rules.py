"""Say which segments are in force, and what their definitions are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from hashlib import sha256
from typing import Final

import msgspec

from qunce.playbook import gallery
from qunce.playbook.load import parse
from qunce.playbook.profile import segment_fields
from qunce.playbook.schema import Playbook
from qunce.playbook.schema.segments import Segment
from qunce.playbook.segments.check import references, rules_of
from qunce.playbook.segments.tree import Rule
from qunce.runtime import organisation
from qunce.runtime.live import playbooks
from qunce.runtime.models import PlaybookVersion


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InForce:
    """The segments of a published playbook. `number` 0 = the examples."""

    number: int
    version: str
    """As decisions name it."""
    segments: tuple[Segment, ...]
    rules: Mapping[str, Rule]
    definitions: Mapping[str, str]
    """Hash of each segment's conditions, those it refers to included; `to_run` adds the currency."""


SHIPPED: Final = "shipped"
"""Version of the examples, which are in force where a playbook has no segments of its own."""
_HEAD: Final = {"playbook.yaml": "schema_version: 1\nplaybook: {playbook_id: shipped, title: 示例分群}\n"}


def in_force() -> InForce:
    """Return the segments in force. One small query while nothing is published anew.

    Raises InvalidPlaybook when the playbook was written for another version of 群策.
    """
    newest = PlaybookVersion.objects.order_by("-number").values_list("number", "content_hash").first()
    found = _of_version(*newest) if newest else None
    return found if found is not None and found.segments else shipped()


def to_run() -> InForce:
    """Return the segments in force with definitions that are of the organisation's currency too: in another, others belong."""
    return _priced(in_force(), organisation.currency())


@lru_cache(maxsize=8)
def _priced(rules: InForce, currency: str) -> InForce:
    told = {name: sha256(f"{text} {currency}".encode()).hexdigest()[:16] for name, text in rules.definitions.items()}
    return replace(rules, definitions=told)


@lru_cache(maxsize=1)
def shipped() -> InForce:
    """Return the examples that come with 群策."""
    return of_playbook(parse({**_HEAD, **gallery.segments(), **gallery.profile()}).playbook, 0, SHIPPED)


@lru_cache(maxsize=4)
def _of_version(number: int, content_hash: str) -> InForce | None:
    version = playbooks.get(number)
    if version is None or version.content_hash != content_hash:
        return None
    return of_playbook(parse(version.files).playbook, number, playbooks.label(version))


def of_playbook(playbook: Playbook, number: int = 0, version: str = "") -> InForce:
    """Return the segments of a checked playbook ready to be evaluated."""
    segments = playbook.segments
    rules = rules_of(segments, segment_fields(playbook.attributes))
    return InForce(number=number, version=version, segments=segments, rules=rules, definitions=_definitions(segments, rules))


def _definitions(segments: tuple[Segment, ...], rules: Mapping[str, Rule]) -> dict[str, str]:
    known = {segment.segment_id: segment for segment in segments}
    own = {name: msgspec.json.encode((rule.of, rule.body)) for name, rule in rules.items()}

    @cache
    def parts(name: str) -> frozenset[str]:
        found = {name}
        for other in references(known[name].where):
            found |= parts(other)
        return frozenset(found)

    return {name: sha256(b"\n".join(own[part] for part in sorted(parts(name)))).hexdigest()[:16] for name in known}
