"""Run the rules of tags over everybody as a job: daily, after other rules came into force, and where following fell behind."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from django.db import connection, transaction

from qunce.journal.store import Journal
from qunce.readmodels.rows import Database
from qunce.runtime import jobs
from qunce.runtime.clock import now_ms
from qunce.runtime.models import Job, JobState
from qunce.runtime.profile import times
from qunce.runtime.profile.changing import new_batch_id
from qunce.runtime.profile.rules import act, acting, find_ahead, version_of
from qunce.runtime.profile.vocabulary import in_force
from qunce.runtime.segments import lease
from qunce.runtime.segments.dirty import high_water

JOB_KIND: Final = "tag_rules"
DAY_MS: Final = 86_400_000
WAIT_S: Final = 60.0
Beat = Callable[[dict[str, Any]], None]


class Busy(Exception):
    """Rules are being followed by somebody who does not let go; `reason` and `fix` are shown with the job."""

    reason = "the rules of tags are being run already"
    fix = "Look again in a minute; what goes on covers the same."


def start_if_due(moment: int) -> int | None:
    """Queue the daily run, or one after other rules came into force; None = nothing is due."""
    words = in_force()
    if not acting(words):
        return None
    newest = Job.objects.filter(kind=JOB_KIND).order_by("-pk").first()
    if newest is not None and newest.state not in (JobState.QUEUED, JobState.RUNNING):
        same = newest.state == JobState.FAILED or newest.result.get("version") == words.version
        if same and newest.created_ms > moment - DAY_MS:
            return None
    return start()


def start() -> int | None:
    """Queue a run unless one waits or goes on already; return the job's id, None = there was one."""
    if Job.objects.filter(kind=JOB_KIND, state__in=(JobState.QUEUED, JobState.RUNNING)).exists():
        return None
    job_id = jobs.enqueue(JOB_KIND, {}, actor_id=None)
    jobs.wake()
    return job_id


def perform(params: Mapping[str, Any], beat: Beat) -> dict[str, Any]:
    """Do a run of all rules that act; done twice it finds nothing to change. Whatever follows the events goes on from here.

    Raises Busy when the rules have been followed for too long to wait for it.
    """
    started, words = time.monotonic(), in_force()
    beat({"done": 0, "total": 1})
    with lease.kept(WAIT_S, times.LEASE) as holds:
        if holds is None:
            raise Busy
        moment, database, journal = now_ms(), Database(connection), Journal(connection)
        water, head = high_water(database), journal.head()
        version = version_of(words)
        outcomes, due = find_ahead(words, acting(words), moment)
        result = act(words, outcomes, moment, new_batch_id())
        with transaction.atomic():
            times.replace(database, due)
            times.start_from(journal, version, head, water)
    return {**result, "seconds": round(time.monotonic() - started, 2)}
