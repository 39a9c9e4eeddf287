"""What every test with Django needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.utils import translation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.test import Client

    from tests.integration.console_world import SignIn


@pytest.fixture(autouse=True)
def _source_language() -> Iterator[None]:
    """Start and end each test in the source language: a request leaves its language behind in the thread."""
    with translation.override("zh-hans"):
        yield


@pytest.fixture
def sign_in() -> SignIn:
    """Sign somebody in with a role (the administrator's, if none is named); `groups` are the ids of their scope."""
    from django.test import Client

    from qunce.accounts.models import Role, Staff, StaffScope

    def call(role: str = Role.ADMIN, groups: tuple[int, ...] = ()) -> Client:
        staff = Staff.objects.create_user(f"{role}-{len(groups)}", "correct-horse-9", role=role)
        StaffScope.objects.bulk_create(StaffScope(staff=staff, group_id=pk) for pk in groups)
        client = Client()
        client.force_login(staff)
        return client

    return call


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
