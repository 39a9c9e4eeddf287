"""Find how links lead from one account of a person to the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from qunce.domain.ids import IdentityId

Link = tuple[str, IdentityId, IdentityId]
"""Id of a link, and the two accounts it joins."""
Ends = Mapping[IdentityId, list[tuple[str, IdentityId]]]
"""Links by one end: their ids and their other ends."""


def by_end(links: Iterable[Link]) -> Ends:
    """Return links by each of their ends, in the order given."""
    ends: dict[IdentityId, list[tuple[str, IdentityId]]] = {}
    for link_id, a, b in links:
        ends.setdefault(a, []).append((link_id, b))
        ends.setdefault(b, []).append((link_id, a))
    return ends


def ways(start: IdentityId, ends: Ends) -> dict[IdentityId, tuple[str, ...]]:
    """Return the accounts that links lead to from one, by number, each with the fewest links that do; earlier links first."""
    found: dict[IdentityId, tuple[str, ...]] = {start: ()}
    waiting = [start]
    for account in waiting:  # grows while it is walked
        for link_id, end in ends.get(account, ()):
            if end not in found:
                found[end] = (*found[account], link_id)
                waiting.append(end)
    del found[start]
    return dict(sorted(found.items()))
