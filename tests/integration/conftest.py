"""What every test with Django needs."""

from collections.abc import Iterator

import pytest
from django.utils import translation


@pytest.fixture(autouse=True)
def _source_language() -> Iterator[None]:
    """Start and end each test in the source language: a request leaves its language behind in the thread."""
    with translation.override("zh-hans"):
        yield


@pytest.fixture(autouse=True)
def _empty_search_index(request: pytest.FixtureRequest) -> None:
    """Empty the search index before tests that commit: it is no model's table, so the flush between tests leaves it."""
    marker = request.node.get_closest_marker("django_db")
    if marker is None or not marker.kwargs.get("transaction"):
        return
    request.getfixturevalue("transactional_db")
    from django.db import connection

    empty = "TRUNCATE message_search" if connection.vendor == "postgresql" else _FTS_EMPTY
    with connection.cursor() as cursor:
        cursor.execute(empty)


_FTS_EMPTY = "INSERT INTO message_search (message_search) VALUES ('delete-all')"
