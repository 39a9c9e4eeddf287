"""Keys in one spelling, and how likely two accounts are one person; the worked examples of docs/algorithms/identity.md."""

from __future__ import annotations

from typing import Any

import pytest

from qunce.domain.identity_keys import normal_key
from qunce.engine.identity import likeness
from qunce.engine.identity.likeness import Background, Portrait, background, compare, grams, portrait, writing

KEYS = [
    ("phone", "13800138000", "8613800138000"), ("phone", "+86 138-0013-8000", "8613800138000"),
    ("phone", "008613800138000", "8613800138000"), ("phone", "１３８００１３８０００", "8613800138000"),
    ("phone", "+1 (415) 555-0100", "14155550100"), ("phone", "138****8000", None), ("phone", "1.38E+10", None),
    ("phone", "00000000000", None), ("phone", "-", None), ("phone", "无", None), ("phone", "12345", None),
    ("email", "Li.Hong@Example.com ", "li.hong@example.com"), ("email", "li.hong", None), ("unionid", " oAbC1 ", "oAbC1"),
    ("unionid", "o***1", None), ("crm", "1111", None), ("crm", "", None), ("crm", "x" * 201, None), ("weight", "12345", None),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "written", "expected"), KEYS)
def test_a_key_has_one_spelling_and_placeholders_are_none(kind: str, written: str, expected: str | None) -> None:
    assert normal_key(kind, written) == expected


def account(**changes: Any) -> Portrait:
    values = {
        "chars": 1_000, "grams": {"a": 1.0}, "groups": frozenset({1}), "minutes": frozenset({(1, 10)}),
        "hours": frozenset({(1, 1)}), "first_ms": 0, "last_ms": 10,
    }  # fmt: skip
    return Portrait(**(values | changes))


OTHER = {"grams": {"a": 0.26}, "hours": frozenset({(1, 9)}), "first_ms": 20, "last_ms": 30}


@pytest.mark.parametrize(
    ("other", "score", "evidence"),
    [
        pytest.param(
            {"minutes": frozenset({(1, 99)})}, 0.89, ("name", "groups:1", "writing:0.26", "handover"), id="the worked example"
        ),
        pytest.param(
            {"minutes": frozenset({(1, 10), (1, 11), (1, 12)}), "first_ms": 5}, 0.43,
            ("name", "groups:1", "writing:0.26", "together:3"), id="the same, talking in the same minutes",
        ),
        pytest.param({"grams": {}, "minutes": frozenset(), "groups": frozenset()}, 0.31, ("name",), id="only a name"),
    ],
)  # fmt: skip
def test_the_score_is_the_sum_of_the_evidence(other: dict[str, Any], score: float, evidence: tuple[str, ...]) -> None:
    first = account(minutes=frozenset({(1, 10), (1, 11), (1, 12)}))
    found = compare(first, account(**(OTHER | other)))
    assert (round(found.score, 2), found.evidence) == (score, evidence)
    assert compare(account(**(OTHER | other)), first) == found


def test_what_everybody_writes_weighs_nothing() -> None:
    everybody = [grams(["收到，谢谢"])[0] for _ in range(9)]
    known = background(everybody)
    assert known.weight("谢谢") == 0
    assert known.weight("莲藕") > 2
    texts = ["收到，谢谢"] * 100
    halves = [portrait(*grams(texts), [(1, n)], {1}, known) for n in (1, 2)]
    assert writing(*halves) == 0


def test_little_text_says_nothing_and_much_is_read_no_further() -> None:
    known = Background(accounts=10, holders={})
    assert writing(portrait(*grams(["莲藕汤"]), [], {1}, known), account()) is None
    counts, chars = grams(["莲藕排骨汤" * 100] * 100)
    assert likeness.MAX_CHARS <= chars < likeness.MAX_CHARS + 500
    same = portrait(counts, chars, [], {1}, known)
    assert writing(same, same) == pytest.approx(1.0)
    assert compare(same, same).score <= likeness.SUREST
