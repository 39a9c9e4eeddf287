"""The small pure pieces of the console: formats, heat steps, highlights, labels, templates and their icons."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django.utils import timezone, translation
from hypothesis import given
from hypothesis import strategies as st

from qunce.console import charts, formats, heat
from qunce.console.highlights import LONGEST, highlight, hits
from qunce.console.labels import common_start, hue, initial, label
from qunce.console.uploads import _safe_name

CONSOLE = Path(formats.__file__).parent
TEXT = st.text(st.characters(blacklist_categories=["Cs"]), max_size=80)


@pytest.fixture(autouse=True)
def _shanghai() -> object:
    with timezone.override("Asia/Shanghai"), translation.override("zh-hans"):
        yield


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param(formats.number(1234567), "1,234,567", id="thousands are separated"),
        pytest.param(formats.number(None), "–", id="what is unknown is a dash"),
        pytest.param(formats.percent(0.4161), "41.6%", id="a ratio is a percentage"),
        pytest.param(formats.percent(Decimal("0.0005"), 0), "0%", id="half a tenth of a percent rounds to nothing"),
        pytest.param(formats.duration(222), "3 分 42 秒", id="minutes and seconds"),
        pytest.param(formats.duration(90_061), "1 天 1 小时", id="the two largest units"),
        pytest.param(formats.duration(3_605), "1 小时", id="a unit of nothing is not written"),
        pytest.param(formats.duration(0), "0 秒", id="no time at all"),
        pytest.param(formats.money(125_000), "¥1,250.00", id="fen are yuan"),
        pytest.param(formats.money(-50, "USD"), "-$0.50", id="the sign stands before the symbol"),
        pytest.param(formats.money(1250, "JPY"), "¥1,250", id="yen have no minor unit"),
        pytest.param(formats.size(1_540_000), "1.5 MB", id="bytes"),
        pytest.param(formats.in_unit(0.5, "ratio"), "50.0%", id="a ratio in its unit"),
        pytest.param(formats.in_unit(39_166.9, "minor"), "¥391.67", id="an average of money"),
        pytest.param(formats.in_unit(2.0, "people"), "2", id="a whole average needs no decimals"),
    ],
)
def test_numbers_are_written_for_people(written: str, expected: str) -> None:
    assert written == expected


MOMENT = int(datetime(2026, 3, 2, 23, 30, tzinfo=UTC).timestamp() * 1000)  # 07:30 on 3 March in Shanghai


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param(formats.when(MOMENT), "2026-03-03 07:30", id="the organisation's zone"),
        pytest.param(formats.long_day(MOMENT), "2026 年 3 月 3 日 周二", id="a heading with its weekday"),
        pytest.param(formats.ago(MOMENT, MOMENT + 30_000), "刚刚", id="half a minute"),
        pytest.param(formats.ago(MOMENT, MOMENT + 2 * 3_600_000), "2 小时前", id="hours"),
        pytest.param(formats.ago(MOMENT, MOMENT + 40 * 86_400_000), "2026-03-03", id="long ago is a date"),
        pytest.param(formats.day(formats.day_of(MOMENT)), "2026-03-03", id="the local day"),
    ],
)
def test_moments_are_told_in_the_organisations_zone(written: str, expected: str) -> None:
    assert written == expected


@given(st.integers(-20_000, 40_000))
def test_a_day_begins_where_it_says(day: int) -> None:
    with timezone.override("Asia/Shanghai"):
        assert formats.day_of(formats.start_of(day)) == day
        assert formats.day_of(formats.start_of(day) - 1) == day - 1


def test_english_pages_speak_english() -> None:
    with translation.override("en"):
        assert formats.duration(222) == "3m 42s"
        assert formats.long_day(MOMENT) == "Tue, 3 Mar 2026"
        assert label("kind", "house_persona") == "House persona"


@given(TEXT, TEXT)
def test_highlighting_changes_nothing_but_the_marks(text: str, words: str) -> None:
    marked = str(highlight(text, words))
    plain = marked.replace("<mark>", "").replace("</mark>", "")
    assert "<" not in plain
    if len(text) <= LONGEST and not plain.startswith("…"):
        assert highlight(text, "") == plain


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        pytest.param("什么时候发货呀", "发货", "什么时候<mark>发货</mark>呀", id="a word of two characters"),
        pytest.param("什麼時候發貨", "发货", "什麼時候<mark>發貨</mark>", id="traditional found by simplified"),
        pytest.param("ＡＢＣ abc", "abc", "<mark>ＡＢＣ</mark> <mark>abc</mark>", id="full width found by half width"),
        pytest.param("<b>x</b>", "x", "&lt;b&gt;<mark>x</mark>&lt;/b&gt;", id="markup is text"),
        pytest.param("无", "发货", "无", id="nothing to mark"),
    ],
)
def test_hits_are_marked_as_they_are_written(text: str, words: str, expected: str) -> None:
    assert str(highlight(text, words)) == expected


@given(TEXT, st.text(min_size=1, max_size=3))
def test_hits_lie_inside_the_text_and_in_order(text: str, words: str) -> None:
    found = hits(text, words)
    assert all(0 <= start < end <= len(text) for start, end in found)
    assert found == sorted(found)


@given(st.floats(0, 1e9), st.floats(0.1, 1e9))
def test_heat_has_eight_steps_and_grows(value: float, largest: float) -> None:
    assert 0 <= heat.step(value, largest) <= heat.STEPS
    assert heat.step(value, largest) <= heat.step(value * 2, largest)
    assert heat.step(0, largest) == 0


def test_a_strip_has_seven_days_a_week_and_ends_today() -> None:
    monday = heat.monday(20_780)
    rows = heat.strip({20_779: 3}, monday - 7, 20_780)
    assert len(rows) == 7
    days = [at[0] for row in rows for at in row if at]
    assert sorted(days) == list(range(monday - 7, 20_781))


def test_a_mean_waits_until_its_window_is_full() -> None:
    assert charts.moving_mean([1, 2, 3, 4], 3) == [None, None, 2.0, 3.0]
    assert charts.moving_mean([1, None, 3], 2) == [None, None, None]


def test_avatars_leave_the_common_name_out() -> None:
    names = ["春风读书会", "春风晨跑团", "春风母婴营"]
    skip = common_start(names)
    assert [initial(name, skip) for name in names] == ["读", "晨", "母"]
    assert initial("", 0) == "#"
    assert hue("甲") == hue("甲")


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "..\\..\\x", "/abs", "C:\\x", "a\x00b", "", "...", "报告.json", "x" * 500, "CON", "a/b/c.txt"],
)
def test_an_uploaded_name_stays_in_its_folder(name: str, tmp_path: Path) -> None:
    safe = _safe_name(name, 3, set())
    assert safe
    assert (tmp_path / safe).resolve().parent == tmp_path.resolve()
    assert len(safe) <= 120


def test_every_icon_a_page_asks_for_is_vendored() -> None:
    templates = "".join(path.read_text("utf-8") for path in CONSOLE.glob("jinja2/**/*.html"))
    modules = "".join(path.read_text("utf-8") for path in CONSOLE.rglob("*.py"))
    asked = set(re.findall(r'icon\("([a-z0-9-]+)"', templates)) | set(re.findall(r'icon="([a-z0-9-]+)"', modules))
    asked |= set(re.findall(r'ui\.empty\("([a-z0-9-]+)"', templates))
    have = {path.stem for path in (CONSOLE / "static/vendor/icons").glob("*.svg")}
    assert asked <= have


def test_templates_hold_no_inline_script_or_style() -> None:
    for path in CONSOLE.glob("jinja2/**/*.html"):
        text = path.read_text("utf-8")
        assert not re.search(r'\sstyle="|\son[a-z]+="|<style|<script(?![^>]*\ssrc=)', text), path.name
