"""Keep results, so that no page ever waits for one.

One small file per question in the mirror's folder, shared by all processes. A page calls `get`; where that gives None, or a
result of an older mirror, it calls `ensure` and asks again a moment later. Computations run one after another in one
background thread.
"""

from __future__ import annotations

import atexit
import logging
import os
from hashlib import blake2b
from pathlib import Path
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Final, Protocol

import msgspec

from qunce.analytics.registry import Metric, get_metric
from qunce.analytics.result import Result
from qunce.analytics.tables import Params
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
        self._lock = Lock()
        self._pending: dict[str, tuple[Metric, Params]] = {}
        self._failed: dict[str, int] = {}
        self._queue: SimpleQueue[str | None] = SimpleQueue()
        self._stopping = False
        self._thread: Thread | None = None

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
        with self._lock:
            if key not in self._pending:
                self._pending[key] = (metric, params)
                self._queue.put(key)
            if self._thread is None:
                self._thread = Thread(target=self._work, name="metric results", daemon=True)
                self._thread.start()
                # A thread inside the engine's C++ when the interpreter goes would take the process down with it.
                atexit.register(self.stop)
        return False

    def stop(self) -> None:
        """End the background thread after the computation it is at. What waits is asked for again by the next page."""
        with self._lock:
            thread, self._stopping = self._thread, True
        if thread is not None:
            self._queue.put(None)
            thread.join()

    def has_failed(self, metric_id: str, params: Params) -> bool:
        """Tell whether the newest attempt over the present mirror broke, so that a page can say so."""
        with self._lock:
            version = self._failed.get(_key(get_metric(metric_id), params))
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
