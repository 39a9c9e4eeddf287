"""What members say of themselves is found; what they deny, ask, suppose, remember or say of others is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunce.engine.profile.extract import LEAST, SURE, Phrases
from qunce.playbook import gallery
from qunce.playbook.load import parse
from qunce.playbook.schema.profile import Attribute

HEAD = "schema_version: 1\nplaybook: {playbook_id: t, title: 测试}\n"
PHRASES = Phrases(parse({"p.yaml": HEAD, **gallery.profile()}).playbook.attributes)

SAID: dict[str, tuple[str, object]] = {
    "我在杭州": ("city", "杭州"),
    "坐标成都": ("city", "成都"),
    "大家好，坐标成都 ，求推荐": ("city", "成都"),
    "我家在深圳呢": ("city", "深圳"),
    "我們這邊，我在廣州市": ("city", "广州"),
    "宝宝 8 个月了": ("baby_months", 8),
    "我家宝宝十个月": ("baby_months", 10),
    "我是 85 后": ("age_group", "80后"),
    "我也是95后哈哈": ("age_group", "90后"),
    "预算 300 左右": ("budget", 30_000),
    "求推荐，预算1.2万以内": ("budget", 1_200_000),
    "我是宝妈": ("gender", "女"),
    "孩子3岁": ("child_years", 3),
}
SILENT: tuple[str, ...] = (
    "我朋友在杭州", "我老公是85后", "我不在杭州", "我在杭州吗", "我以前住在杭州", "如果我在杭州就好了", "我在杭州出差",
    "坐标杭州的姐妹有吗",     "有坐标成都的吗？", "她说「我在杭州」", "我在北京路上", "我没有预算300", "预算多少",
    "你家宝宝8个月吗", "宝宝8个月的时候", "我妈是60后",
    "别人家孩子3岁", "今天天气不错", "", "我在火星", "预算有限",
)  # fmt: skip


@pytest.mark.parametrize("text", SAID)
def test_what_members_say_of_themselves_is_found(text: str) -> None:
    attribute, value = SAID[text]
    assert (attribute, value) in [(found.attribute, found.value) for found in PHRASES.find(text)]


@pytest.mark.parametrize("text", SILENT)
def test_what_is_not_said_of_oneself_is_left(text: str) -> None:
    assert PHRASES.find(text) == ()


def test_a_clause_of_nothing_else_is_surest_and_more_words_make_it_less_sure() -> None:
    found = {text: PHRASES.find(text)[0].confidence for text in ("坐标成都", "坐标成都本地", "其实我在成都本地", "我在朝阳")}
    assert found == {"坐标成都": SURE, "坐标成都本地": 0.9, "其实我在成都本地": 0.85, "我在朝阳": 0.8}


def test_a_message_may_say_several_things() -> None:
    found = PHRASES.find("新人报到，坐标杭州，我是90后，宝宝8个月")
    assert {(item.attribute, item.value) for item in found} == {("city", "杭州"), ("age_group", "90后"), ("baby_months", 8)}


def test_attributes_without_phrases_find_nothing() -> None:
    assert Phrases(()).find("坐标成都") == ()
    assert Phrases((Attribute(attribute_id="city", title="城市", type="city"),)).find("坐标成都") == ()


@given(st.text(max_size=80), st.sampled_from(sorted(SAID)))
def test_any_text_is_read_in_peace_and_the_same_each_time(noise: str, said: str) -> None:
    for text in (noise, f"{noise}{said}", f"{said}\n{noise}"):
        found = PHRASES.find(text)
        assert found == PHRASES.find(text)
        assert all(LEAST <= item.confidence <= SURE for item in found)
