"""Ask for every page of the console, as a browser would, without a network between."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from django.db import connection
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from qunce.accounts.models import Staff
from qunce.readmodels.models import Group, Member
from qunce.readmodels.rows import Database
from qunce.runtime.bench.work.searching import words
from qunce.runtime.bench.work.stopwatch import Stopwatch
from qunce.runtime.models import Job

NAIVE = {
    "groups": "SELECT g.id, count(m.seq), count(DISTINCT m.identity_id), max(m.ts_ms) FROM chat_group g "
    "LEFT JOIN message m ON m.group_id = g.id GROUP BY g.id",
    "members": "SELECT identity_id, count(*), max(ts_ms) FROM message GROUP BY identity_id ORDER BY 3 DESC LIMIT 50",
    "overview": "SELECT day, count(*), count(DISTINCT identity_id) FROM message GROUP BY day",
    "search ?q=": "SELECT seq FROM message WHERE text LIKE '%{rare}%' ORDER BY seq DESC LIMIT 41",
}
"""What the page's central numbers cost when they are counted as it is asked for."""


def measure(runs: int) -> dict[str, Any]:
    """Return, for each page that answers a GET with HTML, its CPU and wall seconds; and the addresses left out, and why."""
    client = Client(SERVER_NAME="127.0.0.1")
    staff = Staff.objects.order_by("pk").first()
    if staff is None:
        raise RuntimeError("nobody can sign in")
    found = words()
    anonymous = Client(SERVER_NAME="127.0.0.1")
    client.force_login(staff)
    pages, skipped = {}, {}
    for name, address in _addresses(staff, found["rare"]):
        asking = anonymous if name == "login" else client
        why = "an argument is unknown here" if address is None else _unfit(asking, address)
        if address is None or why:
            skipped[name] = why
            continue
        _let_background_finish()
        watch, size = Stopwatch(), 0
        for _ in range(runs):
            with watch.lap():
                size = len(asking.get(address).content)
        pages[name] = {**watch.figures(), "bytes": size}
    return {"pages": pages, "skipped": skipped}


def naive(runs: int) -> dict[str, Any]:
    """Run the naive queries."""
    database, found = Database(connection), words()
    timed = {}
    for name, sql in NAIVE.items():
        watch = Stopwatch()
        for _ in range(runs):
            with watch.lap():
                database.query(sql.replace("{rare}", found["rare"]))
        timed[name] = watch.figures()
    return {"queries": timed}


def _addresses(staff: Staff, word: str) -> Iterator[tuple[str, str | None]]:
    """Yield every named address, filled with the busiest group and member; None = an argument nothing is known for."""
    known = {
        "group_id": Group.objects.order_by("-message_count").values_list("pk", flat=True).first(),
        "member_id": Member.objects.order_by("-message_count").values_list("pk", flat=True).first(),
        "staff_id": staff.pk, "metric_id": "dau", "card": "kpis",
        "job_id": Job.objects.order_by("pk").values_list("pk", flat=True).first(),
    }  # fmt: skip
    for pattern in _patterns(get_resolver().url_patterns):
        if not pattern.name:
            continue
        wanted = pattern.pattern.converters
        filled = {name: known[name] for name in wanted if known.get(name) is not None}
        yield pattern.name, reverse(pattern.name, kwargs=filled) if len(filled) == len(wanted) else None
    yield "search ?q=", reverse("search") + f"?q={word}"
    yield "members ?q=", reverse("members") + "?q=小"


def _patterns(entries: list[Any]) -> Iterator[URLPattern]:
    for entry in entries:
        if isinstance(entry, URLResolver):
            yield from _patterns(entry.url_patterns)
        elif isinstance(entry, URLPattern):
            yield entry


def _unfit(client: Client, address: str) -> str:
    """Ask twice, which fills caches; return why the address is no page to be measured, or an empty text."""
    response: HttpResponseBase = client.get(address)
    response = response if response.streaming else client.get(address)
    if response.status_code != 200:
        return f"answers a GET with {response.status_code}"
    kind = response.headers.get("Content-Type", "")
    return "" if kind.startswith("text/html") and not response.streaming else f"is no page, but {kind or 'a stream'}"


def _let_background_finish() -> None:
    """Wait until metrics that the page asked for are computed: they are not part of answering it."""
    while True:
        before = time.process_time()
        time.sleep(0.05)
        if time.process_time() - before < 0.005:
            return
