"""A person imports files: what was read is there once, what was not is explained, and a damaged file leaves nothing."""

import csv
import gzip
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import zstandard
from django.db import connection

from qunce.accounts.models import AuditEntry
from qunce.domain.events import Event
from qunce.journal.models import JournalEvent, JournalGap
from qunce.readmodels.models import Community, Group, Identity, Member, Message, Order, Question
from qunce.runtime import ingest, jobs
from qunce.runtime.cli.main import main
from qunce.runtime.live.channels import do_add_channel
from qunce.runtime.models import Job, JobState

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = [
    {"time": "2024-02-01 10:00:00", "group": "新生群", "user": "小红", "text": "什么时候发货", "id": "1"},
    {"time": "2024-02-01 10:02:00", "group": "新生群", "user": "客服小丽", "text": "明天发", "id": "2"},
    {"time": "2024-02-01 10:03:00", "group": "晨跑群", "user": "小红", "text": "早", "id": "3"},
]
BAD = [
    {"time": "someday", "group": "新生群", "user": "小红", "text": "哪天"},
    {"time": "1970-01-01 00:00:00", "group": "新生群", "user": "小红", "text": "=cmd()"},
    {"time": "2124-02-01 10:00:00", "group": "新生群", "user": "小红", "text": "未来"},
]


@pytest.fixture
def data(tmp_path: Path, settings: Any) -> Path:
    """The data folder of this test."""
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir()
    return Path(settings.DATA_DIR)


@pytest.fixture
def chat_file(tmp_path: Path) -> Callable[..., Path]:
    def write(*rows: dict[str, str], name: str = "chat.jsonl") -> Path:
        path = tmp_path / name
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
        return path

    return write


@pytest.fixture
def run(data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, Any]]:
    """Run `qunce import … --json` in this process; return the exit code and the report."""
    monkeypatch.setattr("qunce.runtime.cli.main.make_ready", lambda: None)

    def call(*words: object) -> tuple[int, Any]:
        code = main(["import", *map(str, words), "--json"])
        return code, json.loads(capsys.readouterr().out)

    return call


def counts(report: dict[str, Any]) -> tuple[int, int, int, int]:
    return report["read"], report["added"], report["already_there"], report["rejected"]


def test_a_file_is_in_once_however_often_it_is_brought(run: Any, chat_file: Any) -> None:
    path = chat_file(*ROWS)
    code, report = run(path)
    assert (code, counts(report)) == (0, (3, 3, 0, 0))
    assert Group.objects.count() == 2
    assert Member.objects.count() == 2
    code, report = run(path)
    assert (code, counts(report)) == (0, (3, 0, 3, 0))
    assert Message.objects.count() == 3


