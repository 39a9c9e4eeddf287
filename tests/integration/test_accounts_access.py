"""Who may do what, where: the table of roles, the scopes, and the guard in front of every view."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from qunce.accounts.access import EVERYWHERE, can, scope_of, visible_group_ids
from qunce.accounts.models import Role, Staff
from qunce.accounts.permissions import ACTIONS, UNSCOPED_ROLES, allowed
from qunce.accounts.staff import do_set_scopes
from qunce.readmodels.models import Community, Group

pytestmark = pytest.mark.django_db

# One letter a role, in this order: admin, supervisor, executor, manager, expert, support agent, host, shop guide, analyst.
ROLES = dict(zip("asemxthgn", Role, strict=True))
EXPECTED = {
    "self.manage": "asemxthgn",
    "overview.view": "asemxthgn",
    "desk.view": "asemxthg",
    "desk.answer": "asemxthg",
    "group.view": "asemxthgn",
    "group.change": "as",
    "member.view": "asemxthgn",
    "member.flag": "asem",
    "member.export": "as",
    "member.merge": "asm",
    "profile.change": "asem",
    "tier.view": "asemxthgn",
    "tier.sort": "as",
    "segment.view": "asemn",
    "segment.run": "as",
    "metric.view": "asemn",
    "metric.export": "asn",
    "case.view": "asem",
    "case.decide": "asem",
    "case.teach": "as",
    "playbook.view": "asemn",
    "playbook.publish": "as",
    "playbook.replay": "asn",
    "playbook.announce": "asem",
    "channel.view": "as",
    "channel.manage": "a",
    "channel.practise": "as",
    "import.view": "asn",
    "import.run": "as",
    "staff.view": "as",
    "staff.manage": "a",
    "settings.view": "as",
    "settings.change": "a",
    "audit.view": "as",
}
OWN, IN_OWN_COMMUNITY, FOREIGN = 11, 21, 31


@pytest.fixture
def groups() -> None:
    own = Community.objects.create(id=2, name="母婴")
    Group.objects.bulk_create(
        Group(id=pk, connector="c", account="a", platform_id=str(pk), kind="group", name=str(pk), community=community)
        for pk, community in [(OWN, None), (IN_OWN_COMMUNITY, own), (FOREIGN, None)]
    )


def _staff(role: Role = Role.MANAGER, *, scoped: bool = True) -> Staff:
    staff = Staff.objects.create_user(f"{role}-{scoped}", "a long password", role=role)
    if scoped:
        do_set_scopes(actor=None, staff_id=staff.pk, community_ids=[2], group_ids=[OWN])
    return staff


def _client(staff: Staff) -> Client:
    client = Client()
    client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_every_action_is_in_the_expected_table() -> None:
    assert set(EXPECTED) == set(ACTIONS)


@pytest.mark.parametrize("action", ACTIONS)
def test_each_role_may_do_what_the_table_says(action: str) -> None:
    letters = "".join(letter for letter, role in ROLES.items() if allowed(role, action))
    assert letters == EXPECTED[action]


def test_the_analyst_only_reads_and_exports_figures() -> None:
    assert {name for name, action in ACTIONS.items() if action.writes and allowed(Role.ANALYST, name)} == {"metric.export"}


@pytest.mark.usefixtures("groups")
@pytest.mark.parametrize("role", Role)
def test_scoped_staff_act_in_their_own_groups_and_communities_only(role: Role) -> None:
    staff = _staff(role)
    for action in ACTIONS:
        may = allowed(role, action)
        assert can(staff, action) is may
        assert can(staff, action, group_id=OWN) is may
        assert can(staff, action, group_id=IN_OWN_COMMUNITY) is may
        assert can(staff, action, community_id=2) is may
        assert can(staff, action, group_id=IN_OWN_COMMUNITY, community_id=2) is may
        assert not can(staff, action, group_id=FOREIGN)
        assert not can(staff, action, community_id=3)
        assert not can(staff, action, group_id=OWN, community_id=3)
    assert visible_group_ids(staff) == frozenset({OWN, IN_OWN_COMMUNITY})


@pytest.mark.parametrize("role", Role)
def test_without_scopes_leads_and_analysts_see_everything_and_others_nothing(role: Role) -> None:
    staff = _staff(role, scoped=False)
    assert visible_group_ids(staff) == (None if role in UNSCOPED_ROLES else frozenset())
    assert can(staff, "group.view", group_id=FOREIGN) is (role in UNSCOPED_ROLES)
    assert (scope_of(staff) == EVERYWHERE) is (role in UNSCOPED_ROLES)


def test_nobody_and_inactive_staff_may_do_nothing() -> None:
    left = Staff(username="left", role=Role.ADMIN, is_active=False)
    for action in ACTIONS:
        assert not can(None, action)
        assert not can(AnonymousUser(), action)
        assert not can(left, action)


def test_an_unknown_action_is_a_mistake_not_a_no() -> None:
    with pytest.raises(KeyError):
        can(Staff(username="x", role=Role.ADMIN), "group.veiw")


def test_asking_about_roles_alone_asks_no_database(django_assert_num_queries: object) -> None:
    staff = _staff()
    with django_assert_num_queries(0):  # type: ignore[operator]  # a fixture of pytest-django
        assert can(staff, "group.view")


@pytest.mark.urls("tests.integration.accounts_urls")
@pytest.mark.usefixtures("groups")
class TestViews:
    @pytest.mark.parametrize("path", ["/", f"/groups/{OWN}/flag", f"/groups/{OWN}/stream", "/forgotten", "/logout"])
    def test_strangers_are_sent_to_the_sign_in(self, path: str) -> None:
        response = Client().get(path)
        assert (response.status_code, response["Location"]) == (302, f"/login?next={path}")

    def test_public_views_are_public(self) -> None:
        assert Client().get("/health").status_code == 200

    def test_another_role_gets_403(self) -> None:
        assert _client(_staff(Role.HOST)).get(f"/groups/{OWN}/flag").status_code == 403

    @pytest.mark.parametrize("view", ["flag", "stream"])
    def test_a_foreign_group_does_not_exist(self, view: str) -> None:
        client = _client(_staff())
        assert client.get(f"/groups/{FOREIGN}/{view}").status_code == 404
        assert client.get(f"/groups/{IN_OWN_COMMUNITY}/{view}").status_code == 200

    def test_a_view_somebody_forgot_to_guard_does_not_answer(self) -> None:
        with pytest.raises(ImproperlyConfigured, match=r"forgotten must be decorated"):
            _client(_staff(Role.ADMIN)).get("/forgotten")
