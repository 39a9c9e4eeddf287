"""Find the attributes and tags in force: those of the published playbook, or the shipped ones where it has none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from qunce.playbook import gallery
from qunce.playbook.load import parse
from qunce.playbook.profile import tags_by_id
from qunce.playbook.schema import Playbook
from qunce.playbook.schema.profile import Attribute, Tag, TagGroup
from qunce.runtime.live import playbooks

SHIPPED = "shipped"
"""Version of the shipped ones, where those are in force."""
_HEAD = {"playbook.yaml": "schema_version: 1\nplaybook: {playbook_id: profile, title: 画像}\n"}


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """What can be said of members and groups."""

    version: str
    playbook: Playbook

    @cached_property
    def attributes(self) -> Mapping[str, Attribute]:
        """Attributes by id, in the order of the playbook."""
        return {attribute.attribute_id: attribute for attribute in self.playbook.attributes}

    @cached_property
    def tags(self) -> Mapping[str, tuple[TagGroup, Tag]]:
        """Tags by id, each with its group."""
        return tags_by_id(self.playbook.tag_groups)

    @property
    def groups(self) -> tuple[TagGroup, ...]:
        """Groups of tags, in the order of the playbook."""
        return self.playbook.tag_groups

    def rivals(self, tag: str) -> frozenset[str]:
        """Return the tags that cannot stand beside this one."""
        group = self.tags[tag][0] if tag in self.tags else None
        if group is None or not group.exclusive:
            return frozenset()
        return frozenset(item.tag_id for item in group.tags) - {tag}


def in_force() -> Vocabulary:
    """Return the attributes and tags that count. Raises InvalidPlaybook when the published playbook no longer holds."""
    version = playbooks.newest()
    if version is not None:
        found = _of_version(version.number, playbooks.label(version))
        if found is not None:
            return found
    return shipped()


@lru_cache(maxsize=1)
def shipped() -> Vocabulary:
    """Return what comes with 群策."""
    return Vocabulary(version=SHIPPED, playbook=parse({**_HEAD, **gallery.profile()}).playbook)


@lru_cache(maxsize=4)
def _of_version(number: int, label: str) -> Vocabulary | None:
    version = playbooks.get(number)
    if version is None:
        return None
    playbook = parse(version.files).playbook
    return Vocabulary(version=label, playbook=playbook) if playbook.attributes or playbook.tag_groups else None
