"""`qunce segment` checks, counts, lists and explains, and says in one line what cannot be had."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import pytest

from qunce.readmodels.models import Group, Identity, Member, Membership, Message, Order
from qunce.runtime.cli import segments as command
from qunce.runtime.cli.main import UsageError

pytestmark = pytest.mark.django_db

DAY = 20_000  # 2024-10-04, a Friday
DAY_MS = 86_400_000
AT = "2024-10-05T12:00"


@pytest.fixture(autouse=True)
def community(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    Group.objects.create(id=1, connector="x", account="a", platform_id="1", kind="group", name="群")
    for number, kind in ((1, "member"), (2, "member"), (3, "staff")):
        name = "客服" if kind == "staff" else "林"
        Member.objects.create(id=number, name=name, kind=kind, first_ms=1)
        account = {"connector": "x", "account": "a", "platform_id": str(number), "kind": kind}
        Identity.objects.create(id=number, member_id=number, name=name, folded_name=name, **account)
        Membership.objects.create(group_id=1, identity_id=number, first_ms=1, joined_ms=(DAY - 5) * DAY_MS)
    Message.objects.create(seq=9, group_id=1, identity_id=1, ts_ms=DAY * DAY_MS, day=DAY, content=1, text="多少钱")
    Order.objects.create(
        id=10, connector="x", account="a", order_id="1", identity_id=1, status="paid", created_ms=DAY * DAY_MS,
        paid_ms=DAY * DAY_MS, day=DAY, amount_minor=70_000, currency="CNY", status_ms=DAY * DAY_MS,
    )  # fmt: skip


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    parser = ArgumentParser()
    command.add_arguments(parser)
    code = command.run(parser.parse_args(words))
    return code, capsys.readouterr().out


def test_the_shipped_examples_are_counted_as_of_a_moment(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = run(capsys, "count", "--at", AT, "--json")
    counts = {row["segment_id"]: row["count"] for row in json.loads(text)}
    assert code == 0
    assert counts["able_to_buy"] == counts["first_purchase"] == 1
    assert counts["ice_unbroken"] == counts["abcd.d"] == 1
    code, text = run(capsys, "count", "--at", "2024-10-03", "--segment", "able_to_buy")
    assert (code, text) == (0, "0\table_to_buy\t有购买力\n")


def test_a_member_is_explained_with_values_and_events(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = run(
        capsys, "explain", "1", "--at", AT, "--segment", "abcd.c", "--segment", "ice_unbroken", "--segment", "first_purchase"
    )
    assert code == 0
    assert "✓ abcd.c C 类：有能力，暂无意向" in text
    assert "✓ 最近 180 天支付订单金额合计 ≥ 500.00：700.00  [10]" in text
    assert "– ice_unbroken 进群 3 天还没破冰 · 群 group 1" in text
    assert "– 从入群时间起发言次数 = 0：1  [9]" in text
    assert "✓ 支付订单第一次在 7 天之内：2024-10-04 08:00+08:00  [10]" in text
    code, text = run(capsys, "explain", "1", "--at", AT, "--json")
    found = json.loads(text)
    assert found["member_id"] == 1
    assert {"segment_id": "abcd.c", "holds": True}.items() <= found["segments"][4].items()
    assert [row["group_id"] for row in found["segments"] if "group_id" in row] == [1, 1]


def test_segments_are_listed_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = run(capsys, "list")
    assert code == 0
    assert "koc_candidate\tmember\tKOC 候选\n\t最近 30 天发言天数 ≥ 8 且" in text


def test_a_folder_is_checked_and_every_mistake_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = tmp_path / "book"
    folder.mkdir()
    text = "schema_version: 1\nplaybook: {playbook_id: t, title: 测}\nsegments:\n  - {segment_id: a, title: 甲, where: [%s]}\n"
    (folder / "p.yaml").write_text(text % "{did: msg}, {segment: b}", "utf-8")
    code, out = run(capsys, "check", "--playbook", str(folder))
    assert code == 1
    assert [line.split(":")[:2] for line in out.splitlines()] == [["p.yaml", "4"], ["p.yaml", "4"]]
    code, out = run(capsys, "check", "--playbook", str(folder), "--json")
    assert [problem["code"] for problem in json.loads(out)] == ["reference", "reference"]
    (folder / "p.yaml").write_text(text % "{did: message}", "utf-8")
    assert run(capsys, "check", "--playbook", str(folder)) == (0, "1 个分群，没有问题 · segments, no mistakes\n")


REFUSED = {
    "nobody of that name": (("explain", "nobody"), "there is no member 'nobody'"),
    "several of one name": (("explain", "林"), "several members are called '林'; give an id: 1, 2"),
    "a colleague": (("explain", "客服"), "is staff"),
    "explain without a member": (("explain",), "say whom"),
    "count with a member": (("count", "1"), "segment explain 1"),
    "an unknown segment": (("count", "--segment", "x"), "there is no segment 'x'"),
    "a moment that is none": (("count", "--at", "soon"), "not a moment: 'soon'"),
    "no such folder": (("check", "--playbook", "/nowhere/at/all"), "there is no folder"),
}


@pytest.mark.parametrize(("words", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_had_is_said(capsys: pytest.CaptureFixture[str], words: tuple[str, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        run(capsys, *words)


def test_a_folder_without_files_is_said(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no \.yaml file"):
        run(capsys, "check", "--playbook", str(tmp_path))


def test_a_run_is_kept_and_listed_with_sizes(capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(run(capsys, "list", "--json", "--segment", "able_to_buy")[1])[0]["size"] is None
    code, text = run(capsys, "run", "--json")
    assert code == 0
    assert json.loads(text)["segments"] == 15
    sizes = {row["segment_id"]: row["size"] for row in json.loads(run(capsys, "list", "--json")[1])}
    # No channel is connected, so the run is as of the newest order: not too long ago then.
    assert (sizes["abcd.d"], sizes["able_to_buy"]) == (1, 1)


def test_two_moments_are_compared_and_so_are_two_runs(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("--segment", "able_to_buy", "--json")
    rows = json.loads(run(capsys, "diff", "--since", "2024-10-03", "--at", AT, *asked)[1])
    assert (rows[0]["entered"], rows[0]["left"]) == ([[1, 0]], [])
    rows = json.loads(run(capsys, "diff", "--since", AT, "--at", "2026-01-01", *asked)[1])
    assert (rows[0]["entered"], rows[0]["left"]) == ([], [[1, 0]])
    run(capsys, "run")
    rows = json.loads(run(capsys, "diff", *asked)[1])
    assert (rows[0]["entered"], rows[0]["left"]) == ([], [])
    with pytest.raises(UsageError, match="--since must be before"):
        run(capsys, "diff", "--since", AT, "--at", "2024-10-01")
    with pytest.raises(UsageError, match="--since is for diff"):
        run(capsys, "count", "--since", AT)
