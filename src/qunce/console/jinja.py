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
from markupsafe import Markup, escape

from qunce.console import figures, formats, happenings, labels, pages
from qunce.domain.text import fold

if TYPE_CHECKING:
    from django.http import HttpRequest

    from qunce.readmodels.selectors.transcript import Line

_LEAD, _LONGEST, _MOST_MARKS = 60, 400, 50
_JSON_ESCAPES = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026", 0x2028: "\\u2028", 0x2029: "\\u2029"}


def environment(**options: Any) -> jinja2.Environment:
    """Return the environment; Django passes loader, autoescape and the rest."""
    env = jinja2.Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do", "jinja2.ext.loopcontrols"], trim_blocks=True,
                             lstrip_blocks=True, **options)  # fmt: skip
    env.install_gettext_callables(gettext, ngettext, newstyle=True, pgettext=pgettext)  # type: ignore[attr-defined]  # added by the extension
    env.globals.update(
        make_shell=pages.shell,
        icon=icon,
        static=static,
        url=url,
        query=query,
        json_block=json_block,
        label=labels.label,
        hue=labels.hue,
    )
    env.filters.update(
        num=formats.number, compact=formats.compact, pct=formats.percent, duration=formats.duration, money=formats.money,
        size=formats.size, when=formats.when, stamp=formats.stamp, clock=formats.clock, on_date=formats.on_date,
        iso=formats.iso, day=formats.day, short_day=formats.short_day, long_day=formats.long_day, ago=formats.ago,
        initial=labels.initial,
    )  # fmt: skip
    env.globals.update(
        content_icon=labels.CONTENT_ICONS.get,
        happening_text=happening_text,
        happening_sentence=happenings.sentence,
        happening_icon=happenings.icon_of,
    )
    env.globals.update(
        metric_name=figures.name, definition=figures.definition, exclusions=figures.exclusions, metric_denominator=figures.denominator,
        unit_name=labels.unit_name, action_name=labels.action_name,
    )  # fmt: skip
    env.filters["in_unit"] = formats.in_unit
    env.filters["highlight"] = highlight
    # Pieces of page are shared as macros; as a global they also work where one block of a page is rendered alone.
    env.globals["ui"] = env.get_template("console/ui.html").module
    return env


@cache
def icon(name: str, css: str = "") -> Markup:
    """Return an inlined icon, hidden from screen readers: the text beside it speaks. Raises OSError for an unknown name."""
    strokes = files("qunce.console").joinpath(f"static/vendor/icons/{name}.svg").read_text("utf-8").strip()
    return Markup(
        f'<svg class="icon {css}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" '
        f'stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">{strokes}</svg>'
    )  # the strokes are our own vendored files


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
    return Markup('<script type="application/json" id="{}">').format(element_id) + Markup(text) + Markup("</script>")


def happening_text(line: Line) -> str:
    """Return what happened between messages, as a sentence."""
    name = line.author.name if line.author else ""
    return happenings.sentence(line.happening, line.detail or {}, name, line.actor.name if line.actor else "")


def highlight(text: str, words: str) -> Markup:
    """Return a text, shortened round the first hit, with every word of a search marked; both are compared folded."""
    spans = hits(text, words)
    if spans and spans[0][0] > _LEAD:
        cut = spans[0][0] - _LEAD // 2
        text, spans = "…" + text[cut:], [(start - cut + 1, end - cut + 1) for start, end in spans]
    text = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
    marked, at = Markup(), 0
    for start, end in spans:
        if start >= at and end <= len(text):
            marked += escape(text[at:start]) + Markup("<mark>{}</mark>").format(text[start:end])
            at = end
    return marked + escape(text[at:])


def hits(text: str, words: str) -> list[tuple[int, int]]:
    """Return where the words of a search stand in a text, in order. Folding may change lengths, so it goes by character."""
    folded, origin = "", []
    for index, char in enumerate(text):
        piece = fold(char)
        folded += piece
        origin += [index] * len(piece)
    found = []
    for word in fold(words).split():
        at = folded.find(word)
        while at >= 0 and len(found) < _MOST_MARKS:
            found.append((origin[at], origin[at + len(word) - 1] + 1))
            at = folded.find(word, at + len(word))
    return sorted(found)
