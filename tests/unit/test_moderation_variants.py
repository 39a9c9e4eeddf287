"""Terms are found in disguise, and everyday sentences are not taken for them (specs/moderation.md §4.2)."""

from __future__ import annotations

import pytest

from qunce.engine.text.automaton import finder, trie_finder
from qunce.engine.text.phrases import Phrase, Scanner, split_forms, wildcard
from qunce.engine.text.shapes import shape_table, splits
from qunce.engine.text.tables import near_sound, sounds
from qunce.engine.text.views import MAX_CHARS, Views, spell

TERMS = ("加微信", "加QQ群", "代购返现", "刷单兼职", "拼多多砍价", "时时彩", "高仿包包", "裸聊", "VIP资源", "无抵押贷款")


def scanner(*terms: str, allow: tuple[str, ...] = ()) -> Scanner:
    phrases = [Phrase(source="s", what=term, groups=((term,),)) for term in terms]
    return Scanner([*phrases, *(Phrase(source="s", what=word, groups=((word,),), rescue=True) for word in allow)])


ALL = scanner(*TERMS)

FOUND = {
    "as written": ("代购返现", "这里有代购返现哦", "代购返现", "plain"),
    "mixed case": ("加QQ群", "加qQ群聊", "加qQ群", "plain"),
    "full width Latin": ("VIP资源", "ＶＩＰ资源分享", "ＶＩＰ资源", "plain"),
    "mathematical letters": ("VIP资源", "𝐕𝐈𝐏资源", "𝐕𝐈𝐏资源", "plain"),
    "zero-width characters inserted": ("刷单兼职", "刷\u200b单\u2060兼\ufeff职", "刷\u200b单\u2060兼\ufeff职", "plain"),
    "spaces inserted": ("裸聊", "裸 聊吗", "裸 聊", "plain"),
    "punctuation inserted": ("裸聊", "裸.聊吗", "裸.聊", "plain"),
    "strokes inserted": ("代购返现", "代ᚰ购丶返乀现", "代ᚰ购丶返乀现", "plain"),
    "emoji inserted": ("代购返现", "代😊购🔥返❤️现", "代😊购🔥返❤️现", "plain"),
    "traditional characters": ("刷单兼职", "刷單兼職", "刷單兼職", "plain"),
    "each character doubled": ("代购返现", "代代购购返返现现", "代代购购返返现现", "repeat"),
    "a doubled term doubled": ("拼多多砍价", "拼拼多多多多砍砍价价", "拼拼多多多多砍砍价价", "repeat"),
    "two characters by sound": ("代购返现", "带购反现", "带购反现", "sound"),
    "a character that folding makes a rare one": ("刷单兼职", "刷單兼軄", "刷單兼軄", "sound"),
    "every character by sound, one of them rare": ("加微信", "佳薇芯", "佳薇芯", "sound"),
    "near sounds": ("刷单兼职", "刷丹剑子", "刷丹剑子", "sound"),
    "one character as pinyin": ("加微信", "加wei信", "加wei信", "sound"),
    "all as pinyin": ("加微信", "jia wei xin", "jia wei xin", "sound"),
    "a look-alike": ("无抵押贷款", "无抵押货款", "无抵押货款", "shape"),
    "one character split": ("加微信", "加微亻言", "加微亻言", "split"),
    "another one split": ("刷单兼职", "刷单兼耳只", "刷单兼耳只", "split"),
    "reversed": ("刷单兼职", "职兼单刷", "职兼单刷", "reverse"),
    "reversed with a doubled character": ("高仿包包", "包包仿高", "包包仿高", "reverse"),
}


@pytest.mark.parametrize("name", FOUND)
def test_disguise_is_seen_through_and_shown_where_it_stands(name: str) -> None:
    term, text, written, label = FOUND[name]
    views = Views(text)
    hits = {hit.phrase.what: hit for hit in ALL.scan(views)}
    assert term in hits
    hit = hits[term]
    start, end = views.written(hit.view, *hit.places[0])
    assert (views.text[start:end], hit.label) == (written, label)


