"""The closing sum of `bootstrap.py test` says what pytest said."""

from collections import Counter

import pytest

from scripts.setup.runner import count_results, skip_reasons

CLOSING_LINES = {
    "a clean run": ("....\n4 passed in 0.10s", {"passed": 4}),
    "failures and errors are failed": ("1 failed, 3 passed, 2 errors in 1.2s", {"passed": 3, "failed": 3}),
    "an expected failure has passed": ("2 passed, 1 skipped, 1 xfailed in 3.00s", {"passed": 3, "skipped": 1}),
    "an unexpected success has failed": ("2 passed, 1 xpassed in 3.00s", {"passed": 2, "failed": 1}),
    "deselected tests do not count": ("5 passed, 7 deselected in 61.00s (0:01:01)", {"passed": 5}),
    "the last closing line counts": ("9 passed in 1s\n4 passed in 0.10s\nbye", {"passed": 4}),
    "no tests at all": ("no tests ran in 0.01s", {}),
    "a crash before the end": ("Traceback …\nKeyError: 'x'", {}),
}


@pytest.mark.parametrize(("output", "counted"), CLOSING_LINES.values(), ids=CLOSING_LINES)
def test_count_results(output: str, counted: dict[str, int]) -> None:
    assert count_results(output) == Counter(counted)


def test_skips_are_added_up_by_their_reason() -> None:
    output = "SKIPPED [2] tests/a.py:3: no data\nSKIPPED [1] tests/b.py:9: no data\nSKIPPED [1] tests/b.py:4: no browser\n"
    assert skip_reasons(output) == {"no data": 3, "no browser": 1}
