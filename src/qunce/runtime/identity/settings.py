"""What the organisation decided about merging accounts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from qunce.runtime import organisation

MOST_ACCOUNTS: Final = 4
"""Accounts on one key that are still taken for one person; more are rather a shared phone or a shop's own number."""
LIMITS: Final = range(2, 21)
"""What `most_accounts` may be."""
LINKED: Final = "identity_key_links"
"""Cursor up to where keys have linked accounts; stands still while they must not, so that they all do once they may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeSettings:
    """How accounts are merged. `by_keys` = equal keys merge by themselves; False = they are suggested."""

    by_keys: bool
    most_accounts: int


def merge_settings() -> MergeSettings:
    """Return the decisions; at first equal keys merge by themselves."""
    return MergeSettings(
        by_keys=organisation.value("identity_by_keys", "on") == "on",
        most_accounts=int(organisation.value("identity_most_accounts", str(MOST_ACCOUNTS))),
    )
