"""Importing through the console: upload, trial, import, what came of it."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from qunce.accounts.models import Role, Staff
from qunce.readmodels.models import Message
from qunce.runtime import jobs
from qunce.runtime.models import Job

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = [
    {"time": "2024-02-01 10:00:00", "group": "新生群", "user": "小红", "text": "什么时候发货", "id": "1"},
    {"time": "2024-02-01 10:02:00", "group": "新生群", "user": "客服小丽", "text": "明天发", "id": "2"},
    {"time": "someday", "group": "新生群", "user": "小红", "text": "哪天"},
]


@pytest.fixture
def client(tmp_path: Path, settings: Any) -> Client:
    settings.DATA_DIR = tmp_path
    for name in ("uploads", "rejects"):
        (tmp_path / name).mkdir()
    client = Client()
    client.force_login(Staff.objects.create_user("admin", "correct-horse-9", role=Role.ADMIN))
    return client


def _file(name: str = "chat.jsonl") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode())


def _upload(client: Client, **fields: object) -> Any:
    form = {"files": [_file()], "zone": "Asia/Shanghai", "staff": "客服小丽", "community": "春风里"} | fields
    return client.post(reverse("imports"), form)


def test_a_file_is_tried_first_then_imported_then_known(client: Client, tmp_path: Path) -> None:
    trial = _upload(client)
    assert "排队中" in client.get(trial["Location"]).content.decode()
    assert jobs.run_next()
    page = client.get(trial["Location"]).content.decode()
    assert "还没有导入任何东西" in page
    assert "导入 2 条" in page
    assert Message.objects.count() == 0

    trial_id = Job.objects.get().pk
    done = client.post(reverse("import-confirm", args=[trial_id]))
    assert jobs.run_next()
    page = client.get(done["Location"]).content.decode()
    assert "新增 2 条" in page
    assert Message.objects.count() == 2
    rejects = client.get(reverse("import-rejects", args=[Job.objects.latest("pk").pk, 0]))
    assert "someday" not in page
    assert "attachment" in rejects["Content-Disposition"]
    b"".join(rejects.streaming_content)  # type: ignore[attr-defined]
    assert not list((tmp_path / "uploads").rglob("*.jsonl"))
    assert "重新上传" in client.post(reverse("import-confirm", args=[trial_id]), follow=True).content.decode()

    again = _upload(client)
    jobs.run_next()
    confirmed = client.post(reverse("import-confirm", args=[Job.objects.latest("pk").pk]))
    jobs.run_next()
    assert "以前都导入过" in client.get(confirmed["Location"]).content.decode()
    assert again.status_code == 302
    assert "chat.jsonl" in client.get(reverse("imports")).content.decode()


def test_a_tried_file_can_be_thrown_away(client: Client, tmp_path: Path) -> None:
    _upload(client)
    jobs.run_next()
    client.post(reverse("import-discard", args=[Job.objects.get().pk]))
    assert not [path for path in (tmp_path / "uploads").rglob("*") if path.is_file()]
    assert Message.objects.count() == 0


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        pytest.param({"files": []}, "请先选一个文件", id="no file"),
        pytest.param({"zone": "Mars/Base"}, "没有这个时区", id="a zone there is not"),
        pytest.param({"zone": "../../etc/passwd"}, "没有这个时区", id="a zone that is a path"),
        pytest.param({"format": "fax"}, "没有这种格式", id="a format there is not"),
    ],
)
def test_what_is_wrong_with_an_upload_is_said(client: Client, fields: dict[str, object], says: str) -> None:
    response = _upload(client, **fields)
    assert response.status_code == 422
    assert says in response.content.decode()
    assert not Job.objects.exists()


def test_a_file_of_no_format_is_explained(client: Client) -> None:
    response = client.post(
        reverse("imports"), {"files": [SimpleUploadedFile("a.pdf", b"%PDF-1.7 nonsense")], "zone": "Asia/Shanghai"}
    )
    jobs.run_next()
    assert "整份没有用" in client.get(response["Location"]).content.decode()


def test_only_some_may_import(client: Client) -> None:
    analyst = Client()
    analyst.force_login(Staff.objects.create_user("ana", "correct-horse-9", role=Role.ANALYST))
    assert analyst.get(reverse("imports")).status_code == 200
    assert _upload(analyst).status_code == 403


def test_rejects_of_no_import_are_not_found(client: Client) -> None:
    _upload(client)
    jobs.run_next()
    assert client.get(reverse("import-rejects", args=[Job.objects.get().pk, 9])).status_code == 404
    assert client.get(reverse("import-rejects", args=[999, 0])).status_code == 404
