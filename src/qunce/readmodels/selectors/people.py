"""Name identities for screens."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from qunce.readmodels.models import Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An identity as a screen names it."""

    identity_id: int
    member_id: int
    name: str
    kind: str


def persons(identity_ids: Iterable[int | None]) -> dict[int, Person]:
    """Return the persons behind identities, by identity id. One query; None and unknown ids are left out."""
    wanted = {pk for pk in identity_ids if pk is not None}
    if not wanted:
        return {}
    rows = Identity.objects.filter(pk__in=wanted).values_list("pk", "member_id", "name", "kind")
    return {pk: Person(identity_id=pk, member_id=member, name=name, kind=kind) for pk, member, name, kind in rows}
