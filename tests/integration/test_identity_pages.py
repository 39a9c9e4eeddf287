"""A person of three accounts, as a page and on the command line."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from qunce.accounts.models import Role, Staff
from qunce.domain.events import Source
from qunce.readmodels.models import Identity, Member
from qunce.runtime.cli import segments as command
from qunce.runtime.ingest import Ingest
from qunce.testing.builders import joined, linked, moment, ordered, said

pytestmark = pytest.mark.django_db

TELEGRAM = Source(connector="telegram", account="test", origin="archive")


@pytest.fixture(autouse=True)
def _person(settings: Any, tmp_path: Path) -> None:
    """小红 talks in one group and in another by Telegram, and buys with a third account; 小兰 is somebody else."""
    settings.DATA_DIR = tmp_path
    Ingest(clock=lambda: moment("23:00", 30)).take_all(
        (
            joined("妈妈群", "小红", at="09:00"), said("妈妈群", "小红", "多少钱", at="09:01"),
            ordered("小红的店铺号", 700, at="10:00"), said("读书会", "xiaohong", "hi all", at="11:00", source=TELEGRAM),
            said("妈妈群", "小兰", "早", at="11:01"),
            linked("小红", "小红的店铺号", at="12:00", id="shop"),
            linked("小红", "xiaohong", at="12:01", id="hand", other_source=TELEGRAM),
        )
    )  # fmt: skip


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(Staff.objects.create_user("owner", "correct-horse-9", role=Role.ADMIN))
    return client


def pk(account: str) -> int:
    return Identity.objects.get(platform_id=account).pk


def test_the_page_shows_one_person_with_everything_the_three_accounts_did(client: Client) -> None:
    page = client.get(reverse("member", args=[pk("小红")])).content.decode()
    for text in ("小红的店铺号", "xiaohong", "妈妈群", "读书会", "多少钱", "hi all", "¥700"):
        assert text in page, text
    assert page.count("人工合并") == 2, "each further account says why it is here"
    assert page.count(reverse("separate-account", args=[pk("小红"), pk("xiaohong")])) == 1
    assert '<b class="num">2</b><span>消息</span>' in page
    assert '<b class="num">1</b><span>订单</span>' in page


def test_a_group_that_two_accounts_are_in_is_one_group(client: Client) -> None:
    Ingest(clock=lambda: moment("23:30", 30)).take_all((said("妈妈群", "小红的店铺号", "下单了", at="12:30"),))
    page = client.get(reverse("member", args=[pk("小红")])).content.decode()
    assert '<h2>所在社群</h2><span class="count">2</span>' in page
    assert "2 个账号" in page
    assert "2 条" in page


@pytest.mark.parametrize("account", ["小红的店铺号", "xiaohong"])
def test_the_old_address_of_an_account_leads_to_the_person(account: str, client: Client) -> None:
    answer = client.get(reverse("member", args=[pk(account)]))
    assert (answer.status_code, answer["Location"]) == (302, reverse("member", args=[pk("小红")]))


def test_the_list_has_one_row_for_the_person_found_by_any_account(client: Client) -> None:
    assert Member.objects.count() == 2
    for word in ("小红", "xiaohong", "小红的店铺号"):
        page = client.get(reverse("members"), {"q": word}).content.decode()
        assert page.count("<tr data-row") == 1, word
        assert reverse("member", args=[pk("小红")]) in page


def explain(capsys: pytest.CaptureFixture[str], who: str, *more: str) -> str:
    parser = ArgumentParser()
    command.add_arguments(parser)
    asked = parser.parse_args(["explain", who, "--at", "2026-03-03T12:00", "--segment", "abcd.c", *more])
    assert command.run(asked) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("account", ["小红", "小红的店铺号", "xiaohong"])
def test_the_command_line_explains_the_person_by_any_account(account: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What the shop's account bought makes the person of the chat one of means."""
    text = explain(capsys, str(pk(account)))
    assert "✓ abcd.c" in text
    assert "✓ 最近 180 天支付订单金额合计 ≥ 500.00：700.00" in text
    found = json.loads(explain(capsys, str(pk(account)), "--json"))
    assert found["member_id"] == pk("小红")


def test_somebody_else_has_none_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert "✓ abcd.c" not in explain(capsys, str(pk("小兰")))
