"""What a rule found is marked in the message as it was written, whatever the message says."""

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from qunce.console.spans import marked
from qunce.runtime.live.views import FoundSpan


def span(start: int, end: int, what: str = "词", view: str = "plain") -> FoundSpan:
    return FoundSpan(start=start, end=end, what=what, view=view)


@pytest.mark.parametrize(
    ("text", "spans", "shown"),
    [
        pytest.param("你好", [], "你好", id="nothing found leaves the text"),
        pytest.param("卖茶叶啦", [span(1, 3)], "卖<mark>茶叶</mark>啦", id="what was found is marked"),
        pytest.param("<b>茶", [span(0, 3)], "<mark>&lt;b&gt;</mark>茶", id="a marked text is escaped"),
        pytest.param("茶叶", [span(0, 2), span(1, 2)], "<mark>茶叶</mark>", id="of overlapping ones the longest is marked"),
        pytest.param("茶", [span(0, 5)], "茶", id="one that no longer fits is left out"),
        pytest.param("茶与茶", [span(2, 3), span(0, 1)], "<mark>茶</mark>与<mark>茶</mark>", id="order does not matter"),
    ],
)
def test_spans_are_marked(text: str, spans: list[FoundSpan], shown: str) -> None:
    with translation.override("zh-hans"):
        assert str(marked(text, spans)).replace(' title="原文 · 词"', "") == shown


def test_how_it_was_found_stands_in_the_title_escaped() -> None:
    with translation.override("zh-hans"):
        assert 'title="谐音 · &lt;&#34;"' in marked("茶", [span(0, 1, '<"', "sound")])


@given(text=st.text(max_size=30), ends=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=6))
def test_without_its_marks_it_is_the_text(text: str, ends: list[tuple[int, int]]) -> None:
    found = marked(text, [span(min(pair), max(pair)) for pair in ends if pair[0] != pair[1]])
    bare = "".join(part.partition(">")[2] if at else part for at, part in enumerate(str(found).split("<mark")))
    assert Markup(bare.replace("</mark>", "")).unescape() == Markup.escape(text).unescape()
