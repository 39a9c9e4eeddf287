"""Replay rules over the stored past: choose, wait while it runs in the background, read what would have happened."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from qunce.accounts.access import can, requires
from qunce.console import asked, pages
from qunce.console.views.playbook import files_of
from qunce.readmodels.models import Group
from qunce.runtime import jobs, organisation
from qunce.runtime.live import drafts, playbook_views
from qunce.runtime.models import JobState
from qunce.runtime.replay import job as replays

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.http import HttpRequest, HttpResponse

MOST_SHOWN: Final = 200
"""Groups in the table of a result."""


@require_http_methods(["GET", "HEAD", "POST"])
@requires("playbook.replay")
def replay(request: HttpRequest) -> HttpResponse:
    """Offer what can be replayed, and list what was; POST starts one."""
    if request.method == "POST":
        return _start(request)
    versions = playbook_views.version_list()
    sources = [(str(row.number), _("第 %(n)s 版（%(label)s）") % {"n": row.number, "label": row.label}) for row in versions]
    if drafts.draft() is not None:
        sources.insert(0, ("draft", _("草稿")))
    gallery = [(f"gallery:{row.name}", row.title) for row in playbook_views.gallery_list()]
    visible = asked.visible(request)
    context: dict[str, Any] = {
        "sources": sources, "gallery": gallery, "running": str(versions[0].number) if versions else "",
        "chosen": asked.text(request, "source"), "versions": versions,
        "jobs": [row for row in replays.recent() if _visible(row.group_ids, visible)],
        "has_messages": Group.objects.filter(message_count__gt=0).exists(), "groups": _groups(visible),
        "may_import": can(asked.staff_of(request), "import.run"), "source_name": source_name,
    }  # fmt: skip
    return pages.render(request, "replay", _frame(request) | context, active="playbook")


@require_safe
@requires("playbook.replay")
def replay_job(request: HttpRequest, job_id: int) -> HttpResponse:
    """Show how far a replay is, and what came of it."""
    job = jobs.get(job_id)
    if job is None or job.kind != replays.JOB_KIND or not _visible(job.params["group_ids"], asked.visible(request)):
        raise Http404
    total = job.progress.get("total") or 0
    result = job.result
    context = {
        "job": job, "result": result, "busy": job.state in (JobState.QUEUED, JobState.RUNNING),
        "fraction": min(1.0, job.progress.get("done", 0) / total) if total else None, "source_name": source_name,
        "moderation": _of(result, "moderation"), "answers": _of(result, "answers"),
        "groups": sorted(result.get("groups", ()), key=lambda row: -sum(row["decisions"].values()))[:MOST_SHOWN],
        "sums": _sums(result), "titles": playbook_views.rule_titles(),
    }  # fmt: skip
    if request.headers.get("HX-Request"):
        response = pages.render_block(request, "replay_job", "state", context)
        if not context["busy"]:
            # The heading says how it stands too: let the page come whole.
            response["HX-Refresh"] = "true"
        return response
    return pages.render(request, "replay_job", _frame(request) | context, active="playbook")


def source_name(source: str) -> str:
    """Name what was replayed, in the page's language."""
    if source == "draft":
        return _("草稿")
    if source.startswith("gallery:"):
        return _("样板 %(name)s") % {"name": source.removeprefix("gallery:")}
    return _("第 %(n)s 版") % {"n": source} if source else ""


def _start(request: HttpRequest) -> HttpResponse:
    source, against = request.POST.get("source", ""), request.POST.get("against", "")
    files = files_of(source)
    against_files = files_of(against) if against else None
    group = request.POST.get("group", "")
    visible = asked.visible(request)
    chosen = frozenset({int(group)}) if group.isdecimal() and len(group) < 19 else visible
    if files is None or (against and against_files is None):
        messages.error(request, _("请选一套规则。"))
        return redirect("replay")
    if visible is not None and chosen is not None and not chosen <= visible:
        raise Http404
    job_id = replays.start(
        actor=asked.staff_of(request), files=files, source=source, against=against_files, against_source=against,
        since_ms=_midnight(request.POST.get("since", "")), until_ms=_midnight(request.POST.get("until", ""), days=1),
        group_ids=chosen,
    )  # fmt: skip
    return redirect("replay-job", job_id)


def _midnight(text: str, days: int = 0) -> int | None:
    """Return when a day begins, or the day so many days after it; None = none was given."""
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=organisation.zone())
    except ValueError:
        return None
    return int((day + timedelta(days=days)).timestamp() * 1_000)


def _visible(wanted: Collection[int] | None, visible: frozenset[int] | None) -> bool:
    """Tell whether somebody who sees these groups may see a replay of the wanted ones; None = all."""
    return visible is None or (wanted is not None and visible.issuperset(wanted))


def _groups(visible: frozenset[int] | None) -> list[tuple[int, str]]:
    rows = Group.objects.filter(message_count__gt=0)
    rows = rows if visible is None else rows.filter(pk__in=visible)
    return list(rows.order_by("-message_count", "name").values_list("pk", "name")[:500])


def _of(result: dict[str, Any], area: str) -> list[dict[str, Any]]:
    return [row for row in result.get("side", {}).get("rules", ()) if row["area"] == area]


def _sums(result: dict[str, Any]) -> list[tuple[str, int, int | None]]:
    """Return decisions by verdict: (verdict, with these rules, with the ones compared with; None = nothing is compared)."""
    now: dict[str, int] = {}
    then: dict[str, int] = {}
    for row in result.get("groups", ()):
        for sums, found in ((now, row["decisions"]), (then, row["against"] or {})):
            for verdict, count in found.items():
                sums[verdict] = sums.get(verdict, 0) + count
    compared = bool(result.get("against"))
    order = ("ban", "remove", "mute", "warn", "talk", "review", "late", "awaits")
    return [(name, now.get(name, 0), then.get(name, 0) if compared else None) for name in order if name in now or name in then]


def _frame(request: HttpRequest) -> dict[str, Any]:
    staff = asked.staff_of(request)
    may_edit = can(staff, "playbook.publish") and asked.visible(request) is None
    return {"tab": "replay", "may_edit": may_edit, "may_replay": True}
