"""Give every key of a playbook its title, unit and example, and every record its closed shape.

The same annotations serve four readers: the binder that checks YAML, the JSON schema from which the console makes its forms,
the documentation, and the engine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

SCHEMA_VERSION: Final = 1

Mode = Literal["observe", "suggest", "act"]
ID_PATTERN: Final = r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$"

_META: Final[Callable[..., Meta]] = Meta
"""Its overloads allow no optional bounds."""


def yaml_name(field: str) -> str:
    """Return the key of a field: durations drop the `_s` of their Python name, as YAML writes them with a unit."""
    return field.removesuffix("_s")


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, rename=yaml_name):
    """Base of all records in a playbook: frozen, keyword-only, closed."""


def key(
    zh: str,
    en: str,
    *examples: object,
    ge: int | float | None = None,
    le: int | float | None = None,
    pattern: str | None = None,
    max_length: int | None = None,
    kind: str = "",
) -> Meta:
    """Describe a key: title in both languages, examples, bounds. `kind` names a notation: duration, hours, template, regex."""
    return _META(
        title=zh,
        description=en,
        examples=list(examples),
        ge=ge,
        le=le,
        pattern=pattern,
        max_length=max_length,
        extra={"kind": kind},
        extra_json_schema={"x-kind": kind} if kind else None,
    )


def duration(zh: str, en: str, *examples: str, ge: int = 1, le: int = 366 * 86_400) -> Meta:
    """Describe a key that is written `30m` and kept as seconds, between `ge` and `le` seconds."""
    return key(zh, en, *examples, ge=ge, le=le, kind="duration")


Id = Annotated[str, key("编号", "Stable id; never reused for something else", "ads.bargain", pattern=ID_PATTERN, max_length=64)]
Text = Annotated[str, Meta(min_length=1, max_length=2_000)]
Title = Annotated[str, key("名称", "Name shown to operators", "砍价助力链接", max_length=80)]


def metas(annotation: Any) -> tuple[Meta, ...]:
    """Return the Meta objects of an `Annotated` type."""
    return tuple(item for item in getattr(annotation, "__metadata__", ()) if isinstance(item, Meta))
