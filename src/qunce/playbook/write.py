"""Write a playbook as the YAML files that `load.parse` reads: the way back from forms, and export.

Comments and the layout of files that people wrote are not kept; the content hash is.
"""

from __future__ import annotations

from typing import Final

import msgspec
import yaml

from qunce.playbook.binding import fields_of
from qunce.playbook.schema import SCHEMA_VERSION, Playbook
from qunce.playbook.units import format_duration

FILES: Final = {
    "playbook": "playbook.yaml",
    "exempt": "playbook.yaml",
    "blocklist": "playbook.yaml",
    "ladders": "ladders.yaml",
    "lexicons": "lexicons.yaml",
    "rules": "rules.yaml",
    "answers": "answers.yaml",
    "duties": "answers.yaml",
    "holidays": "answers.yaml",
    "segments": "segments.yaml",
    "tiers": "tiers.yaml",
    "attributes": "profile.yaml",
    "tag_groups": "tags.yaml",
    "replies": "replies.yaml",
}


def write(playbook: Playbook) -> dict[str, str]:
    """Return the files of a playbook. `parse(write(p))` gives the same playbook again."""
    documents: dict[str, dict[str, object]] = {}
    for section, file in FILES.items():
        value = getattr(playbook, section)
        if value != fields_default(section):
            documents.setdefault(file, {"schema_version": SCHEMA_VERSION})[section] = to_plain(value)
    return {
        file: yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=120) for file, document in documents.items()
    }


def fields_default(section: str) -> object:
    """Return what a section is when nothing is written; the section `playbook` has no default."""
    field = next(field for field in msgspec.structs.fields(Playbook) if field.name == section)
    return field.default


def to_plain(value: object) -> object:
    """Return a part as plain YAML values: durations as `30m`, defaults left out, the kind of a check first."""
    if isinstance(value, tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: to_plain(item) for name, item in value.items()}
    if not isinstance(value, msgspec.Struct):
        return value
    config = value.__struct_config__
    plain: dict[str, object] = {str(config.tag_field): config.tag} if config.tag is not None else {}
    defaults = {field.name: _default(field) for field in msgspec.structs.fields(type(value))}
    for name, field in fields_of(type(value)).items():
        item = getattr(value, field.name)
        if field.required or item != defaults[field.name]:
            plain[name] = format_duration(item) if field.name.endswith("_s") and isinstance(item, int) else to_plain(item)
    return plain


def _default(field: msgspec.structs.FieldInfo) -> object:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default
