"""The builder's form says the same as the written segment, both ways."""

from __future__ import annotations

import pytest

from qunce.playbook import gallery
from qunce.playbook.load import parse
from qunce.playbook.schema.segments import Node as Written
from qunce.playbook.schema.segments import Segment
from qunce.playbook.segments.check import check_segment, rules_of
from qunce.playbook.segments.describe import describe
from qunce.playbook.segments.tree import AllOf, Node
from qunce.runtime.segments import form as forms

HEAD = "schema_version: 1\nplaybook: {playbook_id: t, title: 测试}\n"
EXAMPLES = parse({"playbook.yaml": HEAD, **gallery.segments()}).playbook.segments


def fields(cond: forms.Cond, path: str) -> dict[str, str]:
    found = {f"{path}.kind": cond.kind, **{f"{path}.{name}": value for name, value in cond.fields.items()}}
    if cond.negated:
        found[f"{path}.no"] = "1"
    for place, part in enumerate(cond.parts):
        found |= fields(part, f"{path}.{place}")
    return found


def sent(form: forms.Form) -> forms.Form:
    """Return a form as a browser sends it and the server reads it."""
    data = {"segment_id": form.segment_id, "title": form.title, "title_en": form.title_en, "of": form.of}
    for place, part in enumerate(form.parts):
        data |= fields(part, f"r.{place}")
    lists = {name: value.split("\n") for name, value in data.items() if name.rpartition(".")[2] in ("event", *forms.WHERES)}
    return forms.posted(data, lists)


def flat(body: Node) -> list[Node]:
    """Return the parts that all have to hold, lists within lists opened up."""
    return [inner for part in body.parts for inner in flat(part)] if isinstance(body, AllOf) else [body]


@pytest.mark.parametrize("segment", EXAMPLES, ids=lambda segment: segment.segment_id)
def test_an_example_goes_through_the_form_and_means_the_same(segment: object) -> None:
    form = sent(forms.tidy(forms.form_of(segment), {}))  # type: ignore[arg-type]
    again = form.segment()
    others = tuple(again if other.segment_id == again.segment_id else other for other in EXAMPLES)
    assert list(check_segment(others, again)) == []
    before, after = rules_of(EXAMPLES)[again.segment_id], rules_of(others)[again.segment_id]
    # Two measures of one condition become two conditions, which is the same.
    assert flat(after.body) == flat(before.body)


def test_buttons_add_and_remove_conditions_at_their_place() -> None:
    form = forms.Form(segment_id="a", title="甲", title_en="", of="member", parts=())
    form = forms.changed(form, "add any r")
    form = forms.changed(form, "add tag r.0")
    assert [part.kind for part in form.parts[0].parts] == ["did", "tag"]
    form = forms.changed(form, "del r.0.0")
    assert [part.kind for part in form.parts[0].parts] == ["tag"]
    for nonsense in ("del r.9", "add magic r", "add did r.7.7", "drop", "del", ""):
        assert forms.changed(form, nonsense) == form


def test_another_event_leaves_no_measure_behind_that_it_cannot_have() -> None:
    cond = forms.Cond(kind="did", fields={"event": "message", "measure": "sum:amount", "op": ">=", "v1": "100"})
    form = forms.tidy(forms.Form(segment_id="a", title="甲", title_en="", of="member", parts=(cond,)), {})
    assert form.parts[0].get("measure") == "times"
    age = forms.Cond(kind="attr", fields={"name": "last_message_at", "op": "!=", "v1": "3"})
    form = forms.tidy(forms.Form(segment_id="a", title="甲", title_en="", of="member", parts=(age,)), {})
    assert form.segment().where[0].is_ == "<=7d"


def test_a_mistake_is_found_at_its_condition() -> None:
    bad = forms.Cond(
        kind="did", negated=True, fields={"event": "message", "window": "7d", "measure": "days", "op": ">=", "v1": "99"}
    )
    group = forms.Cond(kind="any", parts=(forms.new("did", "member"), bad))
    form = forms.Form(segment_id="a", title="甲", title_en="", of="member", parts=(group,))
    [(path, message, *_)] = check_segment((form.segment(),), form.segment())
    assert "can never hold" in message
    assert forms.place_of(path, forms.places(form)) == "r.0.1"
    assert forms.place_of("title", forms.places(form)) == ""


def test_events_are_narrowed_by_content_and_group_where_all_of_them_know_it() -> None:
    chosen = {"content": "image\nvoice", "group": "3\n5", "window": "7d", "measure": "times", "op": ">=", "v1": "2"}
    cond = forms.Cond(kind="did", fields={"event": "message", **chosen})
    form = sent(forms.tidy(forms.Form(segment_id="a", title="甲", title_en="", of="member", parts=(cond,)), {}))
    segment = form.segment()
    assert segment.where[0].where == {"content": ("image", "voice"), "group_id": ("3", "5")}
    assert list(check_segment((segment,), segment)) == []
    assert forms.form_of(segment).parts[0].many("group") == ["3", "5"]
    assert describe(rules_of((segment,))["a"].body, "member") == "最近 7 天发言[内容 是 图片 / 语音][群 是 3 / 5]次数 ≥ 2"
    bought = forms.tidy(
        forms.Form(
            segment_id="a", title="甲", title_en="", of="member",
            parts=(forms.Cond(kind="did", fields={**cond.fields, "event": "message\norder_paid"}),),
        ),
        {},
    )  # fmt: skip
    assert bought.segment().where[0].where is None, "an order is in no group"


def test_a_narrowing_that_the_lists_cannot_show_is_kept() -> None:
    node = Written(did=("message",), where={"group_id": "set"}, times=">=2")
    form = sent(forms.form_of(Segment(segment_id="a", title="甲", where=(node,))))
    assert form.segment().where[0].where == {"group_id": "set"}


def test_hostile_forms_are_cut_short() -> None:
    deep = "r" + ".0" * 60
    data = {f"{deep[: 1 + 2 * n]}.kind": "all" for n in range(1, 60)} | {f"r.{n}.kind": "tag" for n in range(1, 500)}
    form = forms.posted(data, {})
    assert len(form.parts) < forms.MOST_PARTS
    assert forms.posted({"r.0.kind": "did", "r.0.where": "[[", "of": "planet"}, {}).of == "member"
