"""Who may open which page: the permission table and the scopes, asked of every address."""

from pathlib import Path

import pytest
from django.urls import reverse

from qunce.accounts.access import required_action
from qunce.accounts.models import Role
from qunce.accounts.permissions import allowed
from qunce.console.urls import urlpatterns
from qunce.readmodels.models import Group, Member
from tests.integration.console_world import SignIn, eager, take

pytestmark = pytest.mark.django_db

PLAIN = [entry.name for entry in urlpatterns if not entry.pattern.converters]
GROUP_PAGES = ["group", "group-messages", "group-people", "group-questions", "group-settings"]


@pytest.fixture(autouse=True)
def _figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = eager(tmp_path)
    monkeypatch.setattr("qunce.console.figures.results", lambda: results)


@pytest.mark.parametrize("role", list(Role))
def test_a_role_opens_the_pages_the_table_gives_it_and_no_others(role: Role, sign_in: SignIn) -> None:
    client = sign_in(role)
    for entry in urlpatterns:
        action = required_action(entry.callback)
        if entry.name not in PLAIN or action is None:
            continue
        response = client.get(reverse(str(entry.name)))
        expected = {200, 204, 405} if allowed(role, action) else {403, 405}
        assert response.status_code in expected, entry.name


@pytest.mark.parametrize("name", GROUP_PAGES)
def test_a_group_outside_the_scope_does_not_exist(name: str, sign_in: SignIn) -> None:
    take()
    mine, foreign = Group.objects.get(name="读书会").pk, Group.objects.get(name="晨跑团").pk
    client = sign_in(Role.SUPERVISOR, (mine,))
    assert client.get(reverse(name, args=[mine])).status_code == 200
    assert client.get(reverse(name, args=[foreign])).status_code == 404
    assert client.get(reverse(name, args=[987654])).status_code == 404


def test_lists_show_the_scope_only(sign_in: SignIn) -> None:
    take()
    client = sign_in(Role.MANAGER, (Group.objects.get(name="晨跑团").pk,))
    listed = client.get(reverse("groups")).content.decode()
    assert "晨跑团" in listed
    assert "读书会" not in listed
    people = client.get(reverse("members")).content.decode()
    assert "小红" in people
    assert "老王" not in people
    found = client.get(reverse("search"), {"q": "发货"}).content.decode()
    assert "明天发" not in found
    assert "读书会" not in found


def test_a_member_outside_the_scope_does_not_exist(sign_in: SignIn) -> None:
    take()
    client = sign_in(Role.MANAGER, (Group.objects.get(name="晨跑团").pk,))
    assert client.get(reverse("member", args=[Member.objects.get(name="小红").pk])).status_code == 200
    foreign = Member.objects.get(name="老王").pk
    assert client.get(reverse("member", args=[foreign])).status_code == 404
    assert client.post(reverse("flag-member", args=[foreign]), {"kind": "staff"}).status_code == 404


def test_a_timeline_keeps_to_the_scope(sign_in: SignIn) -> None:
    take()
    client = sign_in(Role.MANAGER, (Group.objects.get(name="晨跑团").pk,))
    page = client.get(reverse("member", args=[Member.objects.get(name="小红").pk])).content.decode()
    assert "今天有人跑吗" in page
    assert "什么时候发货" not in page


def test_a_manager_without_a_scope_sees_no_group(sign_in: SignIn) -> None:
    take()
    assert "读书会" not in sign_in(Role.MANAGER).get(reverse("groups")).content.decode()


@pytest.mark.parametrize("name", ["group", "member", "import", "edit-staff", "metric"])
def test_a_bad_id_is_not_found(name: str, sign_in: SignIn) -> None:
    argument = "no_such" if name == "metric" else 424242
    assert sign_in(Role.ADMIN).get(reverse(name, args=[argument])).status_code == 404


def test_the_menu_offers_what_the_role_may_open(sign_in: SignIn) -> None:
    page = sign_in(Role.SUPPORT_AGENT).get(reverse("groups")).content.decode()
    assert f'href="{reverse("members")}"' in page
    for hidden in ("staff", "audit", "settings", "imports", "metrics"):
        assert f'href="{reverse(hidden)}"' not in page
