"""What every page shows of what is going on: the bell with what calls somebody, and how much waits at the desk."""

from __future__ import annotations

from time import time
from typing import TYPE_CHECKING, Final
from zlib import crc32

from django.http import HttpResponse
from django.template.loader import get_template
from django.views.decorators.http import require_POST, require_safe

from qunce.accounts.access import requires
from qunce.console import asked
from qunce.runtime.live.desk import alarms, views

if TYPE_CHECKING:
    from django.http import HttpRequest

SHOWN: Final = 12


@require_safe
@requires("desk.view")
def pulse(request: HttpRequest) -> HttpResponse:
    """Show the bell and the number at the desk; 204 when the browser has them. Four queries at most."""
    return _pulse(request, request.GET.get("rev", ""))


@require_POST
@requires("desk.view")
def see_alarms(request: HttpRequest) -> HttpResponse:
    """Note that somebody has noticed what calls them."""
    alarms.do_see(staff=asked.staff_of(request), group_ids=asked.visible(request), now_ms=int(time() * 1_000))
    return _pulse(request, "")


def _pulse(request: HttpRequest, known: str) -> HttpResponse:
    staff, visible, now = asked.staff_of(request), asked.visible(request), int(time() * 1_000)
    rows, counts = alarms.alarms_for(staff, visible), views.counts(staff.pk, visible, now)
    rev = f"{crc32(repr((rows, counts.waiting, counts.late)).encode()):08x}"
    if rev == known:
        return HttpResponse(status=204)
    context = {"alarms": rows, "counts": counts, "rev": rev, "shown": SHOWN, "now_ms": now}
    return HttpResponse(get_template("console/pulse.html").render(context, request))
