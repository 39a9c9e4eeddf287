"""Replay in the background: what the page asks for, as a job that can be repeated."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from qunce.accounts import audit
from qunce.accounts.models import Staff
from qunce.playbook.errors import InvalidPlaybook
from qunce.runtime import jobs
from qunce.runtime.models import Job
from qunce.runtime.replay.service import ReplayRefused, Request, replay

JOB_KIND: Final = "replay"
Beat = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayRow:
    """A replay in a list, without its files and its result."""

    job_id: int
    state: str
    source: str
    against_source: str
    group_ids: frozenset[int] | None
    """None = all groups."""
    messages: int | None
    """None = not finished."""
    created_ms: int


class ReplayFailed(Exception):
    """A replay that cannot be done; `reason` and `fix` are shown with the job."""

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.fix = fix


def start(
    *, actor: Staff | None, files: Mapping[str, str], source: str, against: Mapping[str, str] | None, against_source: str,
    since_ms: int | None, until_ms: int | None, group_ids: Collection[int] | None,
) -> int:  # fmt: skip
    """Queue a replay and return the job's id. The files are kept with the job: a draft that changes later changes nothing.

    `source` and `against_source` name them for people; `group_ids` None = all groups.
    """
    params = {
        "files": dict(files), "source": source, "against": dict(against) if against is not None else None,
        "against_source": against_source, "since_ms": since_ms, "until_ms": until_ms,
        "group_ids": sorted(group_ids) if group_ids is not None else None,
    }  # fmt: skip
    job_id = jobs.enqueue(JOB_KIND, params, actor_id=actor.pk if actor else None)
    audit.record(actor=actor, action="replay.start", target_type="job", target_id=job_id, after={"source": source})
    jobs.wake()
    return job_id


def recent(limit: int = 30) -> tuple[ReplayRow, ...]:
    """Return the newest replays, newest first. One query that leaves files and results where they are."""
    columns = ("pk", "state", "params__source", "params__against_source", "params__group_ids", "result__messages", "created_ms")
    rows = Job.objects.filter(kind=JOB_KIND).order_by("-pk").values_list(*columns)[:limit]
    # SQLite hands out a text of digits as a number.
    return tuple(
        ReplayRow(
            job_id=pk, state=state, source=str(source), against_source=str(against or ""),
            group_ids=frozenset(groups) if groups is not None else None, messages=messages, created_ms=created_ms,
        )
        for pk, state, source, against, groups, messages, created_ms in rows
    )  # fmt: skip


def perform(params: dict[str, Any], beat: Beat) -> dict[str, Any]:
    """Replay as asked and return the report as plain values. Raises ReplayFailed."""
    wanted = params["group_ids"]
    request = Request(
        playbook=params["files"], against=params["against"], since_ms=params["since_ms"], until_ms=params["until_ms"],
        group_ids=frozenset(wanted) if wanted is not None else None,
    )  # fmt: skip
    try:
        return replay(request, lambda done, total: beat({"done": done, "total": total})).as_json()
    except InvalidPlaybook as error:
        raise ReplayFailed(str(error.problems[0]), "Mend the playbook first.") from error
    except ReplayRefused as error:
        raise ReplayFailed(str(error), "Wait a moment and start it again.") from error
