"""Sort all members anew, and record every move as an event."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from django.db import connection

from qunce.accounts.models import Staff
from qunce.analytics import refresh as mirror_refresh
from qunce.analytics import traits
from qunce.analytics.engine import Engine
from qunce.analytics.segments.run import SegmentEngine
from qunce.analytics.tiers import Sorted, sort_members
from qunce.domain.events import Event, Party, Source, TierMoved
from qunce.domain.keys import native_key
from qunce.domain.localtime import LocalClock
from qunce.playbook.schema.tiers import Scheme
from qunce.readmodels.models import Identity, Member, TierHolding
from qunce.runtime import jobs, mirror, organisation
from qunce.runtime.as_of import moment_of
from qunce.runtime.clock import now_ms
from qunce.runtime.ingest import Ingest
from qunce.runtime.models import Job, JobState
from qunce.runtime.tiers.schemes import Schemes, in_force

logger = logging.getLogger(__name__)

JOB_KIND: Final = "tiers"
DAY_MS: Final = 86_400_000
EARLIER_WEEKS: Final = 4
"""Before the first sorting members are sorted as of the ends of the weeks before, so that moves can be seen at once."""
CHUNK: Final = 10_000
Beat = Callable[[dict[str, Any]], None]


def start(*, actor: Staff | None) -> int:
    """Queue sorting all members, unless it waits already; return the job's id."""
    return jobs.enqueue_once(JOB_KIND, actor=actor, action="tiers.sort")


def start_if_due(moment: int) -> int | None:
    """Queue the daily sorting, or the first one after other schemes came into force; None = nothing is due."""
    newest = jobs.newest(JOB_KIND)
    if newest is not None and _is_enough(newest, moment):
        return None
    return start(actor=None) if Identity.objects.exists() else None


def _is_enough(job: Job, moment: int) -> bool:
    if job.state in (JobState.QUEUED, JobState.RUNNING):
        return True
    same = job.state == JobState.FAILED or job.result.get("version") == in_force().version
    return same and job.created_ms > moment - DAY_MS


def newest_run() -> Job | None:
    """Return the newest sorting that ended well; None = members were never sorted."""
    return Job.objects.filter(kind=JOB_KIND, state=JobState.DONE).order_by("-pk").first()


def perform(params: Mapping[str, Any], beat: Beat) -> dict[str, Any]:
    """Do a sorting job; done twice it finds nothing to move."""
    moment = moment_of(now_ms())
    started = time.monotonic()
    schemes = in_force()
    first = not TierHolding.objects.filter(scheme_id__in=[scheme.scheme_id for scheme in schemes.schemes]).exists()
    for weeks in range(EARLIER_WEEKS if first else 0, 0, -1):
        sort_all(schemes, moment - weeks * 7 * DAY_MS, beat, first=weeks == EARLIER_WEEKS)
    counts = sort_all(schemes, moment, beat)
    return {**counts, "as_of_ms": moment, "seconds": round(time.monotonic() - started, 2)}


def sort_all(
    schemes: Schemes, moment: int, beat: Beat = lambda progress: None, *, first: bool = False
) -> dict[str, Any]:  # fmt: skip
    """Sort every member by every scheme as of `moment`; return the version, and the moves of each scheme.

    `first`: nobody was sorted before, so that being on a level is no move from the last one.
    """
    mirror.refresh()
    day = LocalClock(organisation.zone()).day(moment)
    traits.refresh(Engine(mirror.store()), mirror.store(), day, organisation.currency())
    mirror_refresh.refresh_profiles(connection=connection, store=mirror.store(), zone=organisation.zone())
    engine = SegmentEngine(mirror.store(), LocalClock(organisation.zone()), currency=organisation.currency())
    moved: dict[str, int] = {}
    ingest = Ingest()
    for scheme, found in sort_members(engine, schemes.schemes, schemes.segments, moment, schemes.fields):
        moves = _moves(scheme, found, first=first)
        moved[scheme.scheme_id] = _record(ingest, scheme, schemes.version, moves, moment)
        beat({"done": len(moved), "total": len(schemes.schemes)})
    logger.info("sorted members", extra={"action": "tiers.sort", "version": schemes.version, "moved": sum(moved.values())})
    return {"version": schemes.version, "moved": moved}


def _moves(scheme: Scheme, found: Sorted, *, first: bool) -> Iterator[tuple[int, str | None, str]]:
    """Yield member, old level (None = the scheme was never sorted before) and new level of everybody who moved."""
    base = scheme.levels[-1].level_id
    # An account that belongs to another member now is not sorted: its own level waits until the accounts part.
    held = TierHolding.objects.filter(scheme_id=scheme.scheme_id, identity_id__in=Member.objects.values("pk"))
    before = dict(held.values_list("identity_id", "level_id"))
    unknown = None if first else base
    for level_id, members in found.items():
        for member in members.tolist():
            old = before.pop(member, unknown)
            if old != level_id:
                yield member, old, level_id
    for member, old in sorted(before.items()):
        if old != base:
            yield member, old, base


def _record(
    ingest: Ingest, scheme: Scheme, version: str, moves: Iterator[tuple[int, str | None, str]], moment: int
) -> int:  # fmt: skip
    count = 0
    while chunk := list(islice(moves, CHUNK)):
        accounts = {
            pk: (connector, account, platform_id)
            for pk, connector, account, platform_id in Identity.objects.filter(
                pk__in=[member for member, _old, _new in chunk]
            ).values_list("pk", "connector", "account", "platform_id")
        }
        events = [
            _event(accounts[member], scheme.scheme_id, version, old, new, moment)
            for member, old, new in chunk
            if member in accounts
        ]
        count += len(ingest.take(events).events)
    return count


def _event(account: tuple[str, str, str], scheme_id: str, version: str, old: str | None, new: str, moment: int) -> Event:
    connector, name, platform_id = account
    return Event(
        ts_ms=moment, source=Source(connector=connector, account=name, origin="self"),
        body=TierMoved(scheme_id=scheme_id, version=version, old=old, new=new),
        dedupe_key=native_key("tier", scheme_id, platform_id, new, version, str(moment)),
        subject=Party(platform_id=platform_id), confidence="derived",
    )  # fmt: skip
