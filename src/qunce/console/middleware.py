"""Make the organisation's zone the current one, so that every page tells its time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from qunce.runtime import organisation

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse


class OrganisationZoneMiddleware:
    """After the session: activate the zone for signed-in people. Others see no times, and cost no query."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle one request."""
        if not request.user.is_authenticated:
            return self.get_response(request)
        with timezone.override(organisation.zone()):
            return self.get_response(request)
