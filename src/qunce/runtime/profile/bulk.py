"""Put or take a tag of all who belong to a segment or to a list as it is narrowed, however many: a job, in batches.

Whom it is about is asked when the job begins. A job that died goes on with the same change and does nothing twice; a change
that is undone while it goes on ends there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from django.db import transaction

from qunce.accounts import audit
from qunce.accounts.access import visible_group_ids
from qunce.accounts.models import Staff
from qunce.readmodels.selectors.days import Visible
from qunce.readmodels.selectors.members import KnownFilter, member_ids
from qunce.runtime import jobs
from qunce.runtime.clock import now_ms
from qunce.runtime.commands import CommandRefused
from qunce.runtime.ingest import Ingest, batches
from qunce.runtime.models import ChangeBatch
from qunce.runtime.profile import changing
from qunce.runtime.profile.changing import CHUNK
from qunce.runtime.profile.views import seen_members
from qunce.runtime.segments import views as segments

JOB_KIND: Final = "bulk_tag"
DAY_MS: Final = 86_400_000
MOST_DAYS: Final = 3_650
Beat = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Whom:
    """Whom a change is about: a segment, or the list of members as it is narrowed.

    Without a `kind` it is about members only: colleagues, bots and personas stand on the list, and are nobody to be tagged.
    """

    segment: str = ""
    at_ms: int | None = None
    """Who belonged to the segment at this moment; None = as of its newest run."""
    text: str = ""
    kind: str = ""
    tag: str = ""
    attribute: str = ""
    word: str = ""


def chosen(whom: Whom, visible: Visible, moment: int, wait_s: float = 5.0) -> list[int]:
    """Return the members it is about whom somebody may see who sees these groups.

    Raises Computing while another page asks who belonged to a segment, for longer than `wait_s`.
    """
    if not whom.segment:
        known = KnownFilter(now_ms=moment, tag=whom.tag, attribute=whom.attribute, word=whom.word)
        return member_ids(visible, text=whom.text, kind=whom.kind or "member", known=known)
    found = segments.member_ids(whom.segment, whom.at_ms, wait_s)
    return [member for chunk in batches(found, CHUNK) for member in seen_members(chunk, visible)]


def until(days: str, moment: int) -> int | None:
    """Return the end of a tag that is put for some days; None = it has none, also where no number of days is given."""
    number = int(days) if days.isascii() and days.isdecimal() and len(days) < 6 else 0
    return moment + number * DAY_MS if 0 < number <= MOST_DAYS else None


def start(*, actor: Staff, whom: Whom, tag: str, put: bool, reason: str = "", days: str = "") -> int:
    """Queue the change; return the job's id. Raises CommandRefused for an unknown tag."""
    if put:
        changing.check_tag(tag)
    params = {
        "whom": asdict(whom), "tag": tag, "put": put, "reason": reason, "days": days, "actor": actor.pk,
        "batch": changing.new_batch_id(),
    }  # fmt: skip
    with transaction.atomic():
        job_id = jobs.enqueue(JOB_KIND, params, actor_id=actor.pk)
        after = {"tag": tag, "put": put, "segment": whom.segment, "batch": params["batch"]}
        audit.record(actor=actor, action="profile.bulk", target_type="job", target_id=job_id, after=after)
    jobs.wake()
    return job_id


def perform(params: Mapping[str, Any], beat: Beat) -> dict[str, Any]:
    """Do the change, a few thousand members a transaction."""
    started, actor, batch_id = time.monotonic(), Staff.objects.get(pk=params["actor"]), str(params["batch"])
    tag, put = str(params["tag"]), bool(params["put"])
    newest = ChangeBatch.objects.filter(batch_id=batch_id).first()
    moment = newest.made_ms if newest is not None else now_ms()
    members = chosen(Whom(**params["whom"]), visible_group_ids(actor), moment, wait_s=120.0)
    if not members and newest is None:
        raise Nobody
    ingest, done, changes = Ingest(), 0, newest.changes if newest else 0
    summary = {"tag": tag, "members": len(members)}
    for chunk in batches(members, CHUNK):
        if put:
            first = changing.first_identities(chunk)
            events = changing.putting(
                first, tag, actor, batch_id, moment, reason=str(params["reason"]), until_ms=until(params["days"], moment)
            )
        else:
            events = changing.taking(chunk, frozenset({tag}), actor, batch_id, moment)
        with transaction.atomic():
            changing.open_batch(batch_id, "tag.put" if put else "tag.take", actor, summary, moment)
            if not ChangeBatch.objects.filter(batch_id=batch_id, undone_ms=None).update(made_ms=moment):
                break
            changes = changing.take(batch_id, events, ingest)
        done += len(chunk)
        beat({"done": done, "total": len(members)})
    return {
        "batch": batch_id, "members": done, "changes": changes, "seconds": round(time.monotonic() - started, 2),
        "undone": done < len(members),
    }  # fmt: skip


class Nobody(CommandRefused):
    """Whom it was about has gone meanwhile; `reason` and `fix` are shown with the job."""

    fix = "Open the list again and look who is on it."

    def __init__(self) -> None:
        """Say so."""
        super().__init__("nobody is on the list any more")
