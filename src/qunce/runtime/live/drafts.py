"""Keep the one draft of the next playbook: everybody who may publish works on the same one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from django.db import transaction

from qunce.accounts import audit
from qunce.accounts.models import Staff
from qunce.runtime import organisation
from qunce.runtime.clock import now_ms
from qunce.runtime.commands import CommandRefused
from qunce.runtime.live import playbooks

_NAME: Final = "playbook_draft"
Clock = Callable[[], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Files that are not published, whether they hold or not."""

    files: Mapping[str, str]
    """Texts of the YAML files by relative path."""
    origin: str
    """What it began as: `gallery:NAME` or the number of a version; empty = from nothing."""
    author: str
    """Who saved it last; empty = the command line."""
    saved_ms: int
    """Also its token: whoever saves or publishes says which state they have seen."""


def draft() -> Draft | None:
    """Return the draft; None = there is none."""
    stored = json.loads(organisation.value(_NAME, "{}"))
    if not stored:
        return None
    author = Staff.objects.filter(pk=stored["by"]).first() if stored["by"] else None
    return Draft(
        files=stored["files"], origin=stored["origin"], author=str(author) if author else "", saved_ms=stored["saved_ms"]
    )


def do_save_draft(
    *, actor: Staff | None, files: Mapping[str, str], origin: str = "", seen_ms: int = 0, clock: Clock = now_ms
) -> int:
    """Store files as the draft, mistakes and all; return its token.

    `seen_ms` is the token of the draft they are made from, 0 = none. Raises CommandRefused when the draft is another by now.
    """
    with transaction.atomic():
        known = _access(seen_ms)
        moment = max(clock(), known.saved_ms + 1 if known else 0)
        kept = {
            "files": dict(files), "origin": origin or (known.origin if known else ""), "by": actor.pk if actor else None,
            "saved_ms": moment,
        }  # fmt: skip
        organisation.decide(_NAME, json.dumps(kept, ensure_ascii=False))
        audit.record(actor=actor, action="playbook.draft", target_type="playbook", after={"files": sorted(files)})
    return moment


def do_discard_draft(*, actor: Staff | None, seen_ms: int) -> None:
    """Throw the draft away. Raises CommandRefused when it is another one by now."""
    with transaction.atomic():
        _access(seen_ms)
        organisation.decide(_NAME, "{}")
        audit.record(actor=actor, action="playbook.draft_discard", target_type="playbook")


def do_publish_draft(*, actor: Staff | None, reason: str, seen_ms: int, clock: Clock = now_ms) -> int:
    """Publish the draft and return the number of the version; the draft is gone then.

    Raises CommandRefused without a reason or when the draft is another one by now, InvalidPlaybook with every problem.
    """
    with transaction.atomic():
        known = _access(seen_ms)
        if known is None:
            raise CommandRefused("there is no draft")
        number = playbooks.do_publish(actor=actor, files=known.files, reason=reason, clock=clock)
        organisation.decide(_NAME, "{}")
    return number


def _access(seen_ms: int) -> Draft | None:
    known = draft()
    if (known.saved_ms if known else 0) != seen_ms:
        raise CommandRefused("the draft was changed meanwhile")
    return known