ORDINARY = (
    "小时彩礼的事情再说",
    "事情到路口交通就堵了",
    "他们女子足球队很强",
    "我在群里加了一个好友",
    "信用卡丢了怎么办",
    "这个单子要兼顾质量",
    "妈妈妈妈，抱抱",
    "大家聊聊裸眼三维技术",
    "微，信件到了吗",
    "人家为什么不来",
    "豆角又不失食材原本的味道",
    "还是大家，微信里说",
)


@pytest.mark.parametrize("text", ORDINARY)
def test_everyday_sentence_is_let_through(text: str) -> None:
    assert not ALL.scan(Views(text))


def test_a_short_word_does_not_cross_the_end_of_a_sentence() -> None:
    find = scanner("微信")
    assert find.scan(Views("微 信"))
    assert not find.scan(Views("稍微。信件来了"))
    assert not find.scan(Views("稍微\n信件来了"))


@pytest.mark.parametrize(
    ("text", "found"),
    [("三黄片怎么卖", True), ("三黄片剂怎么吃", False), ("三黄片剂和三黄片", True), ("三 黄 片 剂", False)],
)
def test_an_allow_word_rescues_what_lies_inside_it(text: str, found: bool) -> None:
    assert bool(scanner("黄片", "三黄片", allow=("三黄片剂",)).scan(Views(text))) == found


@pytest.mark.parametrize(
    ("term", "text", "found"),
    [
        ("加*微信", "加一下我微信", True),
        ("加*微信", "加微信", True),
        ("加*微信", "加了七个字以上的那个微信", False),
        ("加?信", "加威信", True),
        ("加?信", "加信", False),
        ("A*B?C", "a--b1c", True),
    ],
)
def test_wildcards(term: str, text: str, found: bool) -> None:
    groups, gaps = wildcard(term)
    phrase = Phrase(source="s", what=term, groups=groups, gaps=gaps, ordered=True, views=frozenset())
    assert bool(Scanner([phrase]).scan(Views(text))) == found


def test_words_of_a_combination_may_not_share_characters() -> None:
    find = Scanner([Phrase(source="s", what="x", groups=(("加微信",), ("微信号",)), within=20)])
    assert not find.scan(Views("加微信号"))
    assert find.scan(Views("加微信，微信号见下"))


def test_both_automata_find_the_same() -> None:
    patterns = ["微信", "信", "加微信", "abc", "b"]
    text = "加微信abc微信信b"
    assert finder(patterns)(text) == trie_finder(patterns)(text)
    assert finder([])(text) == []


def test_no_character_stands_in_two_families_of_look_alikes() -> None:
    table = shape_table()
    assert not set(table.values()) & {chr(code) for code in table}


def test_every_split_has_parts_and_none_is_the_character_itself() -> None:
    assert all(len(way) >= 2 and char not in way for char, ways in splits().items() for way in ways)
    assert "女子片" not in split_forms("好片")  # parts that are a word hide nothing in a short term


def test_syllables_are_single_characters_and_near_sounds_share_one() -> None:
    tokens = sounds().tokens
    assert all(len(token) == 1 for token in tokens.values())
    assert tokens["zhang"] == tokens["zan"] != tokens["zhong"]
    assert near_sound("lang") == near_sound("nan")


@pytest.mark.parametrize(
    ("letters", "syllables"), [("weixin", 2), ("jiaweixin", 3), ("xian", 1), ("fangan", 2), ("vx", 0), ("zzz", 0)]
)
def test_letters_are_read_as_pinyin_or_not_at_all(letters: str, syllables: int) -> None:
    assert len(spell(letters) or "") == syllables


def test_a_long_stretch_of_letters_is_not_read_as_pinyin() -> None:
    assert spell("wei" * 30) is None


def test_a_very_long_text_is_looked_at_in_its_beginning_and_end() -> None:
    filler = "好" * 600_000
    assert ALL.scan(Views(f"代购返现{filler}"))
    assert ALL.scan(Views(f"{filler}代购返现"))
    assert len(Views(filler).text) <= MAX_CHARS + 1
