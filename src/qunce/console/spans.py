"""Mark the stretches of a message that a rule found, in the message as it was written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from qunce.console.labels import label

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qunce.runtime.live.views import FoundSpan


def marked(text: str, spans: Iterable[FoundSpan]) -> Markup:
    """Return a text with what was found in it marked; what it was found as stands in the mark's title.

    Of stretches that overlap the first and longest is marked. One that no longer fits, because the text was changed since, is
    left out.
    """
    whole, at = Markup(), 0
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if span.start < at or span.end > len(text):
            continue
        title = f"{label('view', span.view)} · {span.what}" if span.what else label("view", span.view)
        whole += escape(text[at : span.start])
        whole += Markup('<mark title="{}">{}</mark>').format(title, text[span.start : span.end])
        at = span.end
    return whole + escape(text[at:])
