"""Find what people do: floods, duplicates, mention spam, media only, reports, quarrels, speaking while muted."""

from __future__ import annotations

from qunce.domain.decisions import Evidence
from qunce.engine.moderation import fingerprint
from qunce.engine.moderation.fold import REPORT, beside_text
from qunce.engine.moderation.look import Look
from qunce.engine.moderation.state import RECENT_MS, Reported, Sent, near_of
from qunce.playbook.schema import checks as schema
from qunce.playbook.units import format_duration

EVERYONE = frozenset({"@all", "all", "everyone", "@everyone", "channel", "here"})


def _events(sent: list[Sent]) -> tuple[int, ...]:
    return tuple(item.seq for item in reversed(sent))


def find_flood(check: schema.Flood, look: Look) -> Evidence | None:
    """Hold when this message is at least the n-th of its author within the window."""
    if not look.are_enough(check.window_s, check.messages - 1):
        return None
    sent = look.sent(check.window_s, look.person_id)
    count = len(sent) + 1
    if count < check.messages:
        return None
    return Evidence(check="flood", events=_events(sent), note=f"{count} messages in {format_duration(check.window_s)}")


def find_duplicate(check: schema.Duplicate, look: Look) -> Evidence | None:
    """Hold when this text, or nearly this, was posted often enough before."""
    squeezed = look.views.squeezed
    if len(squeezed) < check.min_chars or not look.are_enough(check.window_s, check.times - 1):
        return None
    before = look.sent(check.window_s, look.person_id if check.by == "one" else None)
    if len(before) + 1 < check.times:
        return None
    same, near = fingerprint.prints(squeezed)
    if check.similarity == "same":
        near = b""
    alike = [sent for sent in before if sent.same == same or (near and fingerprint.alike(near, near_of(sent)))]
    if len(alike) + 1 < check.times:
        return None
    people = {sent.person for sent in alike} | {look.person_id}
    if check.by == "many" and len(people) < 2:
        return None
    note = f"{len(alike) + 1} alike by {len(people)} in {format_duration(check.window_s)}"
    return Evidence(check="duplicate", events=_events(alike), note=note)


def find_mention(check: schema.Mention, look: Look) -> Evidence | None:
    """Hold when too many people are called, or everyone."""
    if look.message is None or not look.message.mentions:
        return None
    mentions = set(look.message.mentions)
    if check.everyone and mentions & EVERYONE:
        return Evidence(check="mention", note="everyone")
    if len(mentions) < check.people:
        return None
    return Evidence(check="mention", note=f"{len(mentions)} people")


def _is_media(check: schema.Media, media: tuple[str, ...], chars: int) -> bool:
    return not (check.without_text and chars) and any(kind in check.types for kind in media)


def find_media(check: schema.Media, look: Look) -> Evidence | None:
    """Hold when the message is of the named kinds, often enough within the window."""
    if look.message is None:
        return None
    media, chars = beside_text(look.message)
    if not media or not _is_media(check, media, chars):
        return None
    if check.times == 1:
        return Evidence(check="media", note="+".join(dict.fromkeys(media)))
    before = [sent for sent in look.sent(check.window_s, look.person_id) if _is_media(check, sent.media, sent.chars)]
    if len(before) + 1 < check.times:
        return None
    note = f"{len(before) + 1} of {'+'.join(check.types)} in {format_duration(check.window_s)}"
    return Evidence(check="media", events=_events(before), note=note)


def reported_by(look: Look) -> Sent | None:
    """Return the message this one reports; None when it reports nothing that is remembered."""
    message = look.message
    if message is None or message.reply_to is None or not REPORT.match(message.text):
        return None
    target = next((sent for sent in reversed(look.group.recent) if sent.message_id == message.reply_to), None)
    return target if target is not None and target.person != look.person_id else None


def find_report(check: schema.Report, look: Look) -> Evidence | None:
    """Hold when this report completes the number of different people who reported the same message.

    Whoever reports more than the daily limit is not counted, so that nobody can silence another alone or by repetition.
    """
    target = reported_by(look)
    if target is None or look.person_id is None:
        return None
    day: dict[int, int] = {}
    valid: list[Reported] = []
    for report in look.group.replies:
        if look.ts_ms - RECENT_MS < report.ts_ms <= look.ts_ms:
            day[report.reporter] = day.get(report.reporter, 0) + 1
            if day[report.reporter] <= check.daily_limit:
                valid.append(report)
    if day.get(look.person_id, 0) >= check.daily_limit:
        return None
    since = look.ts_ms - check.window_s * 1_000
    earlier = [report for report in valid if report.target == target.seq and report.ts_ms > since]
    reporters = {report.reporter for report in earlier}
    if look.person_id in reporters or len(reporters) + 1 != check.reporters:
        return None
    events = (target.seq, *(report.seq for report in earlier))
    return Evidence(check="report", events=events, note=f"{len(reporters) + 1} people in {format_duration(check.window_s)}")


def find_quarrel(check: schema.Quarrel, look: Look) -> Evidence | None:
    """Hold when findings of the named categories, of several people, pile up.

    Findings are folded from decisions, so a quarrel is seen with the next message of one of them,
    once for each further finding.
    """
    since = look.ts_ms - check.window_s * 1_000
    found = [
        finding
        for finding in look.group.findings
        if finding.category in check.categories and since < finding.ts_ms <= look.ts_ms
    ]
    if len(found) < check.findings:
        return None
    people = {finding.person for finding in found}
    if len(people) < check.people or look.person_id not in people:
        return None
    last = next((sent.seq for sent in reversed(look.group.recent) if sent.person in people), None)
    if last != found[-1].seq:
        return None
    note = f"{len(found)} findings of {len(people)} people in {format_duration(check.window_s)}"
    return Evidence(check="quarrel", events=tuple(dict.fromkeys(finding.seq for finding in found)), note=note)


def find_speaks_while_muted(check: schema.SpeaksWhileMuted, look: Look) -> Evidence | None:  # same shape for all
    """Hold when the author is muted here at this moment."""
    strikes = [strike.muted_until_ms for strike in look.person.strikes if strike.real]
    until = max([look.person.muted_until_ms, *strikes])
    if look.ts_ms >= until:
        return None
    return Evidence(check="speaks_while_muted", note=f"{(until - look.ts_ms) // 1_000} s left")
