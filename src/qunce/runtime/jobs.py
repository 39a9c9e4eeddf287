"""Run background jobs from one table, one at a time, in the process that works in the background.

A job is claimed by a conditional update, so two servers on one database do not do the same one. A job whose worker died (no
sign of life for a minute) is taken up again: every kind of job can be repeated without doubling anything.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

from django.db import close_old_connections, transaction
from django.db.models import Q

from qunce.accounts import audit
from qunce.accounts.models import Staff
from qunce.runtime.background.line import ring
from qunce.runtime.clock import now_ms
from qunce.runtime.models import Job, JobState
from qunce.runtime.threads import until_cancelled

logger = logging.getLogger(__name__)

KINDS = {
    "import": "qunce.runtime.imports.service:perform",
    "rebuild": "qunce.runtime.rebuild:perform",
    "replay": "qunce.runtime.replay.job:perform",
    "merges": "qunce.runtime.identity.suggest:perform",
    "profile_import": "qunce.runtime.profile.files:perform",
    "proposals": "qunce.runtime.profile.proposals:perform",
    "tag_rules": "qunce.runtime.profile.runs:perform",
    "bulk_tag": "qunce.runtime.profile.bulk:perform",
    "tiers": "qunce.runtime.tiers.sorting:perform",
    "segments": "qunce.runtime.segments.runs:perform",
}
"""Each kind's `perform(params, beat) -> result`; `beat(progress)` stores progress and is a sign of life."""

STALE_MS = 60_000
_IDLE_S = 2.0
_BEAT_S = 0.5
_TIDY_S = 3_600.0
_wake = threading.Event()


def enqueue(kind: str, params: dict[str, Any], *, actor_id: int | None) -> int:
    """Queue a job and return its id. Call `wake` after the transaction."""
    if kind not in KINDS:
        raise ValueError(f"no job kind {kind!r}")
    return int(Job.objects.create(kind=kind, params=params, actor_id=actor_id, created_ms=now_ms()).pk)


def enqueue_once(kind: str, *, actor: Staff | None, action: str = "") -> int:
    """Queue a job without parameters, unless one of its kind waits or goes on; return the id of the one that will answer.

    `action` names the entry in the audit, written when a colleague's asking queued one; empty = none.
    """
    waiting = unfinished(kind)
    if waiting is not None:
        return int(waiting.pk)
    with transaction.atomic():
        job_id = enqueue(kind, {}, actor_id=actor.pk if actor else None)
        if actor is not None and action:
            audit.record(actor=actor, action=action, target_type="job", target_id=job_id)
    wake()
    return job_id


def unfinished(kind: str) -> Job | None:
    """Return the oldest job of a kind that waits or goes on; None = there is none."""
    return Job.objects.filter(kind=kind, state__in=(JobState.QUEUED, JobState.RUNNING)).order_by("pk").first()


def newest(kind: str) -> Job | None:
    """Return the newest job of a kind, however it stands; None = there never was one."""
    return Job.objects.filter(kind=kind).order_by("-pk").first()


def wake() -> None:
    """Let the worker look at once instead of at its next round: this process's, and that of the process beside it."""
    _wake.set()
    ring()


def get(job_id: int) -> Job | None:
    """Return a job, or None when there is none of that id."""
    return Job.objects.filter(pk=job_id).first()


def recent(kind: str, limit: int = 20) -> list[Job]:
    """Return the newest jobs of a kind, newest first."""
    return list(Job.objects.filter(kind=kind).order_by("-pk")[:limit])


def run_next() -> bool:
    """Do the oldest waiting job; return False when there is none."""
    job = _claim()
    if job is None:
        return False
    beat = Beat(job.pk)
    try:
        module, _, name = KINDS[job.kind].partition(":")
        perform: Callable[[dict[str, Any], Callable[[dict[str, Any]], None]], dict[str, Any]]
        perform = getattr(import_module(module), name)
        result = perform(job.params, beat)
    except Exception as error:  # a loop border: whatever went wrong is shown, and the next job gets its turn
        logger.exception("job failed", extra={"action": "job.failed", "job_id": job.pk, "kind": job.kind})
        fix = (
            getattr(error, "fix", "")
            or "Start it again: nothing is done twice. If it fails again, the server's log has the details."
        )
        Job.objects.filter(pk=job.pk).update(
            state=JobState.FAILED, error=getattr(error, "reason", "") or type(error).__name__, fix=fix, finished_ms=now_ms()
        )
    else:
        Job.objects.filter(pk=job.pk).update(state=JobState.DONE, result=result, finished_ms=now_ms())
    return True


def _claim() -> Job | None:
    moment = now_ms()
    waiting = Q(state=JobState.QUEUED) | Q(state=JobState.RUNNING, beat_ms__lt=moment - STALE_MS)
    for job in Job.objects.filter(waiting).order_by("pk")[:5]:
        same = Job.objects.filter(pk=job.pk, state=job.state, beat_ms=job.beat_ms)
        if same.update(state=JobState.RUNNING, started_ms=moment, beat_ms=moment) == 1:
            return job
    return None


class Beat:
    """Store a job's progress, at most twice a second."""

    def __init__(self, job_id: int) -> None:
        self._job_id = job_id
        self._next = 0.0

    def __call__(self, progress: dict[str, Any]) -> None:
        if time.monotonic() >= self._next:
            Job.objects.filter(pk=self._job_id).update(progress=progress, beat_ms=now_ms())
            self._next = time.monotonic() + _BEAT_S


async def work() -> None:
    """Do jobs until cancelled; the jobs themselves run in a thread."""
    await until_cancelled(_loop, wake=_wake)


def _loop(stop: threading.Event) -> None:
    tidied = float("-inf")
    while not stop.is_set():
        close_old_connections()
        try:
            busy = run_next()
            if time.monotonic() - tidied > _TIDY_S:
                import_module("qunce.runtime.imports.service").clear_abandoned_uploads(now_ms())
                import_module("qunce.runtime.tiers.sorting").start_if_due(now_ms())
                import_module("qunce.runtime.profile.runs").start_if_due(now_ms())
                import_module("qunce.runtime.profile.proposals").start_if_due()
                import_module("qunce.runtime.identity.suggest").start_if_due(now_ms())
                tidied = time.monotonic()
        except Exception:  # the database may be away for a moment; the loop must not die of it
            logger.exception("job loop failed", extra={"action": "job.loop_failed"})
            busy = False
        if not busy:
            _wake.wait(_IDLE_S)
            _wake.clear()
