"""Audit sign-ins, and answer people who are locked out. The limits themselves are django-axes settings."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from axes.signals import user_locked_out
from django.conf import settings
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.http import HttpResponse
from django.template import TemplateDoesNotExist
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from qunce.accounts.audit import record
from qunce.accounts.models import AuditEntry, Staff

if TYPE_CHECKING:
    from django.http import HttpRequest

logger = logging.getLogger(__name__)


def locked_out(request: HttpRequest, response: HttpResponse | None, credentials: dict[str, str] | None) -> HttpResponse:
    """Answer 429 to somebody who guessed too often: the page `429.html` where there is one, plain text otherwise."""
    wait_minutes = int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)
    try:
        return HttpResponse(render_to_string("429.html", {"wait_minutes": wait_minutes}, request), status=429)
    except TemplateDoesNotExist:
        text = _("登录失败次数过多，请 %(minutes)d 分钟后再试。") % {"minutes": wait_minutes}
        return HttpResponse(text, status=429, content_type="text/plain; charset=utf-8")


def connect() -> None:
    """Listen to sign-ins, sign-outs and lock-outs. Called once, when the app is ready."""
    user_logged_in.connect(_signed_in, dispatch_uid="audit")
    user_logged_out.connect(_signed_out, dispatch_uid="audit")
    user_locked_out.connect(_was_locked_out, dispatch_uid="audit")


def _signed_in(sender: object, user: Staff, **kwargs: object) -> None:
    record(actor=user, action="session.opened")


def _signed_out(sender: object, user: Staff | None, **kwargs: object) -> None:
    if user is not None:
        record(actor=user, action="session.closed")


def _was_locked_out(sender: object, username: str | None = None, **kwargs: object) -> None:
    """Record a lock-out of a person who exists, once per lock: guessing on must not fill the audit."""
    logger.warning("sign-in locked", extra={"action": "session.locked"})
    staff = Staff.objects.filter(username=username or "").first()
    if staff is None:
        return
    since = timezone.now() - settings.AXES_COOLOFF_TIME
    if not AuditEntry.objects.filter(action="session.locked", target_id=str(staff.pk), at__gt=since).exists():
        record(actor=None, action="session.locked", target_type="staff", target_id=staff.pk)
