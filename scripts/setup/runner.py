"""Run checks one after another, one line each, all to the end; close with the sum as the last line."""

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence

from scripts.setup.checks import Check
from scripts.setup.environment import ROOT

NOTHING_COLLECTED = 5
_COUNT = re.compile(r"(\d+) (passed|failed|errors?|skipped|xfailed|xpassed)\b")
_SKIPPED = re.compile(r"^SKIPPED \[(\d+)\] \S+ (.*)$", re.MULTILINE)
_MEANING = {"error": "failed", "errors": "failed", "xpassed": "failed", "xfailed": "passed"}


def run_checks(checks: Sequence[Check]) -> int:
    """Run every check, print a line for each and the sum at the end; return 1 when any of them failed, else 0."""
    total: Counter[str] = Counter()
    failed: list[str] = []
    started = time.monotonic()
    for check in checks:
        counted, ok = _run_one(check)
        total += counted
        if not ok:
            failed.append(check.title)
    _print()
    if failed:
        _print(f"Failed: {', '.join(failed)}")
    _print(f"{len(checks)} checks in {time.monotonic() - started:.0f} s")
    _print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    return 1 if failed else 0


def count_results(output: str) -> Counter[str]:
    """Return passed, failed and skipped as pytest's closing line in its output says; empty when there is none."""
    for line in reversed(output.splitlines()):
        if " in " in line and (found := _COUNT.findall(line)):
            counted: Counter[str] = Counter()
            for number, word in found:
                counted[_MEANING.get(word, word)] += int(number)
            return counted
    return Counter()


def skip_reasons(output: str) -> Counter[str]:
    """Return how many tests were skipped for each reason, from pytest's short summary."""
    reasons: Counter[str] = Counter()
    for number, reason in _SKIPPED.findall(output):
        reasons[reason.strip()] += int(number)
    return reasons


def _run_one(check: Check) -> tuple[Counter[str], bool]:
    if check.missing:
        _print(f"{check.title:<36} SKIPPED: {check.missing}")
        return Counter(skipped=1), True
    print(f"{check.title:<36} ", end="", flush=True)
    started = time.monotonic()
    code, output = _execute(check)
    took = f"{time.monotonic() - started:6.1f} s"
    ok = code == 0 or (check.counts_tests and code == NOTHING_COLLECTED)
    counted = count_results(output) if check.counts_tests else Counter(passed=1) if ok else Counter(failed=1)
    if not ok and not counted["failed"]:
        counted["failed"] = 1
    _print(f"{'ok' if ok else 'FAILED':<6} {took}  {_details(check, code, counted)}".rstrip())
    for reason, number in sorted(skip_reasons(output).items()) if check.counts_tests else ():
        _print(f"    SKIPPED {number}: {reason}")
    if not ok:
        _print(output.rstrip() or f"(no output, exit code {code})")
    return counted, ok


def _details(check: Check, code: int, counted: Counter[str]) -> str:
    if not check.counts_tests:
        return ""
    if code == NOTHING_COLLECTED:
        return "NO TESTS FOUND"
    return ", ".join(f"{number} {word}" for word, number in counted.items() if number)


def _execute(check: Check) -> tuple[int, str]:
    """Run the command in a session of its own, so that a check that hangs is stopped with all it has started."""
    process = subprocess.Popen(
        check.command,
        cwd=ROOT,
        env=_clean_env(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=check.limit_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        return 1, f"{output}\nstopped after {check.limit_s} s"
    except KeyboardInterrupt:
        os.killpg(process.pid, signal.SIGTERM)
        raise
    return process.returncode, output


def _clean_env() -> dict[str, str]:
    """The caller's variables without those that set up an installation: a check must say the same for everybody."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("QUNCE_", "DJANGO_", "PYTEST_"))}
    named = {name: os.environ[name] for name in ("QUNCE_CHROMIUM",) if name in os.environ}
    return kept | named | {"PYTHONUNBUFFERED": "1", "NO_COLOR": "1"}


def _print(line: str = "") -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
