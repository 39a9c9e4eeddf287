"""Find what a text says: terms, combinations, patterns, concepts, contacts, links, length, and what a model thinks of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from qunce.domain.decisions import Evidence, Span
from qunce.engine.learning.shipped import shipped
from qunce.engine.moderation import contacts, links
from qunce.engine.moderation.clues import likelihood
from qunce.engine.moderation.concepts import card_concepts, has_mark
from qunce.engine.moderation.look import Look
from qunce.engine.text.phrases import Hit
from qunce.engine.text.views import MAX_PATTERN_CHARS, Views, clip
from qunce.playbook.schema import checks as schema

MAX_SPANS = 20


def spans_of(look: Look, hits: Iterable[Hit]) -> tuple[Span, ...]:
    """Return where the hits stand in the text as written."""
    spans: list[Span] = []
    for hit in hits:
        for start, end in hit.places:
            first, last = look.views.written(hit.view, start, end)
            spans.append(Span(start=first, end=last, what=hit.phrase.what, view=hit.label))
    return tuple(spans[:MAX_SPANS])


def find_terms(check: schema.Terms, look: Look) -> Evidence | None:
    """Hold when enough different terms of the lexicons are there."""
    hits = [
        hit for lexicon in check.lexicons for hit in look.hits(f"lexicon:{lexicon}") if hit.phrase.severity >= check.severity
    ]
    if len({hit.phrase.what for hit in hits}) < check.at_least:
        return None
    return Evidence(check="terms", score=max(hit.phrase.severity for hit in hits) / 5, spans=spans_of(look, hits))


def find_combination(check: schema.Combination, look: Look) -> Evidence | None:
    """Hold when one word of each list stands within the stretch."""
    hits = look.hits(combination_source(check))
    return Evidence(check="combination", spans=spans_of(look, hits)) if hits else None


def combination_source(check: schema.Combination) -> str:
    """Return the name under which the scanner knows a combination."""
    return f"combination:{check.within_chars}:{check.all_of!r}"


@lru_cache(maxsize=1_024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def find_pattern(check: schema.Pattern, look: Look) -> Evidence | None:
    """Hold when an expression finds something in the folded text. The playbook's check has bounded its cost."""
    folded = look.views.folded
    text = clip(folded, MAX_PATTERN_CHARS * 2)
    for pattern in check.any_of:
        match = _compiled(pattern).search(text)
        if match is None:
            continue
        if len(text) != len(folded) or match.start() == match.end():
            return Evidence(check="pattern", note="in a long text")
        start, end = look.views.written("folded", match.start(), match.end())
        return Evidence(check="pattern", spans=(Span(start=start, end=end, what=pattern, view="pattern"),))
    return None


def find_concept(check: schema.ConceptCheck, look: Look) -> Evidence | None:
    """Hold when the signs of a concept, taken together, are strong enough: 1 - Π (1 - weight)."""
    if not look.all_hits and not look.links and not look.parts and not has_mark(look):
        return None
    best: Evidence | None = None
    for concept in check.any_of:
        hits = look.hits(f"concept:{concept}")
        weights = {hit.phrase.what: hit.phrase.weight for hit in hits}
        signs = [*weights.values(), *card_concepts(look, concept)]
        if not signs:
            continue
        score = likelihood(signs)
        if score >= check.at_least and (best is None or score > best.score):
            best = Evidence(check="concept", score=score, spans=spans_of(look, hits), note=concept)
    return best


def find_crisis(check: schema.Crisis, look: Look) -> Evidence | None:
    """Hold when the signs of one kind of crisis, taken together, are strong enough. The gravest kind is named."""
    best: tuple[int, float, Evidence] | None = None
    for kind in check.any_of or schema.CRISIS_KINDS:
        hits = look.hits(f"crisis:{kind}")
        if not hits:
            continue
        score = likelihood({hit.phrase.what: hit.phrase.weight for hit in hits}.values())
        rank = hits[0].phrase.severity, score
        if score >= check.at_least and rank[0] >= check.severity and (best is None or rank > best[:2]):
            best = *rank, Evidence(check="crisis", score=score, spans=spans_of(look, hits), note=kind)
    return best[2] if best else None


def contact_spans(look: Look, kinds: tuple[schema.ContactKind, ...]) -> tuple[Span, ...]:
    """Return the contacts of these kinds in the text."""
    return tuple(
        Span(start=start, end=end, what=kind, view="contact") for kind, start, end in contacts.find(look.views) if kind in kinds
    )


def find_contact(check: schema.Contact, look: Look) -> Evidence | None:
    """Hold when the text gives a contact of a named kind."""
    spans = contact_spans(look, check.kinds)
    if spans:
        return Evidence(check="contact", spans=spans)
    for code in codes_of(look):
        kind = next((kind for kind, _, _ in contacts.find(Views(code)) if kind in check.kinds), None)
        if kind is not None:
            return Evidence(check="contact", note=f"{kind} in a QR code")
    return None


def codes_of(look: Look) -> Iterator[str]:
    """Yield what the QR codes in the pictures of a message say."""
    for part in look.parts:
        yield from part.codes


def find_qr(check: schema.QrCode, look: Look) -> Evidence | None:
    """Hold when a picture holds a QR code, unless that is a link to a host that is let through."""
    for code in codes_of(look):
        host = links.host_of(code)
        if host is None or not links.under(host, check.allow_hosts):
            return Evidence(check="qr", note=host or "no link")
    return None


def find_link(check: schema.Link, look: Look) -> Evidence | None:
    """Hold when the text or a part of the message links to a host that is not let through."""
    for host, start, end in look.links:
        if links.under(host, check.allow_hosts) or (check.hosts and not links.under(host, check.hosts)):
            continue
        spans = (Span(start=start, end=end, what=host, view="link"),) if end else ()
        return Evidence(check="link", spans=spans, note=host)
    return None


def find_length(check: schema.Length, look: Look) -> Evidence | None:
    """Hold when the message is longer than the limit."""
    count = len(look.happening.text)
    return Evidence(check="length", note=f"{count} characters") if count > check.over_chars else None


def find_model(check: schema.Model, look: Look) -> Evidence | None:
    """Hold when the model is sure enough; what it learnt here stands in place of what was shipped."""
    learnt = look.tools.learnt.get(check.model)
    if learnt is None or learnt.model is None:
        model, at_least = shipped(check.model), check.at_least
    else:
        model, at_least = learnt.model, learnt.threshold if check.at_least else 0.0
    score = round(model.score(look.views), 4)
    return Evidence(check="model", score=score, note=f"{check.model} v{model.version}") if score >= at_least else None


def find_mood(check: schema.Mood, look: Look) -> Evidence | None:
    """Hold when the text sounds discontented enough; very short ones say too little."""
    if len(look.views.stripped) < check.min_chars:
        return None
    model = shipped("mood")
    score = round(model.score(look.views), 4)
    return Evidence(check="mood", score=score, note=f"mood v{model.version}") if score >= check.at_least else None
