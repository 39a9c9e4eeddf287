"""The pages that docs/requirements.md names are addresses of the console."""

from __future__ import annotations

import re
from pathlib import Path

from django.urls import get_resolver

REQUIREMENTS = Path(__file__).resolve().parents[2] / "docs" / "requirements.md"


def test_every_page_named_there_exists() -> None:
    named = set(re.findall(r"`page ([a-z-]+)`", REQUIREMENTS.read_text("utf-8")))
    assert named
    assert named <= {name for name in get_resolver().reverse_dict if isinstance(name, str)}
