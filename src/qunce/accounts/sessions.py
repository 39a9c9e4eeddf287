"""Ask about a session before Django has looked at the request."""

from __future__ import annotations

from importlib import import_module

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.db import connection

from qunce.accounts.models import Staff


@sync_to_async
def is_signed_in(session_key: str) -> bool:
    """Tell whether `session_key` is a live session of active staff; what they may do is the view's business."""
    try:
        session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
        return Staff.objects.filter(pk=session.get(SESSION_KEY), is_active=True).exists()
    finally:
        if not connection.in_atomic_block:
            connection.close()  # outside Django's request nobody else would
