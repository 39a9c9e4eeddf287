"""Replay in the background: what the page asks for, as a job that can be repeated."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from qunce.accounts import audit
from qunce.accounts.models import Staff
from qunce.playbook.errors import InvalidPlaybook
from qunce.runtime import jobs
from qunce.runtime.replay.service import ReplayRefused, Request, replay

JOB_KIND: Final = "replay"
Beat = Callable[[dict[str, Any]], None]


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
