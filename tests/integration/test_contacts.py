"""Who is no contact of any employee is told from what platforms report and from imported lists, by person, with undo."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from qunce.accounts.models import AuditEntry, Role, Staff, StaffScope
from qunce.domain.events import ContactAdded, ContactRemoved, ContactTransferred
from qunce.readmodels.models import ContactMove, Group, Identity, Member
from qunce.readmodels.selectors import contacts
from qunce.runtime.commands import CommandRefused
from qunce.runtime.ingest import Ingest
from qunce.runtime.profile import changing, files
from qunce.runtime.rebuild import rebuild
from qunce.testing.builders import befriended, flagged, happened, joined, left, linked, moment, ordered, person, said

pytestmark = pytest.mark.django_db
SignIn = Callable[..., Client]
TARGETS = ("account", "contact", "contact_time")


@pytest.fixture(autouse=True)
def _world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "IDENTITY_KEY_FILE", str(tmp_path / "key"))
    (tmp_path / "key").write_text("0123456789abcdef0123456789abcdef")
    take(
        said("一群", "小助理", "大家好", at="08:00"), flagged("小助理", "staff", at="08:01"),
        said("一群", "小红", "早", at="09:00"), joined("一群", "小明", at="09:01"), joined("二群", "小兰", at="09:02"),
        joined("一群", "小兰", at="09:03"), joined("一群", "走了", at="09:04"), left("一群", "走了", at="09:05"),
        said("二群", "小红的手机", "在", at="09:06"), ordered("小兰", 99, at="09:07"),
    )  # fmt: skip


def take(*events: object) -> None:
    Ingest(clock=lambda: moment("23:00", 60)).take_all(events)  # type: ignore[arg-type]


@pytest.fixture
def sign_in() -> SignIn:
    def call(role: str = Role.ADMIN, groups: Sequence[str] = ()) -> Client:
        staff = Staff.objects.create_user(f"{role}-{len(groups)}", "correct-horse-9", role=role)
        StaffScope.objects.bulk_create(StaffScope(staff=staff, group_id=Group.objects.get(name=name).pk) for name in groups)
        client = Client()
        client.force_login(staff)
        return client

    return call


def ended(who: str, staff: str, *, at: str, day: int = 0) -> object:
    return happened(ContactRemoved(by="contact", staff=staff), "ended", who, staff, at=at, day=day, subject=person(who))


def listed(state: str = "no", group: str = "") -> list[str]:
    group_id = Group.objects.get(name=group).pk if group else None
    return [row.name for row in contacts.listed(None, state=state, group_id=group_id).rows]


def test_whoever_buys_most_and_is_no_contact_comes_first() -> None:
    take(befriended("小明", "小助理", at="10:00"))
    assert listed() == ["小兰", "小红", "小红的手机"]
    assert listed("added") == ["小明"]
    assert listed(group="二群") == ["小兰", "小红的手机"]
    found = contacts.sums(None)
    assert (found.people, found.added, found.pending, found.removed, found.no) == (4, 1, 0, 0, 3)


def test_one_account_of_a_person_is_enough() -> None:
    take(befriended("小红的手机", "小助理", at="10:00"), linked("小红", "小红的手机", at="11:00"))
    assert listed() == ["小兰", "小明"]
    assert listed("added") == ["小红"]
    assert [(row.name, row.people, row.added) for row in contacts.by_group(None)] == [("一群", 3, 1), ("二群", 2, 1)]
    (contact,) = contacts.of_members([Member.objects.get(name="小红").pk]).values()
    assert [(one.staff, one.state, one.ts_ms) for one in contact] == [("小助理", "added", moment("10:00"))]


def test_the_newest_word_of_each_employee_counts_whatever_comes_first() -> None:
    events = [
        ended("小明", "小助理", at="12:00"), befriended("小明", "小助理", at="10:00"), befriended("小兰", "甲", at="10:00"),
        befriended("小兰", "乙", at="10:00"), ended("小兰", "甲", at="11:00"),
        happened(ContactAdded(staff="甲", pending=True), "asked", "小红", at="10:00", subject=person("小红")),
    ]  # fmt: skip
    take(*events)
    assert (listed(), listed("removed")) == (["小红的手机", "小明"], ["小明"])
    assert (listed("added"), listed("pending")) == (["小兰"], ["小红"])
    transferred = ContactTransferred(from_staff="乙", to_staff="丙", status="done")
    take(happened(transferred, "moved", "小兰", at="13:00", subject=person("小兰")), ended("小兰", "乙", at="13:01"))
    assert listed("added") == ["小兰"]
    report = rebuild(keep=False)
    assert report.same, [table for table in report.tables if not table.same]


def table(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "friends.csv"
    path.write_text("\n".join(("账号,添加人,添加时间", *lines)), "utf-8")
    return path


def run(path: Path, batch: str = "importx", *, dry_run: bool = False) -> files.Report:
    return files.apply(path, TARGETS, actor=None, batch_id=batch, dry_run=dry_run)


def test_a_list_of_contacts_is_tried_taken_and_undone(tmp_path: Path) -> None:
    before = dict(Member.objects.values_list("name", "last_ms"))
    take(befriended("小兰", "小助理", at="10:00"))
    before |= {"小兰": moment("10:00")}
    path = table(tmp_path, "小红,小助理,2026-01-05 09:30", "小明,是,", "小兰,否,")
    assert files.look(path)[2] == TARGETS
    assert (run(path, dry_run=True).changes, ContactMove.objects.count()) == (3, 1)
    assert run(path).changes == 3
    assert (listed("added"), listed("removed")) == (["小红", "小明"], ["小兰"])
    told = contacts.of_members([Member.objects.get(name="小红").pk])
    assert [(one.staff, one.origin) for some in told.values() for one in some] == [("小助理", "import")]
    assert dict(Member.objects.values_list("name", "last_ms")) == before, "a list is no sign of life"
    assert run(path, "next-week").changes == 0, "what stands is not told again"
    assert changing.undoable("importx") == 3
    assert changing.do_undo_batch(actor=None, batch_id="importx") == (3, 0)
    assert (listed("added"), listed("removed")) == (["小兰"], [])
    assert rebuild(keep=False).same


@pytest.mark.parametrize(
    ("line", "text"),
    [
        pytest.param("小红,是,昨天", "no time: 昨天", id="a time that is none"),
        pytest.param("小红,是,2036-01-01", "future", id="a time that is to come"),
        pytest.param("小红,=cmd(),", "no name", id="a formula"),
        pytest.param("没有的人,是,", "no member", id="somebody nobody knows"),
    ],
)
def test_a_wrong_row_is_left_out_with_its_mend(line: str, text: str, tmp_path: Path) -> None:
    report = run(table(tmp_path, line, "小明,是,2026/01/05"))
    (mistake,) = report.mistakes
    assert text in mistake.text
    assert mistake.fix
    assert listed("added") == ["小明"]


def test_a_time_alone_is_refused() -> None:
    with pytest.raises(CommandRefused, match="says nothing alone"):
        files.check_mapping(("account", "contact_time"))


def test_without_any_source_the_page_says_what_to_do(sign_in: SignIn) -> None:
    page = sign_in().get(reverse("contacts")).content.decode()
    assert "还没有好友数据" in page
    assert reverse("member-import") in page
    assert "还没有好友数据" in sign_in(Role.EXECUTOR).get(reverse("contacts")).content.decode()


def test_the_page_its_filters_and_the_profile(sign_in: SignIn, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    take(befriended("小明", "小助理", at="10:00"))
    client = sign_in()
    client.get(reverse("contacts"))
    with django_assert_max_num_queries(20):
        page = client.get(reverse("contacts")).content.decode()
    assert "占在群的 75.0%" in page
    assert page.index("小兰") < page.index("小红的手机")
    group = Group.objects.get(name="二群").pk
    assert "小明" not in client.get(reverse("contacts"), {"group": group, "state": "added"}).content.decode()
    member = Identity.objects.get(platform_id="小明").member_id
    profile = client.get(reverse("member", args=[member])).content.decode()
    assert "是否已加好友" in profile
    assert "导入的名单" not in profile
    other = client.get(reverse("member", args=[Identity.objects.get(platform_id="小兰").member_id])).content.decode()
    assert "没有加过任何员工" in other


def test_scope_export_and_audit(sign_in: SignIn) -> None:
    take(befriended("小明", "小助理", at="10:00"))
    scoped = sign_in(Role.SUPERVISOR, ["二群"])
    assert "小红<" not in scoped.get(reverse("contacts")).content.decode()
    assert scoped.get(reverse("contacts"), {"group": Group.objects.get(name="一群").pk}).status_code == 404
    handed = scoped.get(reverse("export-contacts-csv")).content.decode("utf-8-sig")
    assert [line.split(",")[1] for line in handed.splitlines()] == ['"成员"', '"小兰"', '"小红的手机"']
    assert AuditEntry.objects.filter(action="member.contacts_exported").count() == 1
    assert sign_in(Role.EXECUTOR).get(reverse("export-contacts-xlsx")).status_code == 403
