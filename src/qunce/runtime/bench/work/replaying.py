"""Replay a playbook over the stored community, as `qunce replay` does."""

from __future__ import annotations

import resource
import time
from typing import Any

from qunce.readmodels.models import Message
from qunce.runtime.bench.work.chatter import made_up_terms, playbook
from qunce.runtime.bench.work.stopwatch import Stopwatch
from qunce.runtime.replay.service import Request, replay


def measure(kind: str, processes: int) -> dict[str, Any]:
    """Replay everything; making the programs, reading the journal and writing the report are in it.

    CPU of all processes is counted, peak memory is that of the largest.
    """
    began, cpu = time.perf_counter(), _cpu_s()
    report = replay(Request(playbook=playbook(kind), processes=processes))
    seconds, spent = time.perf_counter() - began, _cpu_s() - cpu
    children_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    sizes = sorted((row.messages for row in report.groups), reverse=True)
    return {
        "seconds": [seconds], "cpu": [spent], "messages": report.messages, "events": report.events, "children_mb": children_mb,
        "largest_share": sizes[0] / max(1, report.messages),
        "decisions": sum(sum(row.decisions.values()) for row in report.groups),
    }  # fmt: skip


def _cpu_s() -> float:
    own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime


def keyword_loop(messages: int) -> dict[str, Any]:
    """Look for each term in each text of so many stored messages, texts and terms already in memory."""
    terms = made_up_terms(10_000)
    texts = list(Message.objects.order_by("seq").values_list("text", flat=True)[:messages])
    watch, found = Stopwatch(), 0
    with watch.lap():
        for text in texts:
            found += any(term in text for term in terms)
    return {**watch.figures(), "messages": len(texts), "found": found}
