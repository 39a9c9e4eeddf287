"""Find, one function a check: `find(check, look)` returns the evidence, or None when the check does not hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from qunce.domain.decisions import Evidence
from qunce.engine.moderation.checks import behaviour, content, people
from qunce.engine.moderation.look import Look
from qunce.playbook.schema import checks as schema

Find = Callable[[Any, Look], Evidence | None]
"""The first argument is the check's own record; `FINDERS` pairs each record with its function."""

FINDERS: Final[dict[type[schema.Check], Find]] = {
    schema.Terms: content.find_terms,
    schema.Combination: content.find_combination,
    schema.Pattern: content.find_pattern,
    schema.ConceptCheck: content.find_concept,
    schema.Contact: content.find_contact,
    schema.Link: content.find_link,
    schema.QrCode: content.find_qr,
    schema.Length: content.find_length,
    schema.Model: content.find_model,
    schema.Crisis: content.find_crisis,
    schema.Mood: content.find_mood,
    schema.Media: behaviour.find_media,
    schema.Flood: behaviour.find_flood,
    schema.Duplicate: behaviour.find_duplicate,
    schema.Mention: behaviour.find_mention,
    schema.Report: behaviour.find_report,
    schema.Quarrel: behaviour.find_quarrel,
    schema.SpeaksWhileMuted: behaviour.find_speaks_while_muted,
    schema.Newcomer: people.find_newcomer,
    schema.Raid: people.find_raid,
    schema.Rejoin: people.find_rejoin,
    schema.Sister: people.find_sister,
    schema.Name: people.find_name,
    schema.Blocked: people.find_blocked,
}

COSTS: Final[dict[type, int]] = {
    check: cost
    for cost, checks in enumerate(
        (
            (
                schema.Blocked,
                schema.SpeaksWhileMuted,
                schema.Newcomer,
                schema.Length,
                schema.Mention,
                schema.Report,
                schema.QrCode,
            ),
            (schema.Media, schema.Flood, schema.Raid, schema.Rejoin, schema.Sister, schema.Quarrel, schema.Duplicate),
            (schema.Terms, schema.Combination, schema.ConceptCheck, schema.Crisis, schema.Contact, schema.Link, schema.Name),
            (schema.Pattern, schema.Model, schema.Mood),
        )
    )
    for check in checks
}
"""Cheap checks of a rule are asked first; the verdict does not depend on it."""
