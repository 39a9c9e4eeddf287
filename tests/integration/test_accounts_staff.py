"""Changing the staff: what is refused, what is written, what is audited."""

from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.test import RequestFactory

from qunce.accounts.access import visible_group_ids
from qunce.accounts.audit import details_of, verify_chain
from qunce.accounts.errors import StaffRejected
from qunce.accounts.models import AuditEntry, Role, Staff
from qunce.accounts.staff import create_first_admin, do_change_staff, do_create_staff, do_set_password, do_set_scopes
from qunce.playbook.explain_desk import ROLES

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss() -> Staff:
    return do_create_staff(actor=None, username="boss", password="correct horse 12", role=Role.ADMIN)


def _last_entry() -> tuple[str, dict[str, Any], dict[str, Any]]:
    entry = AuditEntry.objects.latest("id")
    return entry.action, *details_of(entry)


def test_the_first_administrator_is_made_once_and_can_sign_in() -> None:
    made = create_first_admin()
    assert made is not None
    username, password = made
    assert authenticate(RequestFactory().post("/login"), username=username, password=password) is not None
    assert Staff.objects.get().role == Role.ADMIN
    assert create_first_admin() is None


def test_first_passwords_differ() -> None:
    first = create_first_admin()
    Staff.objects.all().delete()
    second = create_first_admin()
    assert first is not None
    assert second is not None
    assert first[1] != second[1]


def test_creating_staff_is_audited_without_the_password(boss: Staff) -> None:
    do_create_staff(actor=boss, username="小林", password="青山绿水长流 2026", role=Role.EXECUTOR, display_name="林")
    shown = {"username": "小林", "display_name": "林", "role": "executor", "is_active": True, "email": False, "mobile": False}
    assert _last_entry() == ("staff.created", {}, shown)
    assert not AuditEntry.objects.filter(details__contains="青山").exists()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"username": "boss"}, "invalid"),
        ({"username": ""}, "invalid"),
        ({"username": "has blank"}, "invalid"),
        ({"role": "king"}, "invalid"),
        ({"password": "short"}, "weak_password"),
        ({"password": "1234567890123"}, "weak_password"),
        ({"password": "password123456789", "username": "password12345678"}, "weak_password"),
    ],
    ids=[
        "a name that is taken",
        "no name",
        "a name with a blank",
        "an unknown role",
        "a short password",
        "a password of digits",
        "a password like the name",
    ],
)
def test_bad_staff_is_refused_with_a_reason(boss: Staff, fields: dict[str, str], code: str) -> None:
    wanted = {"username": "ann", "password": "correct horse 12", "role": "manager"} | fields
    with pytest.raises(StaffRejected) as refused:
        do_create_staff(actor=boss, **wanted)
    assert refused.value.code == code
    assert refused.value.reason
    assert Staff.objects.count() == 1


def test_a_change_is_audited_with_what_was_before(boss: Staff) -> None:
    ann = do_create_staff(actor=boss, username="ann", password="correct horse 12", role=Role.MANAGER)
    do_change_staff(actor=boss, staff_id=ann.pk, role=Role.SUPERVISOR)
    assert _last_entry() == ("staff.changed", {"role": "manager"}, {"role": "supervisor"})
    do_set_scopes(actor=boss, staff_id=ann.pk, group_ids=[5, 3, 5])
    assert _last_entry() == ("staff.scoped", {"group_ids": []}, {"group_ids": [3, 5]})
    assert visible_group_ids(Staff.objects.get(pk=ann.pk)) == frozenset({3, 5})
    do_set_password(actor=boss, staff_id=ann.pk, password="another good one 7")
    assert _last_entry() == ("staff.password_set", {}, {})
    assert verify_chain().ok


def test_a_change_that_changes_nothing_is_not_recorded(boss: Staff) -> None:
    before = AuditEntry.objects.count()
    do_change_staff(actor=boss, staff_id=boss.pk, role=Role.ADMIN)
    do_set_scopes(actor=boss, staff_id=boss.pk)
    assert AuditEntry.objects.count() == before


@pytest.mark.parametrize("change", [{"role": Role.SUPERVISOR}, {"is_active": False}], ids=["demoted", "dismissed"])
def test_the_last_administrator_stays(boss: Staff, change: dict[str, Any]) -> None:
    with pytest.raises(StaffRejected) as refused:
        do_change_staff(actor=boss, staff_id=boss.pk, **change)
    assert refused.value.code == "last_admin"
    boss.refresh_from_db()
    assert (boss.role, boss.is_active) == (Role.ADMIN, True)
    do_create_staff(actor=boss, username="second", password="correct horse 12", role=Role.ADMIN)
    do_change_staff(actor=boss, staff_id=boss.pk, **change)


def test_playbooks_call_the_roles_what_the_console_calls_them() -> None:
    assert {role.value: str(role.label) for role in Role} == ROLES
