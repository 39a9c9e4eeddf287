"""Tell accounts which groups a community holds, which it may not ask the read models itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qunce.readmodels.models import Group

if TYPE_CHECKING:
    from collections.abc import Collection


def group_ids_of(community_ids: Collection[int]) -> frozenset[int]:
    """Return the ids of all groups of these communities."""
    return frozenset(Group.objects.filter(community_id__in=community_ids).values_list("pk", flat=True))
