"""The walk through a JSON text that is read in pieces."""

from __future__ import annotations

import io
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunce.connectors.files import jsonstream
from qunce.connectors.files.errors import Unreadable
from qunce.connectors.files.jsonstream import TOO_LONG, JsonCursor

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def cursor(text: str, limit: int = 1000) -> JsonCursor:
    return JsonCursor(io.BytesIO(text.encode("utf-8", "surrogatepass")), max_value=limit)


def walk_through(walk: JsonCursor) -> None:
    """Read arrays in all fields of the object."""
    for _ in walk.fields():
        list(walk.items())


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read seven bytes at a time, so that every value is met at the end of a piece."""
    monkeypatch.setattr(jsonstream, "PIECE", 7)


@given(st.lists(VALUES, max_size=6), st.sampled_from([None, 1]), st.booleans())
def test_items_are_what_the_standard_library_reads(items: list[Any], indent: int | None, ascii_only: bool) -> None:
    assert list(cursor(json.dumps(items, indent=indent, ensure_ascii=ascii_only)).items()) == items


@given(st.dictionaries(st.text(max_size=8), VALUES, max_size=6), st.data())
def test_fields_not_taken_are_passed_over(fields: dict[str, Any], data: st.DataObject) -> None:
    wanted = data.draw(st.sets(st.sampled_from(sorted(fields)))) if fields else set()
    walk = cursor(json.dumps(fields))
    assert {key: walk.value() for key in walk.fields() if key in wanted} == {key: fields[key] for key in wanted}
    assert walk.peek() == ""


@given(st.lists(st.text(st.sampled_from('"\\[]{}a\n'), max_size=200), max_size=5))
def test_values_over_the_limit_are_skipped_and_the_rest_is_right(items: list[str]) -> None:
    limit = 50
    found = list(cursor(json.dumps(items), limit).items())
    for item, value in zip(items, found, strict=True):
        assert value == item or (value is TOO_LONG and len(json.dumps(item)) > limit)


def test_items_can_be_walked_into() -> None:
    walk = cursor('[{"a": 1, "b": [1, 2]}, {"b": [3]}, 7]')
    found = []
    for index in walk.enter():
        if index < 2:
            for key in walk.fields():
                if key == "b":
                    found += list(walk.items())
    assert found == [1, 2, 3]


@pytest.mark.parametrize("text", ['{"a": [1, 2', '{"a": [1, {"b": "c', '{"a"', '{"a": ['])
def test_a_text_that_ends_too_early_is_refused(text: str) -> None:
    walk = cursor(text)
    with pytest.raises(Unreadable, match="ends too early"):
        walk_through(walk)


@pytest.mark.parametrize("text", ['{"a": [1, x, 2, 3, 4, 5, 6, 7, 8, 9]}', "{a: [1]}", "[1]", '{"a" [1]}', '{"a": 5}'])
def test_a_damaged_text_is_refused_with_the_place(text: str) -> None:
    walk = cursor(text)
    with pytest.raises(Unreadable, match="near character"):
        walk_through(walk)


@given(st.text(st.sampled_from('{}[]",:\\ a1-'), max_size=40))
def test_no_text_does_worse_than_being_refused(text: str) -> None:
    walk = cursor(text, 10)
    with suppress(Unreadable):
        walk_through(walk)
