"""Answer what went wrong, in words and with a way on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from qunce.console import pages

if TYPE_CHECKING:
    from django.http import HttpRequest


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 400."""
    return pages.problem(request, 400, _("这个请求看不懂"), _("地址或内容不完整，请返回重试。"))


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 403."""
    return pages.forbidden(request)


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer 403 to a form that is too old."""
    return pages.problem(request, 403, _("这个页面放得太久了"), _("为了安全，请刷新页面后再提交一次。"))


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 404."""
    return pages.problem(request, 404, _("没有这个页面"), _("它可能已被移动，或不在您能看到的范围里。"))


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500 with a page that needs neither database nor session, either of which may be what broke."""
    return HttpResponse(render_to_string("500.html"), status=500)
