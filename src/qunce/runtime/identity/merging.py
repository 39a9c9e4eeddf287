"""Change how accounts are merged: audited."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from django.db import connection, transaction

from qunce.accounts import audit
from qunce.journal.store import Journal
from qunce.runtime import organisation
from qunce.runtime.commands import CommandRefused
from qunce.runtime.identity.settings import LIMITS, LINKED, MergeSettings, merge_settings

if TYPE_CHECKING:
    from qunce.accounts.models import Staff


def do_change_merging(*, actor: Staff | None, new: MergeSettings) -> bool:
    """Store how accounts are merged; return False when it is so already. Raises CommandRefused for a limit out of `LIMITS`.

    Where more accounts may merge than before, all keys are looked at again with the next news. Links that stand stay.
    """
    if new.most_accounts not in LIMITS:
        raise CommandRefused(f"the limit must be {LIMITS.start} to {LIMITS.stop - 1} accounts")
    old = merge_settings()
    if new == old:
        return False
    with transaction.atomic():
        organisation.decide("identity_by_keys", "on" if new.by_keys else "off")
        organisation.decide("identity_most_accounts", str(new.most_accounts))
        if new.most_accounts > old.most_accounts:
            Journal(connection).move_cursor(LINKED, 0)
        audit.record(actor=actor, action="member.merge_settings", target_type="settings", before=asdict(old), after=asdict(new))
    return True
