"""A small community for the tests of the console: two groups, some people, questions, orders, and names meant to do harm."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.test import Client

from qunce.analytics.engine import Engine
from qunce.analytics.results import Results
from qunce.journal.mirror import MirrorStore
from qunce.runtime.ingest import Ingest
from qunce.testing import builders as b

if TYPE_CHECKING:
    from pathlib import Path

    from qunce.analytics.tables import Params
    from qunce.domain.events import Event

SignIn = Callable[..., Client]
"""The fixture `sign_in`: a role and the groups of its scope → a client signed in."""

NASTY = '<script>alert(1)</script>"><img src=x onerror=alert(2)>'


def events(more: int = 0) -> list[Event]:
    """Return the events; `more` adds so many groups with one member and one message each."""
    asked = b.said("读书会", "小红", "什么时候发货？", at="09:00", id="q1")
    found = [
        b.joined("读书会", "小红", at="08:00"),
        b.joined("读书会", "老王", at="08:01"),
        b.joined("晨跑团", "小红", at="08:02"),
        asked,
        b.said("读书会", "客服小丽", "明天发", at="09:02", kind="staff", reply_to=asked, id="a1"),
        b.said("读书会", "老王", "发貨好快", at="09:05", id="m3"),
        b.said("晨跑团", "小红", "今天有人跑吗？", at="10:00", id="q2"),
        b.said(NASTY, NASTY, NASTY, at="11:00", id="x1"),
        b.left("读书会", "老王", at="12:00"),
    ]
    many = (b.said(f"群 {number}", f"人 {number}", f"第 {number} 句", at="13:00", id=f"n{number}") for number in range(more))
    return [*found, *many]


def take(more: int = 0) -> None:
    """Put the world into the database."""
    Ingest().take_all(events(more))


class Eager(Results):
    """Results that are made at once, so that a test sees the finished page and no thread outlives it."""

    def ensure(self, metric_id: str, params: Params) -> bool:
        """Make the result here and now."""
        self.compute(metric_id, params)
        return True


def eager(folder: Path) -> Eager:
    """Return results over the mirror in a data folder."""
    store = MirrorStore(folder / "mirror")
    return Eager(store, Engine(store))
