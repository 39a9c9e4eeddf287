"""Signing in, one's own account, language and look; managing staff; settings."""

import pytest
from django.test import Client
from django.urls import reverse

from qunce.accounts.models import AuditEntry, Role, Staff
from qunce.runtime import organisation
from qunce.runtime.models import Job
from tests.integration.console_world import take

pytestmark = pytest.mark.django_db
PASSWORD = "correct-horse-9"


@pytest.fixture
def admin() -> Staff:
    return Staff.objects.create_user("admin", PASSWORD, role=Role.ADMIN, display_name="林晓")


@pytest.fixture
def client(admin: Staff) -> Client:
    client = Client()
    client.force_login(admin)
    return client


def test_the_right_password_opens_the_page_that_was_asked_for(admin: Staff) -> None:
    browser = Client()
    asked = browser.get(reverse("groups"))
    assert asked["Location"] == "/login?next=/groups"
    done = browser.post(asked["Location"], {"username": "admin", "password": PASSWORD, "next": "/groups"})
    assert done["Location"] == "/groups"


def test_a_wrong_password_is_said_in_words(admin: Staff) -> None:
    response = Client().post(reverse("login"), {"username": "admin", "password": "wrong"})
    assert response.status_code == 401
    assert 'role="alert"' in response.content.decode()
    assert 'value="admin"' in response.content.decode()


def test_guessing_is_locked_out_with_a_way_on(admin: Staff) -> None:
    browser = Client()
    for _attempt in range(6):
        response = browser.post(reverse("login"), {"username": "admin", "password": "wrong"})
    assert response.status_code == 429
    assert "15 分钟后再试" in response.content.decode()


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        pytest.param("/groups?q=a", "/groups?q=a", id="back to where one was"),
        pytest.param("https://evil.example/", "/", id="never to another house"),
        pytest.param("//evil.example/", "/", id="nor by two slashes"),
        pytest.param("", "/", id="home without an address"),
    ],
)
def test_choosing_a_theme_leads_back(client: Client, target: str, expected: str) -> None:
    response = client.post(reverse("set-theme"), {"theme": "dark", "next": target})
    assert response["Location"] == expected
    assert 'data-bs-theme="dark"' in client.get(reverse("profile")).content.decode()


def test_a_language_is_remembered_with_the_person(client: Client, admin: Staff) -> None:
    client.post(reverse("set-language"), {"language": "en", "next": "/"})
    admin.refresh_from_db()
    assert admin.language == "en"
    assert '<html lang="en"' in client.get(reverse("profile")).content.decode()
    assert client.post(reverse("set-language"), {"language": "xx", "next": "/"}).status_code == 302


def test_ones_own_password_is_changed_and_one_stays_signed_in(client: Client, admin: Staff) -> None:
    form = {"old_password": PASSWORD, "new_password1": "another-horse-8", "new_password2": "another-horse-8"}
    assert "密码已修改" in client.post(reverse("change-password"), form, follow=True).content.decode()
    admin.refresh_from_db()
    assert admin.check_password("another-horse-8")
    weak = form | {"old_password": "another-horse-8", "new_password1": "1234", "new_password2": "1234"}
    assert client.post(reverse("change-password"), weak).status_code == 422


def test_ones_own_name_is_changed(client: Client, admin: Staff) -> None:
    client.post(reverse("rename-self"), {"display_name": "林小晓"})
    admin.refresh_from_db()
    assert str(admin) == "林小晓"


def test_where_one_is_called_is_kept_and_never_told_to_the_audit(client: Client, admin: Staff) -> None:
    client.post(reverse("rename-self"), {"display_name": "林晓", "email": "lin@shop.example", "mobile": "+8613800000000"})
    admin.refresh_from_db()
    assert (admin.email, admin.mobile) == ("lin@shop.example", "+8613800000000")
    assert 'value="lin@shop.example"' in client.get(reverse("profile")).content.decode()
    entry = AuditEntry.objects.get(action="staff.changed")
    assert "lin@shop" not in entry.details
    assert "1380000" not in entry.details
    for wrong in ({"email": "lin"}, {"mobile": "call me"}):
        client.post(reverse("rename-self"), wrong)
    admin.refresh_from_db()
    assert (admin.email, admin.mobile) == ("lin@shop.example", "+8613800000000")
    client.post(reverse("edit-staff", args=[admin.pk]), {"role": "admin", "is_active": "on", "email": "", "mobile": ""})
    admin.refresh_from_db()
    assert (admin.email, admin.mobile) == ("", "")


def test_staff_is_added_scoped_changed_and_stopped(client: Client) -> None:
    take()
    response = client.post(
        reverse("create-staff"), {"username": "wang", "password": PASSWORD, "role": Role.MANAGER, "display_name": "老王"}
    )
    staff = Staff.objects.get(username="wang")
    assert response["Location"] == reverse("edit-staff", args=[staff.pk])
    client.post(reverse("scope-staff", args=[staff.pk]), {"group": ["1", "x"], "community": []})
    assert list(staff.scopes.values_list("group_id", flat=True)) == [1]
    client.post(reverse("edit-staff", args=[staff.pk]), {"display_name": "王", "role": Role.HOST})
    staff.refresh_from_db()
    assert (staff.role, staff.is_active) == (Role.HOST, False)
    client.post(reverse("reset-password", args=[staff.pk]), {"password": "third-horse-77"})
    staff.refresh_from_db()
    assert staff.check_password("third-horse-77")
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"staff.created", "staff.scoped", "staff.changed", "staff.password_set"} <= actions
    page = client.get(reverse("audit"), {"action": "staff.created"}).content.decode()
    assert "新建员工" in page


@pytest.mark.parametrize(
    ("form", "says"),
    [
        pytest.param({"username": "admin", "password": PASSWORD, "role": "host"}, "已被使用", id="a name that is taken"),
        pytest.param({"username": "new", "password": "1", "role": "host"}, "密码", id="a weak password"),
        pytest.param({"username": "new", "password": PASSWORD, "role": "king"}, "king", id="a role there is not"),
    ],
)
def test_what_is_wrong_with_new_staff_is_said(client: Client, form: dict[str, str], says: str) -> None:
    response = client.post(reverse("create-staff"), form)
    assert response.status_code == 422
    assert says in response.content.decode()


def test_the_last_administrator_cannot_go(client: Client, admin: Staff) -> None:
    response = client.post(reverse("edit-staff", args=[admin.pk]), {"display_name": "", "role": Role.HOST, "is_active": "on"})
    assert response.status_code == 422
    assert "至少要保留一位" in response.content.decode()


def test_settings_are_changed_and_checked(client: Client) -> None:
    client.post(reverse("change-settings"), {"name": "春风里", "currency": "HKD"})
    assert (organisation.name(), organisation.currency()) == ("春风里", "HKD")
    assert Job.objects.filter(kind="rebuild").count() == 1
    client.post(reverse("change-settings"), {"name": "春风里", "currency": "ZZZ"})
    assert organisation.currency() == "HKD"
    client.post(reverse("check-data"))
    assert Job.objects.filter(kind="rebuild").count() == 2
