"""Forms from the schema: every key has a widget, what is shown and sent back unchanged changes nothing, parts keep the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qunce.playbook import gallery, parts
from qunce.playbook.errors import InvalidPlaybook
from qunce.playbook.forms import words
from qunce.playbook.forms.fields import FormField, UnknownShape, fields_of_form, kinds_of, sections
from qunce.playbook.forms.lines import read_lines, twice, write_lines
from qunce.playbook.forms.ops import operate
from qunce.playbook.forms.posted import Reader, record_of
from qunce.playbook.forms.view import FieldView, Known, Viewer
from qunce.playbook.load import parse
from qunce.playbook.schema import Rule
from qunce.playbook.schema.checks import TITLES

KNOWN = Known(ids={})
RULE = {
    "rule_id": "ads.terms",
    "title": "广告词",
    "category": "ads",
    "reason": "群里不发广告。",
    "delete": True,
    "modes": {"福利一群": "act", "读书会": "suggest"},
    "stale_after": "2h",
    "when": [
        {"check": "newcomer", "joined_within": "24h"},
        {"check": "terms", "lexicons": ["ads"], "at_least": 2},
        {"check": "combination", "all_of": [["加"], ["微信", "威信"]], "within_chars": 12},
    ],
}


def sent(views: Sequence[FieldView]) -> dict[str, list[str]]:
    """Return what a browser sends of these fields."""
    found: dict[str, list[str]] = {}
    for view in views:
        path = view.path
        match view.field.widget:
            case "switch":
                found[path] = ["off", "on"] if view.on else ["off"]
            case "many" | "references":
                found[path] = ["", *(option.choice.code for option in view.options if option.on)]
            case "choice" | "reference":
                found[path] = [next((option.choice.code for option in view.options if option.on), "")]
            case "duration":
                found |= {path: [view.text], f"{path}.unit": [view.unit]}
            case "records" | "record" | "union" | "lists" | "table":
                found[f"{path}.#"] = [view.keys]
                for row in view.rows:
                    found |= sent(row.fields)
                    if view.field.widget == "lists":
                        found[row.path] = [row.text]
                    if view.field.widget == "table":
                        found[f"{row.path}.key"] = [row.text]
                    if row.tag:
                        found[f"{row.path}.{row.tag_name}"] = [row.tag]
            case _:
                # Browsers send the line breaks of a text area as two characters.
                found[path] = [view.text.replace("\n", "\r\n")]
    return found


def records(cls: type[msgspec.Struct], seen: set[type]) -> Iterator[type[msgspec.Struct]]:
    if cls in seen:
        return
    seen.add(cls)
    yield cls
    for field in fields_of_form(cls):
        inner = [field.record] if field.record else list(kinds_of(field).values()) if field.widget == "union" else []
        for one in inner:
            yield from records(one, seen)


def all_records(names: Iterable[str]) -> list[type[msgspec.Struct]]:
    seen: set[type] = set()
    return [one for name in names if (record := sections()[name].record) for one in records(record, seen)]


ALL = all_records(sections())
# A section has its words all at once: when it says in `words.SECTION_ABOUT` what it is for.
FIELDS = [(f"{cls.__name__}.{field.name}", field) for cls in all_records(words.SECTION_ABOUT) for field in fields_of_form(cls)]


def test_every_section_of_a_playbook_has_a_form() -> None:
    assert set(sections()) == set(parts.SECTIONS)
    assert len(ALL) > 30
    assert all(field.widget and field.title[0] for cls in ALL for field in fields_of_form(cls))


@pytest.mark.parametrize(("place", "field"), FIELDS, ids=[place for place, _ in FIELDS])
def test_every_key_has_a_title_help_and_named_choices_in_both_languages(place: str, field: FormField) -> None:
    assert all(field.title)
    assert all(field.help), f"{place}: add its Chinese help to playbook/forms/words.py"
    for choice in field.choices:
        assert all(choice.title)
        assert choice.title[0] != choice.code or choice.code.isupper(), f"{place}: name {choice.code!r} in words.CHOICES"


def test_no_words_are_left_over() -> None:
    places = {place for place, _ in FIELDS} | {f"Playbook.{name}" for name, form in sections().items() if form.record is None}
    assert set(words.HELP) - places == set()
    assert set(words.SECTION_ABOUT) <= set(sections())


def test_a_key_whose_type_no_widget_fits_is_named() -> None:
    strange = msgspec.defstruct("Strange", [("odd", dict[str, bytes] | bytes)])
    with pytest.raises(UnknownShape, match=r"Strange\.odd"):
        fields_of_form(strange)


def test_every_kind_of_check_says_what_it_looks_for() -> None:
    when = next(field for field in fields_of_form(Rule) if field.name == "when")
    assert {choice.code for choice in when.choices} == {str(check.__struct_config__.tag) for check in TITLES}
    assert all(all(choice.about) and all(choice.title) for choice in when.choices)


BOOKS = {name: gallery.texts(name) for name in gallery.names()} | {"segments": gallery.segments()}
GALLERY = [(name, part) for name, files in BOOKS.items() for part in parts.parts(files)]


@pytest.mark.parametrize(("name", "part"), GALLERY, ids=[f"{name}:{part.section}:{part.key}" for name, part in GALLERY])
def test_a_form_sent_back_unchanged_changes_nothing(name: str, part: parts.Part) -> None:
    form = sections()[part.section]
    if form.record is None or part.section not in parts.SECTIONS:
        pytest.skip("a plain list")
    views = Viewer(KNOWN).record(form.record, part.values)
    record, _ = record_of(form.record, part.values, sent(views))
    assert parts.same(record, part.plain)
    assert parts.changed(BOOKS[name], part, record) == BOOKS[name]


@pytest.mark.parametrize("section", sorted(sections()))
def test_an_empty_form_says_nothing_but_what_must_be_said(section: str) -> None:
    form = sections()[section]
    if form.record is None:
        return
    record, _ = record_of(form.record, {}, sent(Viewer(KNOWN).record(form.record, {})))
    required = {field.name for field in fields_of_form(form.record) if field.required}
    assert set(record) <= required


def test_what_is_not_sent_keeps_its_value() -> None:
    for posted in ({}, {"title": ["新的名称"]}, {"when.1.at_least": ["3"]}, {"mode": ["act"]}):
        record, _ = record_of(Rule, RULE, posted)
        changed = {name for name in record if record[name] != RULE.get(name)}
        assert changed == {name.partition(".")[0] for name in posted}
        assert set(RULE) <= set(record)
    record, _ = record_of(Rule, RULE, {"when.1.at_least": ["3"]})
    when = record["when"]
    assert isinstance(when, list)
    assert when[1] == {"check": "terms", "lexicons": ["ads"], "at_least": 3}
    assert when[0] == RULE["when"][0]  # type: ignore[index]  # it is a list


def test_a_switch_goes_off_only_when_it_was_on_the_form() -> None:
    assert record_of(Rule, RULE, {"title": ["x"]})[0]["delete"] is True
    assert "delete" not in record_of(Rule, RULE, {"delete": ["off"]})[0]
    assert record_of(Rule, RULE, {"enabled": ["off"]})[0]["enabled"] is False


def test_keys_the_schema_does_not_know_are_kept_for_the_binder_to_name() -> None:
    record, _ = record_of(Rule, {**RULE, "laddder": "gentle"}, {"title": ["x"], "nothing": ["y"]})
    assert record["laddder"] == "gentle"
    assert "nothing" not in record


def test_what_cannot_be_read_stays_as_it_was_typed() -> None:
    record, _ = record_of(Rule, RULE, {"severity": ["viel"], "stale_after": ["bald"], "stale_after.unit": ["h"]})
    assert (record["severity"], record["stale_after"]) == ("viel", "bald")
    views = {view.field.name: view for view in Viewer(KNOWN).record(Rule, record)}
    assert (views["severity"].text, views["stale_after"].text, views["stale_after"].unit) == ("viel", "bald", "m")


def rows(record: Mapping[str, object], name: str = "when") -> list[object]:
    value = record[name]
    assert isinstance(value, list)
    return value


def test_rows_are_added_taken_out_and_moved_and_keep_what_they_say() -> None:
    fields = fields_of_form(Rule)
    posted = sent(Viewer(KNOWN).record(Rule, RULE))
    old = RULE["when"]
    assert isinstance(old, list)

    grown = operate(fields, posted, "add:when:flood")
    record, keys = record_of(Rule, RULE, grown)
    assert rows(record)[:3] == old
    assert rows(record)[3] == {"check": "flood", "messages": 8, "window": "30s"}
    again = sent(Viewer(KNOWN, keys=keys).record(Rule, record))
    assert parts.same(record_of(Rule, RULE, again)[0], record)

    moved = operate(fields, operate(fields, again, "up:when.n1"), "remove:when.0")
    record, keys = record_of(Rule, RULE, moved)
    assert rows(record) == [old[1], {"check": "flood", "messages": 8, "window": "30s"}, old[2]]
    assert keys["when"] == ("1", "n1", "2")
    # Rows keep their number, so a part that was not sent is taken from the row it belongs to.
    record, _ = record_of(Rule, RULE, {"when.#": ["2,1"], "when.1.at_least": ["4"]})
    assert rows(record) == [old[2], {"check": "terms", "lexicons": ["ads"], "at_least": 4}]


@pytest.mark.parametrize(
    "operation", ["", "add:", "add:title", "add:when:nothing", "remove:when.77", "up:when.0", "fly:when.0", "add:when.0.x"]
)
def test_an_operation_that_makes_no_sense_changes_nothing(operation: str) -> None:
    posted = sent(Viewer(KNOWN).record(Rule, RULE))
    assert parts.same(record_of(Rule, RULE, operate(fields_of_form(Rule), posted, operation))[0], RULE)


def test_nested_lists_and_tables_grow_too() -> None:
    fields = fields_of_form(Rule)
    posted = sent(Viewer(KNOWN).record(Rule, RULE))
    posted = operate(fields, operate(fields, posted, "add:when.2.all_of"), "add:modes")
    posted |= {"when.2.all_of.n1": ["号码\r\nQQ"], "modes.n1.key": ["新群"], "modes.n1.value": ["act"]}
    record, _ = record_of(Rule, RULE, posted)
    assert rows(record)[2]["all_of"] == [["加"], ["微信", "威信"], ["号码", "QQ"]]  # type: ignore[index]  # it is a dict
    assert record["modes"] == {"福利一群": "act", "读书会": "suggest", "新群": "act"}


def test_problems_stand_at_their_field() -> None:
    files = {"playbook.yaml": gallery.texts("muying")["playbook.yaml"]}
    broken = {**RULE, "mode": "wild", "when": [{"check": "flood", "messages": 1, "window": "30s"}]}
    files = parts.added(files, "rules", broken)
    part = next(part for part in parts.parts(files) if part.section == "rules")
    with pytest.raises(InvalidPlaybook) as caught:
        parse(files)
    at = [(one.path.removeprefix(f"{part.path}."), one) for one in caught.value.problems if one.path.startswith(part.path)]
    views = {view.field.name: view for view in Viewer(KNOWN, at).record(Rule, part.values)}
    assert [one.code for one in views["mode"].problems] == ["choice"]
    messages = {view.field.name: view for view in views["when"].rows[0].fields}["messages"]
    assert [one.fix for one in messages.problems] == ["write at least 2"]


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)
TERMS = st.one_of(
    TEXTS, st.builds(lambda text, severity: {"text": text, "severity": severity}, TEXTS, st.sampled_from([1, 2, 4, 5]))
)


@given(st.lists(TERMS, max_size=6))
def test_lines_read_back_as_they_were(values: list[object]) -> None:
    assert read_lines(write_lines(values, "text", "severity", 3), "text", "severity", 3) == values
    plain = [value for value in values if isinstance(value, str)]
    assert read_lines(write_lines(plain)) == plain


def test_lines_are_what_people_write() -> None:
    assert read_lines("代购返现\r\n\r\n  加*微信 | 4 \n", "text", "severity", 3) == [
        "代购返现",
        {"text": "加*微信", "severity": 4},
    ]
    assert write_lines(["a | 5", "", '"x"'], "text", "severity", 3) == '"a | 5"\n""\n"\\"x\\""'
    assert twice(["甲", {"text": "乙"}, "乙", "甲", "甲"], "text") == ["乙", "甲"]


def values_of(field: FormField, depth: int) -> st.SearchStrategy[object]:
    """Return any value that a key may have in YAML, good or bad for the checks."""
    match field.widget:
        case "switch":
            return st.booleans()
        case "number":
            return st.integers(-5, 10_000) if field.whole else st.integers(1, 100).map(lambda share: share / 100)
        case "duration":
            return st.builds(lambda number, unit: f"{number}{unit}", st.integers(1, 99), st.sampled_from("smhd"))
        case "choice":
            return st.sampled_from([choice.code for choice in field.choices])
        case "many":
            return st.lists(st.sampled_from([choice.code for choice in field.choices]), unique=True)
        case "references":
            return st.lists(st.sampled_from(["ads", "a.b", "c_1"]), unique=True)
        case "words":
            return st.one_of(TEXTS.filter(bool), st.lists(TEXTS, min_size=2)) if field.single else st.lists(TEXTS, min_size=1)
        case "lines":
            return st.lists(TERMS)
        case "lists":
            return st.lists(st.lists(TEXTS, max_size=3), max_size=3)
        case "table":
            assert field.item is not None
            return st.dictionaries(TEXTS.filter(bool), values_of(field.item, depth), min_size=1, max_size=2)
        case "record" | "records":
            assert field.record is not None
            inner = record_values(field.record, depth - 1) if depth else st.nothing()
            return inner if field.widget == "record" else st.lists(inner, min_size=1, max_size=2)
        case "union":
            kinds = [record_values(record, depth - 1) for record in kinds_of(field).values()] if depth else []
            return st.lists(st.one_of(kinds), min_size=1, max_size=2)
    return TEXTS.filter(bool)


def record_values(cls: type[msgspec.Struct], depth: int) -> st.SearchStrategy[dict[str, object]]:
    config = cls.__struct_config__
    fields = [field for field in fields_of_form(cls) if depth or field.widget not in ("record", "records", "union")]
    chosen = {field.name: values_of(field, depth) for field in fields}
    required = {name: value for name, value in chosen.items() if next(f for f in fields if f.name == name).required}
    optional = {name: value for name, value in chosen.items() if name not in required}
    tag = {str(config.tag_field): st.just(config.tag)} if config.tag is not None else {}
    return st.fixed_dictionaries(tag | required, optional=optional)


@pytest.mark.parametrize("section", [name for name, form in sections().items() if form.record is not None])
@given(data=st.data())
@settings(max_examples=10, deadline=None)
def test_any_record_survives_its_form_and_its_text(section: str, data: st.DataObject) -> None:
    form = sections()[section]
    assert form.record is not None
    record = data.draw(record_values(form.record, 2))
    read, _ = record_of(form.record, record, sent(Viewer(KNOWN).record(form.record, record)))
    assert parts.same(read, record)
    if form.many:
        files = parts.added({"playbook.yaml": "schema_version: 1\n"}, section, record)
        part = next(part for part in parts.parts(files) if part.section == section)
        assert parts.same(part.plain, record)
        other = data.draw(record_values(form.record, 1))
        assert parts.same(next(iter(parts.parts(parts.changed(files, part, other)))).plain, other)


def test_a_plain_list_is_one_field() -> None:
    form = sections()["blocklist"]
    assert form.field is not None
    view = Viewer(KNOWN).field(form.field, ["wmA", "wmB"], "blocklist", "")
    assert (view.text, view.count) == ("wmA\nwmB", 2)
    assert Reader({"blocklist": ["wmB\r\nwmC"]}).value(form.field, ["wmA", "wmB"], "blocklist") == ["wmB", "wmC"]


def test_rare_keys_stand_behind_more_until_they_are_used() -> None:
    hidden = {view.field.name for view in Viewer(KNOWN).record(Rule, RULE) if view.hidden}
    assert "groups" in hidden
    assert not hidden & {"modes", "stale_after", "rule_id", "when"}
