"""What every test with Django needs."""

from collections.abc import Iterator

import pytest
from django.utils import translation


@pytest.fixture(autouse=True)
def _source_language() -> Iterator[None]:
    """Start and end each test in the source language: a request leaves its language behind in the thread."""
    with translation.override("zh-hans"):
        yield
