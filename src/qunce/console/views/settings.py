"""Show and change what the organisation decided about itself, and show how its data stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings as django_settings
from django.contrib import messages
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from qunce import __version__
from qunce.accounts.access import can, requires
from qunce.console import asked, pages
from qunce.runtime import jobs, organisation
from qunce.runtime.commands import do_change_organisation
from qunce.runtime.standing import standing

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

CURRENCIES = ("CNY", "HKD", "TWD", "USD", "EUR", "GBP", "JPY", "SGD", "MYR", "KRW", "VND", "THB")


@require_safe
@requires("settings.view")
def settings(request: HttpRequest) -> HttpResponse:
    """Show the settings and the state of the data."""
    context = {
        "name": organisation.name(), "currency": organisation.currency(), "currencies": CURRENCIES, "version": __version__,
        "zone": organisation.zone().key, "standing": standing(), "may_change": can(asked.staff_of(request), "settings.change"),
        "checks": jobs.recent("rebuild", 3), "public_url": django_settings.PUBLIC_URL,
    }  # fmt: skip
    return pages.render(request, "settings", context, active="settings")


@require_POST
@requires("settings.change")
def change_settings(request: HttpRequest) -> HttpResponse:
    """Store the organisation's name and currency."""
    currency = request.POST.get("currency", "")
    if currency not in CURRENCIES:
        messages.error(request, _("没有这种货币。"))
        return redirect("settings")
    changed = do_change_organisation(actor=asked.staff_of(request), name=request.POST.get("name", "")[:100], currency=currency)
    if changed:
        jobs.enqueue("rebuild", {"keep": True}, actor_id=asked.staff_of(request).pk)
        jobs.wake()
        messages.success(request, _("已保存。累计消费正按新货币重新计算。"))
    else:
        messages.success(request, _("已保存。"))
    return redirect("settings")


@require_POST
@requires("settings.change")
def check_data(request: HttpRequest) -> HttpResponse:
    """Fold the whole journal again in the background and compare; nothing is changed by it."""
    jobs.enqueue("rebuild", {"keep": False}, actor_id=asked.staff_of(request).pk)
    jobs.wake()
    messages.success(request, _("核对已开始，完成后结果显示在这里。"))
    return redirect("settings")
