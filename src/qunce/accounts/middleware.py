"""Keep sessions short-lived, remember who was seen when, and refuse views nobody guarded."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.contrib.auth import logout
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone, translation

from qunce.accounts.access import required_action
from qunce.accounts.models import Staff

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

SEEN: Final = "seen_s"
"""Session key: time of the last request in whole seconds, exact to a minute."""
STEP: Final = timedelta(minutes=1)
"""Writing at every request would make every page a write."""


class StaffSessionMiddleware:
    """After AuthenticationMiddleware: end idle sessions, note the last use, speak the person's language."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle one request."""
        if isinstance(request.user, Staff):
            self._touch(request, request.user)
            if request.user.is_authenticated and request.user.language:
                translation.activate(request.user.language)
                request.LANGUAGE_CODE = translation.get_language()
        return self.get_response(request)

    def _touch(self, request: HttpRequest, staff: Staff) -> None:
        at = timezone.now()
        seen_s = request.session.get(SEEN)
        idle = timedelta(seconds=at.timestamp() - seen_s) if seen_s is not None else None
        if idle is not None and idle > settings.SESSION_IDLE_LIMIT:
            logout(request)
        elif idle is None or idle >= STEP:
            request.session[SEEN] = int(at.timestamp())
            Staff.objects.filter(pk=staff.pk).update(last_seen=at)


class GuardedViewsMiddleware:
    """Refuse a view that is neither guarded by `requires` nor public by `login_not_required`: forgetting fails loudly."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Callable[..., Any], args: object, kwargs: object) -> None:
        """Look at the view that was found for the address. Raises ImproperlyConfigured."""
        if required_action(view) is None and getattr(view, "login_required", True):
            name = f"{view.__module__}.{getattr(view, '__qualname__', view)}"
            raise ImproperlyConfigured(f"{name} must be decorated with @requires(...) or @login_not_required")
