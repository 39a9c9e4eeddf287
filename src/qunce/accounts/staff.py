"""Change the staff: every `do_` writes the rows and the audit entry in one transaction. The caller has asked `access.can`."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from qunce.accounts.audit import record
from qunce.accounts.errors import StaffRejected
from qunce.accounts.models import Role, Staff, StaffScope

if TYPE_CHECKING:
    from collections.abc import Collection

FIRST_USERNAME = "admin"


def create_first_admin() -> tuple[str, str] | None:
    """Create the administrator of a new installation; return (username, password), or None when there is staff already.

    The password is shown this once and stored as a hash only.
    """
    with transaction.atomic():
        if Staff.objects.exists():
            return None
        password = secrets.token_urlsafe(12)
        staff = Staff.objects.create_user(FIRST_USERNAME, password, role=Role.ADMIN)
        record(actor=None, action="staff.created", target_type="staff", target_id=staff.pk, after=_shown(staff))
    return FIRST_USERNAME, password


def names_of(logins: Collection[str]) -> dict[str, str]:
    """Return what colleagues are called, by login name; unknown ones are left out. One query, none without names."""
    wanted = [login for login in logins if login]
    return {staff.username: str(staff) for staff in Staff.objects.filter(username__in=wanted)} if wanted else {}


def do_create_staff(*, actor: Staff | None, username: str, password: str, role: str, display_name: str = "") -> Staff:
    """Create a member of staff who may sign in at once. Raises StaffRejected."""
    staff = Staff(username=Staff.normalize_username(username), display_name=display_name, role=role)
    _check_password(password, staff)
    staff.set_password(password)
    _check(staff)
    with transaction.atomic():
        staff.save()
        record(actor=actor, action="staff.created", target_type="staff", target_id=staff.pk, after=_shown(staff))
    return staff


def do_change_staff(
    *,
    actor: Staff | None,
    staff_id: int,
    display_name: str | None = None,
    role: str | None = None,
    is_active: bool | None = None,
    email: str | None = None,
    mobile: str | None = None,
) -> Staff:
    """Change what is given; None leaves it. Nobody can take the last administrator away.

    Raises StaffRejected, Staff.DoesNotExist.
    """
    with transaction.atomic():
        # Two administrators who demote each other at the same moment must wait for each other.
        list(Staff.objects.select_for_update().filter(role=Role.ADMIN).order_by("pk"))
        staff = Staff.objects.select_for_update().get(pk=staff_id)
        before = _shown(staff)
        staff.display_name = staff.display_name if display_name is None else display_name
        staff.role = staff.role if role is None else role
        staff.is_active = staff.is_active if is_active is None else is_active
        staff.email = staff.email if email is None else email
        staff.mobile = staff.mobile if mobile is None else mobile
        _check(staff)
        staff.save(update_fields=["display_name", "role", "is_active", "email", "mobile"])
        if not Staff.objects.filter(role=Role.ADMIN, is_active=True).exists():
            raise StaffRejected("last_admin", _("至少要保留一位可登录的系统管理员。"))
        _record_change(actor, "staff.changed", staff, before, _shown(staff))
    return staff


def do_set_scopes(
    *, actor: Staff | None, staff_id: int, community_ids: Collection[int] = (), group_ids: Collection[int] = ()
) -> None:
    """Replace the communities and groups somebody may see. Both empty: see `permissions.UNSCOPED_ROLES`."""
    with transaction.atomic():
        staff = Staff.objects.select_for_update().get(pk=staff_id)
        before = _scopes(staff)
        staff.scopes.all().delete()
        StaffScope.objects.bulk_create(
            [StaffScope(staff=staff, community_id=pk) for pk in sorted(set(community_ids))]
            + [StaffScope(staff=staff, group_id=pk) for pk in sorted(set(group_ids))]
        )
        _record_change(actor, "staff.scoped", staff, before, _scopes(staff))


def do_set_password(*, actor: Staff | None, staff_id: int, password: str) -> None:
    """Set somebody's password, which ends their other sessions. Raises StaffRejected."""
    with transaction.atomic():
        staff = Staff.objects.select_for_update().get(pk=staff_id)
        _check_password(password, staff)
        staff.set_password(password)
        staff.save(update_fields=["password"])
        record(actor=actor, action="staff.password_set", target_type="staff", target_id=staff.pk)


def do_set_language(*, actor: Staff, language: str) -> None:
    """Remember the console language of `actor`; empty = as the browser asks. A taste, not a deed: not audited."""
    Staff.objects.filter(pk=actor.pk).update(language=language)


def _check(staff: Staff) -> None:
    try:
        staff.full_clean()
    except ValidationError as error:
        raise StaffRejected("invalid", " ".join(error.messages)) from error


def _check_password(password: str, staff: Staff) -> None:
    try:
        validate_password(password, staff)
    except ValidationError as error:
        raise StaffRejected("weak_password", " ".join(error.messages)) from error


def _record_change(actor: Staff | None, action: str, staff: Staff, before: dict[str, Any], after: dict[str, Any]) -> None:
    changed = [key for key in after if before[key] != after[key]]
    if changed:
        record(
            actor=actor,
            action=action,
            target_type="staff",
            target_id=staff.pk,
            before={key: before[key] for key in changed},
            after={key: after[key] for key in changed},
        )


def _shown(staff: Staff) -> dict[str, Any]:
    return {
        "username": staff.username,
        "display_name": staff.display_name,
        "role": str(staff.role),
        "is_active": staff.is_active,
        # That there is one, never which: the audit outlives what somebody may want to have forgotten.
        "email": bool(staff.email),
        "mobile": bool(staff.mobile),
    }


def _scopes(staff: Staff) -> dict[str, Any]:
    rows = list(staff.scopes.values_list("community_id", "group_id"))
    return {
        "community_ids": sorted(community for community, _group in rows if community is not None),
        "group_ids": sorted(group for _community, group in rows if group is not None),
    }
