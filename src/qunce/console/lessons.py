"""Say what models that can be taught are called, and what a mark says: built-in ones, and those of tags."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext as _

from qunce.console import formats
from qunce.console.labels import label
from qunce.runtime.live import marks


def model_name(model: str, own: Mapping[str, tuple[str, str]]) -> str:
    """Return what a model that can be taught is called; `own` = titles of the tags that teach theirs."""
    if model not in own:
        return str(label("model", model)) if model in marks.MODELS else model
    return _("标签「%(tag)s」") % {"tag": _said(own[model])}


def lesson_name(model: str, yes: bool, own: Mapping[str, tuple[str, str]]) -> str:
    """Return what a mark says; `own` as of `model_name`."""
    if model in marks.MODELS:
        return str(label("lesson", f"{model} {'yes' if yes else 'no'}"))
    text = _("「%(tag)s」对") if yes else _("「%(tag)s」不对")
    return text % {"tag": _said(own.get(model, (model, model)))}


def _said(title: tuple[str, str]) -> str:
    return title[1] if formats.english() else title[0]
