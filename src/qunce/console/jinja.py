"""Build the one Jinja2 environment of the console: translation, icons, links and formats."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import jinja2
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext, ngettext, pgettext
from markupsafe import Markup

from qunce.console import evidence, figures, findings, formats, happenings, labels, lessons, pages, reasons
from qunce.console.highlights import highlight
from qunce.console.spans import marked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest

    from qunce.readmodels.selectors.transcript import Line

EXTENSIONS = ["jinja2.ext.i18n", "jinja2.ext.do", "jinja2.ext.loopcontrols"]
_JSON_ESCAPES = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026", 0x2028: "\\u2028", 0x2029: "\\u2029"}


def environment(**options: Any) -> jinja2.Environment:
    """Return the environment; Django passes loader, autoescape (always on) and the rest."""
    env = jinja2.Environment(extensions=EXTENSIONS, trim_blocks=True, lstrip_blocks=True, **options)  # noqa: S701
    translations: Any = env
    translations.install_gettext_callables(gettext, ngettext, newstyle=True, pgettext=pgettext)
    env.globals.update(
        make_shell=pages.shell, icon=icon, static=static, url=url, query=query, json_block=json_block, json_text=json_text,
        label=labels.label, hue=labels.hue, row_reason=reasons.row_reason,
        file_reason=reasons.file_reason, unit_name=labels.unit_name, action_name=labels.action_name,
        model_name=lessons.model_name, lesson_name=lessons.lesson_name,
        content_icon=labels.CONTENT_ICONS.get,
        happening_text=happening_text, happening_sentence=happenings.sentence, happening_icon=happenings.icon_of,
        evidence_text=evidence.evidence_text, evidence_tone=evidence.evidence_tone,
        metric_name=figures.name, definition=figures.definition, exclusions=figures.exclusions,
        metric_denominator=figures.denominator, metric_counted=figures.counted, marked=marked, say=say,
        mistake=findings.mistake, note_text=findings.note_text, reason_text=findings.reason_text,
    )  # fmt: skip
    env.filters.update(
        num=formats.number, pct=formats.percent, duration=formats.duration, countdown=formats.countdown,
        money=formats.money, size=formats.size,
        in_unit=formats.in_unit, when=formats.when, stamp=formats.stamp, clock=formats.clock, on_date=formats.on_date,
        iso=formats.iso, day=formats.day, short_day=formats.short_day, long_day=formats.long_day, ago=formats.ago,
        initial=labels.initial, value=formats.value, highlight=highlight,
    )  # fmt: skip
    # Pieces of page are shared as macros; as a global they also work where one block of a page is rendered alone.
    env.globals["ui"] = env.get_template("console/ui.html").module
    return env


@cache
def icon(name: str, css: str = "") -> Markup:
    """Return an inlined icon, hidden from screen readers: the text beside it speaks. Raises OSError for an unknown name."""
    strokes = files("qunce.console").joinpath(f"static/vendor/icons/{name}.svg").read_text("utf-8").strip()
    return Markup(  # noqa: S704  # the strokes are our own vendored files, the names our own words
        f'<svg class="icon {css}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" '
        f'stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">{strokes}</svg>'
    )


def url(name: str, *args: object, **kwargs: object) -> str:
    """Return the address of a named page."""
    return reverse(name, args=args or None, kwargs=kwargs or None)


def query(request: HttpRequest, **changes: object) -> str:
    """Return the page's query string with `changes` made; None takes a key out. Starts with `?`, never empty."""
    params = request.GET.copy()
    for key, value in changes.items():
        if value is None or value == "":
            params.pop(key, None)
        else:
            params[key] = str(value)
    return "?" + params.urlencode()


def json_block(data: object, element_id: str) -> Markup:
    """Return a data block that scripts read: JSON in a script element that is never run."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).translate(_JSON_ESCAPES)
    block = '<script type="application/json" id="{}">{}</script>'
    return Markup(block).format(element_id, Markup(text))  # noqa: S704  # <, > and & are escaped above


def happening_text(line: Line) -> str:
    """Return what happened between messages, as a sentence."""
    name = line.author.name if line.author else ""
    return happenings.sentence(line.happening, line.detail or {}, name, line.actor.name if line.actor else "")


def say(pair: Sequence[str]) -> str:
    """Return what is given as (Chinese, English) in the page's language."""
    return pair[1] if formats.english() else pair[0]


def json_text(data: object) -> str:
    """Return JSON for an attribute; the template escapes it."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
