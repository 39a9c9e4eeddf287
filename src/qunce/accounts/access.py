"""Decide whether somebody may do something, and where. Every view asks here; nothing else decides.

The table of roles is in `permissions.py`, the scopes are rows of `StaffScope`. Which groups belong to a community is known
higher up: settings name the function (`GROUPS_OF_COMMUNITIES`).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, Final

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.module_loading import import_string

from qunce.accounts.models import Staff
from qunce.accounts.permissions import UNSCOPED_ROLES, allowed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from django.contrib.auth.models import AnonymousUser
    from django.http import HttpRequest

    GroupsOf = Callable[[Collection[int]], frozenset[int]]


@dataclass(frozen=True, slots=True)
class Scope:
    """Where somebody may act. `everywhere` makes the ids meaningless."""

    everywhere: bool
    community_ids: frozenset[int] = frozenset()
    group_ids: frozenset[int] = frozenset()
    """All visible groups: those named one by one and those of the communities."""


EVERYWHERE: Final = Scope(everywhere=True)


def scope_of(staff: Staff) -> Scope:
    """Return where `staff` may act. Read once per instance, so once per request."""
    known: Scope | None = staff.__dict__.get("_scope")
    if known is None:
        known = staff.__dict__["_scope"] = _read_scope(staff)
    return known


def _read_scope(staff: Staff) -> Scope:
    rows = tuple(staff.scopes.values_list("community_id", "group_id"))
    if not rows and staff.role in UNSCOPED_ROLES:
        return EVERYWHERE
    communities = frozenset(community for community, _ in rows if community is not None)
    groups = frozenset(group for _, group in rows if group is not None)
    if communities:
        groups_of: GroupsOf = import_string(settings.GROUPS_OF_COMMUNITIES)
        groups |= groups_of(communities)
    return Scope(everywhere=False, community_ids=communities, group_ids=groups)


def visible_group_ids(staff: Staff) -> frozenset[int] | None:
    """Return the groups `staff` may see; None = all of them."""
    scope = scope_of(staff)
    return None if scope.everywhere else scope.group_ids


def can(
    staff: Staff | AnonymousUser | None, action: str, *, group_id: int | None = None, community_id: int | None = None
) -> bool:
    """Tell whether `staff` may do `action`.

    Without ids: whether they may do it anywhere at all, which asks no database. With `group_id` or `community_id`: whether they
    may do it there. A group inside a community of their scope is theirs; a community is theirs only as a whole, not because
    one of its groups is. Nobody (None, anonymous) and inactive staff may do nothing. Raises KeyError for an unknown action.
    """
    permitted = isinstance(staff, Staff) and staff.is_active and allowed(staff.role, action)
    if not permitted or not isinstance(staff, Staff):
        return False
    if group_id is None and community_id is None:
        return True
    scope = scope_of(staff)
    if scope.everywhere:
        return True
    group_fits = group_id is None or group_id in scope.group_ids
    community_fits = community_id is None or community_id in scope.community_ids
    return group_fits and community_fits


def required_action(view: object) -> str | None:
    """Return the action a view was guarded with by `requires`; None = it was not."""
    action: str | None = getattr(view, "required_action", None)
    return action


def requires(action: str, *, group: str | None = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Guard a view, sync or async: 403 when the role may not do `action`.

    `group` names the URL argument that holds a group's id: a group outside the person's scope is then 404, as if it did not
    exist. Raises KeyError at import when the table has no such action.
    """
    allowed("", action)

    def check(staff: Staff | AnonymousUser, kwargs: dict[str, Any]) -> None:
        if not can(staff, action):
            raise PermissionDenied
        if group is not None and not can(staff, action, group_id=int(kwargs[group])):
            raise Http404

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        if iscoroutinefunction(view):

            @functools.wraps(view)
            async def guarded_async(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
                await sync_to_async(check)(await request.auser(), kwargs)
                return await view(request, *args, **kwargs)

            guarded: Callable[..., Any] = guarded_async
        else:

            @functools.wraps(view)
            def guarded_sync(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
                check(request.user, kwargs)
                return view(request, *args, **kwargs)

            guarded = guarded_sync
        guarded.required_action = action  # type: ignore[attr-defined]  # how a test sees that every route is guarded
        return guarded

    return decorate
