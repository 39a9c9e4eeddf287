"""Keep results, so that no page ever waits for one.

One small file per question in the mirror's folder, shared by all processes. A page calls `get`; where that gives None, or a
result of an older mirror, it calls `ensure` and asks again a moment later. Computations run one after another: in one
background thread, or in another process, for which `leave_to` leaves wishes.
"""

from __future__ import annotations

import atexit
import logging
import os
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Final, Protocol

import msgspec

from qunce.analytics.registry import Metric, get_metric
from qunce.analytics.result import Result
from qunce.analytics.tables import Params
from qunce.analytics.wishes import Wish, Wishes
from qunce.journal.mirror import MirrorStore

logger = logging.getLogger(__name__)

MOST_FILES: Final = 4_000
"""Results kept; the ones not asked for the longest go first."""


class Computes(Protocol):
    """What results are made by: `analytics.engine.Engine`, or a fake in tests."""

    def compute(self, metric: Metric, params: Params) -> Result:
        """Return the metric's values."""
        ...


class Results:
    """Results of one mirror: on disk, and in the making."""

    def __init__(self, store: MirrorStore, engine: Computes) -> None:
        self._store = store
        self._engine = engine
        self._folder = store.folder / "results"
        self._wishes = Wishes(self._folder)
        self._elsewhere: Callable[[], None] | None = None
        self._lock = Lock()
        self._pending: dict[str, tuple[Metric, Params]] = {}
        self._failed: dict[str, int] = {}
        self._queue: SimpleQueue[str | None] = SimpleQueue()
        self._stopping = False
        self._thread: Thread | None = None

    def leave_to(self, ring: Callable[[], None] | None) -> None:
        """Have results made by another process, which `ring` wakes (`make_wished`); None = by a thread of this one."""
        self._elsewhere = ring

    def get(self, metric_id: str, params: Params, *, stale: bool = True) -> Result | None:
        """Return what is known; None = nothing yet. With `stale`, a result of an older mirror will do."""
        metric = get_metric(metric_id)
        result = self._read(_key(metric, params))
        if result and not stale and not self.is_fresh(result):
            return None
        return result

    def is_fresh(self, result: Result) -> bool:
        """Tell whether a result was computed from the present mirror."""
        return result.mirror_version == self._store.manifest().version

    def ensure(self, metric_id: str, params: Params) -> bool:
        """Have a fresh result made if there is none; tell whether one is there already.

        Raises MetricError if the metric is unknown or cannot be cut as asked.
        """
        metric = get_metric(metric_id)
        metric.check(params)
        if self.get(metric_id, params, stale=False):
            return True
        key = _key(metric, params)
        if self._elsewhere is None:
            self._queue_up(key, metric, params)
        elif not self.has_failed(metric_id, params) and self._wishes.add(key, Wish(metric_id, params)):
            self._elsewhere()
        return False

    def make_wished(self, *, stale: bool) -> int:
        """Make what other processes wish for; return how many.

        Without `stale` only what there is no result of yet; what is merely out of date goes on waiting.
        """
        made = 0
        for key, wish in self._wishes.waiting():
            try:
                metric = get_metric(wish.metric_id)
                known = self._read(key)
                if known and not self.is_fresh(known):
                    if not stale:
                        continue
                    known = None
                if not known:
                    made += 1
                    self._make(metric, wish.params)
                failed = None
            except Exception:
                failed = self._store.manifest().version
                logger.exception("metric failed", extra={"action": "metric.compute", "metric": wish.metric_id})
            self._wishes.note_failed(key, failed)
            self._wishes.drop(key)
        return made

    def try_again(self) -> None:
        """Forget what could not be made: this process may know better than the one before."""
        self._wishes.forget_failures()

    def _queue_up(self, key: str, metric: Metric, params: Params) -> None:
        with self._lock:
            if key not in self._pending:
                self._pending[key] = (metric, params)
                self._queue.put(key)
            if self._thread is None:
                self._thread = Thread(target=self._work, name="metric results", daemon=True)
                self._thread.start()
                # A thread inside the engine's C++ when the interpreter goes would take the process down with it.
                atexit.register(self.stop)

    def stop(self) -> None:
        """End the background thread after the computation it is at. What waits is asked for again by the next page."""
        with self._lock:
            thread, self._stopping = self._thread, True
        if thread is not None:
            self._queue.put(None)
            thread.join()

    def has_failed(self, metric_id: str, params: Params) -> bool:
        """Tell whether the newest attempt over the present mirror broke, so that a page can say so."""
        key = _key(get_metric(metric_id), params)
        with self._lock:
            version = self._failed.get(key) if self._elsewhere is None else self._wishes.failed(key)
        return version is not None and version == self._store.manifest().version

    def compute(self, metric_id: str, params: Params) -> Result:
        """Return a fresh result, made here and now if need be. For commands and exports, not for pages."""
        metric = get_metric(metric_id)
        known = self.get(metric_id, params, stale=False)
        return known or self._make(metric, params)

    def _make(self, metric: Metric, params: Params) -> Result:
        result = self._engine.compute(metric, params)
        self._write(_key(metric, params), result)
        return result

    def _work(self) -> None:
        while True:
            key = self._queue.get()
            if key is None or self._stopping:
                return
            with self._lock:
                metric, params = self._pending[key]
            try:
                if not self.get(metric.id, params, stale=False):
                    self._make(metric, params)
                failed = None
            except Exception:
                # The border of a loop: one broken computation must not end all others; the page shows it.
                failed = self._store.manifest().version
                logger.exception("metric failed", extra={"action": "metric.compute", "metric": metric.id})
            with self._lock:
                del self._pending[key]
                self._failed.pop(key, None)
                if failed is not None:
                    self._failed[key] = failed

    def _read(self, key: str) -> Result | None:
        path = self._folder / f"{key}.json"
        try:
            result = msgspec.json.decode(path.read_bytes(), type=Result)
        except (FileNotFoundError, msgspec.DecodeError):
            return None
        path.touch()
        return result

    def _write(self, key: str, result: Result) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        temporary = self._folder / f"{key}.{os.getpid()}.new"
        temporary.write_bytes(msgspec.json.encode(result))
        temporary.replace(self._folder / f"{key}.json")
        self._forget_oldest()

    def _forget_oldest(self) -> None:
        files = list(self._folder.glob("*.json"))
        if len(files) <= MOST_FILES:
            return
        files.sort(key=_used)
        for path in files[: len(files) - MOST_FILES * 9 // 10]:
            path.unlink(missing_ok=True)


def _used(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _key(metric: Metric, params: Params) -> str:
    groups = None if params.group_ids is None else sorted(params.group_ids)
    asked = (metric.id, metric.version, params.since_day, params.until_day, params.by, groups)
    return f"{metric.id}-{blake2b(msgspec.json.encode(asked), digest_size=12).hexdigest()}"
