"""Write down who did what, in a chain that shows when somebody tampers with it.

hash(entry) = SHA-256 of the previous entry's hash, the entry's own columns and the hash of its details. Details can so be
shredded (privacy) while the chain stays whole; their salt goes with them, so that what they said cannot be guessed from the
hash. A changed, removed, inserted or cut-off entry is found by `verify_chain`. Somebody who may rewrite the whole table and
the head can forge a whole chain: keep a copy of the newest hash elsewhere where that matters.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.utils import timezone

from qunce.accounts.models import AuditEntry, AuditHead, Staff

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

GENESIS: Final = "0" * 64
"""Hash before the first entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainReport:
    """What `verify_chain` found. `broken_at` is the id of the first bad entry; None with `ok=False` = the tail is missing."""

    ok: bool
    checked: int
    broken_at: int | None = None
    reason: str = ""


def record(
    *,
    actor: Staff | None,
    action: str,
    target_type: str = "",
    target_id: object = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """Append one entry in the caller's transaction, so that the deed and its record stand or fall together.

    `before` and `after` hold what changed, as JSON values: ids, settings, counts; never message text. `actor=None` is the
    system. Holds the chain's lock until the caller's transaction ends: record late in long ones.
    """
    with transaction.atomic():
        AuditHead.objects.get_or_create(pk=1, defaults={"hash": GENESIS})
        head = AuditHead.objects.select_for_update().get(pk=1)
        details = _canonical({"before": before, "after": after, "salt": secrets.token_hex(8)})
        entry = AuditEntry(
            at=timezone.now(),
            actor=actor,
            action=action,
            target_type=target_type,
            target_id=str(target_id),
            details=details,
            details_hash=_sha256(details),
            prev_hash=head.hash,
        )
        entry.hash = _entry_hash(entry)
        entry.save(force_insert=True)
        head.entries += 1
        head.hash = entry.hash
        head.save(update_fields=["entries", "hash"])
    return entry


def details_of(entry: AuditEntry) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what an entry says was before and after; both empty when nothing was said or it was shredded."""
    details = json.loads(entry.details) if entry.details else {}
    return details.get("before") or {}, details.get("after") or {}


def shred(entry: AuditEntry) -> None:
    """Forget the details of an entry for good; that it happened, when and by whom stays."""
    AuditEntry.objects.filter(pk=entry.pk).update(details="")


def verify_chain() -> ChainReport:
    """Read the whole chain, oldest first, and tell whether it is as it was written. Memory stays flat."""
    expected, checked = GENESIS, 0
    for entry in AuditEntry.objects.order_by("id").iterator(chunk_size=1_000):
        reason = _fault(entry, expected)
        if reason:
            return ChainReport(ok=False, checked=checked, broken_at=entry.pk, reason=reason)
        expected = entry.hash
        checked += 1
    head = AuditHead.objects.filter(pk=1).first()
    if (head.hash if head else GENESIS) != expected or (head.entries if head else 0) != checked:
        return ChainReport(ok=False, checked=checked, reason="entries are missing at the end")
    return ChainReport(ok=True, checked=checked)


def _fault(entry: AuditEntry, expected_prev: str) -> str:
    if entry.prev_hash != expected_prev:
        return "an entry before this one is missing or was put in"
    if entry.details and _sha256(entry.details) != entry.details_hash:
        return "its details were changed"
    if _entry_hash(entry) != entry.hash:
        return "it was changed"
    return ""


def _entry_hash(entry: AuditEntry) -> str:
    columns = {
        "prev": entry.prev_hash,
        "at": _instant(entry.at),
        "actor": entry.actor_id,
        "action": entry.action,
        "target": [entry.target_type, entry.target_id],
        "details": entry.details_hash,
    }
    return _sha256(_canonical(columns))


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _canonical(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