def test_beside_live_channels_an_import_writes_little_at_once_and_leaves_gaps(
    run: Any, chat_file: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    story: list[Any] = []
    real = ingest.Ingest.take

    def take(self: ingest.Ingest, events: Sequence[Event]) -> Any:
        story.append(len(events))
        return real(self, events)

    monkeypatch.setattr(ingest.Ingest, "take", take)
    monkeypatch.setattr(ingest, "GIVING_WAY", 2)
    monkeypatch.setattr("qunce.runtime.ingest.time.sleep", lambda seconds: story.append("gap"))
    run(chat_file(*ROWS, name="first.jsonl"))
    assert story == [3], "nobody else writes"
    story.clear()
    do_add_channel(actor=None, connector="practice", name="演练", settings={"name": "演练"}, mode="live")
    run(chat_file(*ROWS, {**ROWS[0], "id": "4"}, {**ROWS[0], "id": "5"}, name="second.jsonl"))
    assert story == ([2, "gap", 2, "gap", 1] if connection.vendor == "sqlite" else [5])
    assert Message.objects.count() == 5


def test_a_longer_export_of_the_same_chat_adds_what_is_new(run: Any, chat_file: Any) -> None:
    run(chat_file(*ROWS[:2]))
    _, report = run(chat_file(*ROWS, name="later.jsonl"))
    assert counts(report) == (3, 1, 2, 0)


@pytest.mark.parametrize("packing", ["plain", "gz", "zst"])
def test_packed_files_are_read_as_they_are(run: Any, chat_file: Any, packing: str) -> None:
    path = chat_file(*ROWS)
    data = path.read_bytes()
    if packing != "plain":
        path.write_bytes(gzip.compress(data) if packing == "gz" else zstandard.ZstdCompressor().compress(data))
    assert counts(run(path)[1]) == (3, 3, 0, 0)


def test_bad_rows_go_to_a_file_with_reason_and_fix_and_the_rest_is_kept(run: Any, chat_file: Any, data: Path) -> None:
    code, report = run(chat_file(*ROWS, *BAD))
    assert (code, counts(report)) == (1, (3, 3, 0, 3))
    file = report["files"][0]
    assert sorted(file["rejected_by"].values()) == [1, 1, 1]
    assert all(sample["reason"] and sample["fix"] and sample["where"] for sample in file["samples"])
    with (data / "rejects" / file["rejects_file"]).open(encoding="utf-8-sig", newline="") as table:
        rows = list(csv.DictReader(table))
    assert len(rows) == 3
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
    gap = JournalGap.objects.get()
    assert gap.lost == 3


def test_a_dry_run_tells_everything_and_stores_nothing(run: Any, chat_file: Any, data: Path) -> None:
    code, report = run(chat_file(*ROWS, *BAD), "--dry-run", "--staff", "客服小丽", "小理")
    assert (code, report["dry_run"], report["read"], report["added"], report["rejected"]) == (1, True, 3, 0, 3)
    assert report["files"][0]["groups"] == 2
    assert report["staff_found"] == ["客服小丽"]
    assert report["staff_missing"] == {"小理": []}
    assert not JournalEvent.objects.exists()
    assert not (data / "spool").exists()


def test_staff_and_community_are_said_with_the_import_and_count_for_its_past(run: Any, chat_file: Any) -> None:
    _, report = run(chat_file(*ROWS), "--staff", "客服小丽", "丽", "--community", "母婴营")
    assert report["staff_found"] == ["客服小丽"]
    assert report["staff_missing"] == {"丽": ["客服小丽"]}
    assert Identity.objects.get(name="客服小丽").kind == "staff"
    assert Question.objects.get().response_s == 120
    assert [group.community for group in Group.objects.all()] == [Community.objects.get(name="母婴营")] * 2


def test_a_file_damaged_in_its_middle_leaves_nothing(run: Any, chat_file: Any) -> None:
    path = chat_file(*(dict(ROWS[0], id=str(n), text=f"第 {n} 条") for n in range(5_000)))
    packed = gzip.compress(path.read_bytes())
    path.write_bytes(packed[: len(packed) // 2])
    code, report = run(path)
    assert code == 2
    assert report["files"][0]["refused"]
    assert report["files"][0]["fix"]
    assert not JournalEvent.objects.exists()


def test_a_refused_file_does_not_keep_the_others_out(run: Any, chat_file: Any, tmp_path: Path) -> None:
    noise = tmp_path / "noise.bin"
    noise.write_bytes(bytes(range(256)) * 40)
    code, report = run(noise, chat_file(*ROWS))
    assert code == 2
    assert counts(report) == (3, 3, 0, 0)


def test_times_without_zone_are_read_in_the_zone_that_was_said(run: Any, chat_file: Any) -> None:
    run(chat_file(ROWS[0]), "--tz", "UTC")
    assert Message.objects.get().ts_ms == 1_706_781_600_000


@pytest.mark.parametrize(
    ("words", "said"), [(["/nowhere.json"], "there is no /nowhere.json"), ([__file__, "--tz", "Mars/Base"], "no time zone")]
)
def test_a_mistake_on_the_command_line_is_one_line_with_a_mend(
    data: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qunce.runtime.cli.main.make_ready", lambda: None)
    assert main(["import", *words]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_orders_join_members_by_their_platform_id(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("time,buyer,order_id,amount,currency,items\n2024-02-01 10:00,u7,A1,99.50,CNY,春风礼盒\n", "utf-8")
    _, report = run(path)
    assert report["orders"] == 1
    order = Order.objects.get()
    assert (order.amount_minor, order.currency, order.status) == (9950, "CNY", "paid")
    assert Member.objects.get().paid_minor == 9950


def test_an_upload_is_a_job_with_progress_result_and_audit(data: Path, chat_file: Any, django_user_model: Any) -> None:
    from zoneinfo import ZoneInfo

    from qunce.runtime.imports import Request, service

    actor = django_user_model.objects.create_user("lin", "pw", role="admin")
    uploads = data / "uploads"
    uploads.mkdir()
    path = chat_file(*ROWS).rename(uploads / "x.jsonl")
    job_id = service.start(Request(paths=(path,), zone=ZoneInfo("Asia/Shanghai")), actor=actor, dry_run=False)
    assert jobs.run_next()
    job = jobs.get(job_id)
    assert job is not None
    assert (job.state, job.result["added"], job.progress["step"]) == (JobState.DONE, 3, "read")
    assert not path.exists()
    assert AuditEntry.objects.filter(action="import.run").count() == 1
    assert not jobs.run_next()


def test_a_job_whose_worker_died_is_taken_up_again(data: Path, chat_file: Any) -> None:
    from zoneinfo import ZoneInfo

    from qunce.runtime.imports import Request, service

    job_id = service.start(Request(paths=(chat_file(*ROWS),), zone=ZoneInfo("UTC")), actor=None, dry_run=False)
    Job.objects.filter(pk=job_id).update(state=JobState.RUNNING, beat_ms=1)
    assert jobs.run_next()
    assert Job.objects.get(pk=job_id).state == JobState.DONE


def test_uploads_nobody_came_back_for_are_removed_after_a_week(data: Path) -> None:
    from qunce.runtime.imports.service import ABANDONED_S, clear_abandoned_uploads

    kept = data / "uploads" / "abc" / "chat.txt"
    kept.parent.mkdir(parents=True)
    kept.write_text("hello")
    now = int(kept.parent.stat().st_mtime * 1000)
    assert clear_abandoned_uploads(now + ABANDONED_S * 1000 - 1_000) == 0
    assert clear_abandoned_uploads(now + ABANDONED_S * 1000 + 1_000) == 1
    assert not kept.parent.exists()


def test_a_job_that_fails_says_so_and_lets_the_next_one_run(data: Path) -> None:
    first = jobs.enqueue("import", {}, actor_id=None)
    second = jobs.enqueue("rebuild", {}, actor_id=None)
    assert jobs.run_next()
    assert jobs.run_next()
    failed, done = Job.objects.get(pk=first), Job.objects.get(pk=second)
    assert (failed.state, done.state) == (JobState.FAILED, JobState.DONE)
    assert failed.error
    assert failed.fix
    with pytest.raises(ValueError, match="no job kind"):
        jobs.enqueue("dance", {}, actor_id=None)


REAL = ["chat/zh_threads_as_groups.jsonl.zst", "export_samples/telegram/BIG_20A_5475M.json", "export_samples/slack",
        "export_samples/whatsapp/2A_5M.txt", "export_samples/wecom/msgaudit_messages.jsonl",
        "export_samples/matrix/room_nial_events.jsonl.zst"]  # fmt: skip


@pytest.mark.parametrize("name", REAL)
def test_real_exports_import_and_rebuild(run: Any, shared_data: Path, name: str) -> None:
    from qunce.runtime.rebuild import rebuild

    code, report = run(shared_data / name)
    assert code in (0, 1)
    assert 0 < report["added"] <= report["read"]  # a few samples repeat a message
    assert rebuild(keep=False).same
    assert run(shared_data / name)[1]["added"] == 0
