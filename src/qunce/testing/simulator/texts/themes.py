"""List the themes of the brand 春风里, in the order in which they get their groups."""

from __future__ import annotations

from typing import Final

from . import beauty, fresh, mothers, reading, running, silver
from .phrases import Theme

THEMES: Final[tuple[Theme, ...]] = (
    mothers.THEME, beauty.THEME, reading.THEME, fresh.THEME, running.THEME, silver.THEME,
)  # fmt: skip
