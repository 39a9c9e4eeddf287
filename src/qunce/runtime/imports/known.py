"""Name the formats that can be imported, for those who choose one."""

from __future__ import annotations

from dataclasses import dataclass

from qunce.connectors.files.registry import formats


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFormat:
    """One format: what an import is told, and what people call it."""

    name: str
    title: str


def known_formats() -> tuple[KnownFormat, ...]:
    """Return all formats, the most telling first."""
    return tuple(KnownFormat(name=item.name, title=item.title) for item in formats())
