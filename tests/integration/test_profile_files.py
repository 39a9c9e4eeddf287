"""Tables of members: mapped, tried, taken in as one batch, and undone; what is wrong is told row by row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from openpyxl import Workbook

from qunce.accounts.digests import digest_key
from qunce.accounts.models import Role, Staff
from qunce.connectors.files.errors import ImportRefused
from qunce.domain.events import IdentityKeyed, Source
from qunce.readmodels.models import AttributeValue, Identity, Member, TagHolding
from qunce.runtime import jobs
from qunce.runtime.clock import now_ms
from qunce.runtime.commands import CommandRefused
from qunce.runtime.identity.keys import link_by_keys
from qunce.runtime.ingest import Ingest
from qunce.runtime.models import Job
from qunce.runtime.profile import changing, files
from qunce.runtime.rebuild import rebuild
from qunce.testing.builders import happened, ordered, person, said

pytestmark = pytest.mark.django_db
TARGETS = ("account", "phone", "attr:city", "attr:wants", "tags", "")
HEADER = "账号,手机号,城市,想获得什么,标签,备注"


@pytest.fixture(autouse=True)
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DATA_DIR", str(tmp_path))
    monkeypatch.setattr(settings, "IDENTITY_KEY_FILE", str(tmp_path / "key"))
    (tmp_path / "key").write_text("0123456789abcdef0123456789abcdef")
    (tmp_path / "uploads").mkdir()
    Ingest().take_all([said("群", who, "早", at="09:00") for who in ("小红", "小明", "小刚")])


def table(tmp_path: Path, *lines: str, encoding: str = "utf-8", header: str = HEADER) -> Path:
    path = tmp_path / "m.csv"
    path.write_bytes("\n".join((header, *lines)).encode(encoding))
    return path


def run(path: Path, targets: tuple[str, ...] = TARGETS, dry_run: bool = False) -> files.Report:
    return files.apply(path, targets, actor=None, batch_id="importx", dry_run=dry_run)


def known() -> list[tuple[int, str, str]]:
    rows = AttributeValue.objects.exclude(value=None).order_by("identity_id", "attribute")
    return list(rows.values_list("identity_id", "attribute", "word"))


def test_a_table_gives_attributes_tags_and_keys_and_is_undone_as_a_whole(tmp_path: Path) -> None:
    path = table(tmp_path, "小红,13800138000,杭州市,学摄影,意向/强、员工,x", "小明,,成都,,,y")
    trial = run(path, dry_run=True)
    assert (trial.rows, trial.good, trial.bad, trial.members, trial.changes) == (2, 2, 0, 2, 6)
    assert not AttributeValue.objects.exists()
    assert run(path).changes == 6
    assert known() == [(1, "city", "杭州"), (1, "wants", "学摄影"), (2, "city", "成都")]
    assert sorted(TagHolding.objects.values_list("tag", "kept")) == [("员工", "import"), ("意向/强", "import")]
    assert run(path).bad == 0  # a job that is repeated stores nothing twice
    assert AttributeValue.objects.count() == 3
    assert changing.do_undo_batch(actor=None, batch_id="importx") == (5, 1)  # a key stays: it is no attribute
    assert known() == []
    report = rebuild(keep=False)
    assert report.same, [item for item in report.tables if not item.same]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
def test_a_table_is_read_in_the_encodings_spreadsheets_write(tmp_path: Path, encoding: str) -> None:
    run(table(tmp_path, "小红,,杭州,,,", encoding=encoding))
    assert known() == [(1, "city", "杭州")]


def test_members_are_found_by_a_key_they_carry(tmp_path: Path) -> None:
    digest = digest_key("phone", "13800138000")
    assert digest
    for who in ("小明",):
        body = IdentityKeyed(key="phone", digest=digest)
        Ingest().take_all([happened(body, "k", who, at="10:00", subject=person(who))])
    report = run(table(tmp_path, "+86 138-0013-8000,杭州", header="电话,城市"), ("phone", "attr:city"))
    assert report.bad == 0
    assert known() == [(2, "city", "杭州")]


WRONG: dict[str, tuple[str, str]] = {
    "nobody": ("无名氏,,杭州,,,", "unknown"),
    "a value that is none": ("小红,,火星,,,", "value"),
    "a formula": ('小红,,,"=HYPERLINK(""http://x"")",,', "formula"),
    "an unknown tag": ("小红,,,,没有的标签,", "tag"),
    "two tags of which one can stand": ("小红,,,,意向/强、意向/弱,", "rivals"),
    "a masked phone": ("小红,138****8000,杭州,,,", "key"),
    "an open quote": ('"小红,,杭州,,,', "bad_row"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_row_is_left_out_as_a_whole_with_its_mend(tmp_path: Path, case: str) -> None:
    line, code = WRONG[case]
    report = run(table(tmp_path, "小明,,成都,,,", line, "小刚,,北京,,,"))
    assert [(mistake.row, mistake.code, bool(mistake.fix)) for mistake in report.mistakes] == [(3, code, True)]
    assert known() == [(2, "city", "成都"), (3, "city", "北京")]


def test_two_rows_of_one_member_and_an_id_of_two_are_told(tmp_path: Path) -> None:
    digest = digest_key("phone", "13800138000")
    assert digest
    Ingest().take_all([
        happened(IdentityKeyed(key="phone", digest=digest), "k", "小明", at="10:00", subject=person("小明")),
        said("群", "小刚", "早", at="09:00", source=Source(connector="qq", account="t")),
    ])  # fmt: skip
    report = run(table(tmp_path, "小红,,杭州,,,", "小红,,成都,,,", "小刚,,北京,,,", "小红,13800138000,上海,,,"))
    codes = [(mistake.row, mistake.code) for mistake in report.mistakes]
    assert codes == [(3, "twice"), (4, "ambiguous"), (5, "contradiction")]
    assert known() == [(1, "city", "杭州")]


def test_a_list_of_customers_after_their_orders_joins_buyer_and_account(tmp_path: Path) -> None:
    digest = digest_key("phone", "13800138000")
    assert digest
    keyed = happened(IdentityKeyed(key="phone", digest=digest), "k", "C-77", at="10:00", subject=person("C-77"))
    Ingest().take_all([ordered("C-77", 99.00, at="08:00"), keyed])
    report = run(table(tmp_path, "小红,13800138000,杭州,,,"))
    assert report.mistakes == []
    red = Identity.objects.get(platform_id="小红")
    link_by_keys(Ingest(), now_ms)
    assert Identity.objects.get(platform_id="C-77").member_id == red.member_id
    assert Member.objects.get(pk=red.member_id).order_count == 1


@pytest.mark.parametrize(
    "targets",
    [("attr:city", "tags"), ("account",), ("account", "attr:nothing"), ("account", "account", "tags"), ("account", "city")],
    ids=["nobody is named", "nothing is said", "an unknown attribute", "one twice", "an unknown target"],
)
def test_columns_that_make_no_sense_are_refused(targets: tuple[str, ...]) -> None:
    with pytest.raises(CommandRefused):
        files.check_mapping(targets)


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    bad = tmp_path / "x.xlsx"
    bad.write_bytes(b"PK\x03\x04nonsense")
    with pytest.raises(ImportRefused):
        files.look(bad)
    empty = tmp_path / "e.csv"
    empty.write_text("\n\n")
    with pytest.raises(ImportRefused):
        files.look(empty)


def test_the_pages_lead_from_an_upload_to_an_undo(tmp_path: Path) -> None:
    staff = Staff.objects.create_user("lead", "correct-horse-9", role=Role.SUPERVISOR)
    client = Client()
    client.force_login(staff)
    book = Workbook()
    sheet: Any = book.active
    for row in (["账号", "城市", "宝宝月龄"], ["小红", "杭州", 8], ["没有", "杭州", 8]):
        sheet.append(row)
    book.save(tmp_path / "m.xlsx")
    upload = SimpleUploadedFile("m.xlsx", (tmp_path / "m.xlsx").read_bytes())
    columns = client.post(reverse("member-import"), {"files": upload}, follow=True)
    assert 'value="attr:baby_months" selected' in columns.content.decode()
    address = columns.request["PATH_INFO"]
    refused = client.post(address, {"c0": "", "c1": "attr:city"})
    assert "还不能试跑" in refused.content.decode()
    client.post(address, {"c0": "account", "c1": "attr:city", "c2": "attr:baby_months"})
    assert jobs.run_next()
    trial = Job.objects.latest("pk").pk
    page = client.get(reverse("member-import-job", args=[trial])).content.decode()
    assert "找不到这位成员" in page
    assert not AttributeValue.objects.exists()
    client.post(reverse("member-import-confirm", args=[trial]))
    assert jobs.run_next()
    job = Job.objects.latest("pk")
    assert job.result["members"] == 1
    assert known() == [(1, "baby_months", ""), (1, "city", "杭州")]
    client.post(reverse("undo-change", args=[job.result["batch"]]))
    assert known() == []
    assert client.get(reverse("member-columns", args=["nothing"])).status_code == 404
