"""Feed events at a steady rate while the loop keeps the segments, and measure from an event to who entered by it."""

from __future__ import annotations

import threading
import time
from typing import Any, Final

from django.db import connection

from qunce.domain.events import Conv, Event, MessageCreated, OrderUpdated, Party, Source
from qunce.readmodels.models import Identity
from qunce.runtime.bench.work.events import simulated
from qunce.runtime.clock import now_ms
from qunce.runtime.ingest import Ingest
from qunce.runtime.models import Channel, SegmentMember
from qunce.runtime.segments.keep import LOOK_S, Keeper
from qunce.runtime.segments.turning import BATCH

SEGMENT: Final = "first_purchase"
"""The shipped segment that somebody enters by the first order: one event of twenty is such an order."""
TICK_S: Final = 0.1
_SHOP: Final = Source(connector="shop")
_CHAT: Final = Source(connector="bench")


def follow(stored: int, rate: int, seconds: float) -> dict[str, Any]:
    """Return the milliseconds from each first order to its buyer's entry, over a community of `stored` events."""
    # With a channel time goes on: the first run is as of now, and no run of everybody is due when the first event comes.
    Channel.objects.create(connector="bench", account="bench", name="bench", created_ms=0)
    Ingest().take_all(list(simulated(stored)))
    seen: dict[str, int] = {}
    stop, ready = threading.Event(), threading.Event()
    keeper = threading.Thread(target=_keep, args=(stop, ready, seen))
    keeper.start()
    ready.wait()
    sent = _feed(rate, seconds)
    until = time.monotonic() + 60
    while len(seen) < len(sent) and time.monotonic() < until:
        time.sleep(TICK_S)
    stop.set()
    keeper.join()
    if len(seen) < len(sent):
        raise RuntimeError(f"{len(sent) - len(seen)} of {len(sent)} buyers had not entered after a minute")
    return {"ms": sorted(seen[buyer] - moment for buyer, moment in sent.items()), "sent": round(rate * seconds)}


def _feed(rate: int, seconds: float) -> dict[str, int]:
    """Store events, and return when each buyer's order was handed in."""
    ingest, sent, number = Ingest(), dict[str, int](), 0
    began = time.monotonic()
    while (passed := time.monotonic() - began) < seconds:
        due, moment = round(passed * rate), now_ms()
        events = []
        for one in range(number, due):
            events.append(_order(one, moment) if one % 20 == 0 else _message(one, moment))
            if one % 20 == 0:
                sent[f"buyer-{one}"] = moment
        if events:
            ingest.take(events)
        number = due
        time.sleep(TICK_S)
    return sent


def _order(number: int, moment: int) -> Event:
    body = OrderUpdated(order_id=f"bench-{number}", status="paid", amount_minor=9_900, currency="CNY")
    buyer = Party(platform_id=f"buyer-{number}")
    return Event(ts_ms=moment, source=_SHOP, body=body, dedupe_key=f"bench:order:{number}", subject=buyer)


def _message(number: int, moment: int) -> Event:
    conv = Conv(platform_id=f"group-{number % 20}", kind="group")
    actor = Party(platform_id=f"speaker-{number % 500}")
    body = MessageCreated(message_id=str(number), text="在吗")
    return Event(ts_ms=moment, source=_CHAT, body=body, dedupe_key=f"bench:{number}", conv=conv, actor=actor)


def _keep(stop: threading.Event, ready: threading.Event, seen: dict[str, int]) -> None:
    """Keep the segments as the server's loop does, and note who is in."""
    keeper = Keeper()
    while keeper.turn():
        pass
    ready.set()
    while not stop.is_set():
        done = keeper.turn()
        inside = SegmentMember.objects.filter(segment_id=SEGMENT).values("subject_id")
        buyers = list(Identity.objects.filter(pk__in=inside, connector="shop").values_list("platform_id", flat=True))
        moment = now_ms()
        for buyer in (name for name in buyers if name.startswith("buyer-")):
            seen.setdefault(buyer, moment)
        if done < BATCH:
            stop.wait(LOOK_S)
    connection.close()
