"""Keep the published playbooks: each publish is a version with author and reason, and the newest one decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec
from django.db import IntegrityError, transaction

from qunce.accounts import audit
from qunce.accounts.models import Staff
from qunce.domain.decisions import Mode
from qunce.engine.core import Program
from qunce.playbook.load import Loaded, parse
from qunce.playbook.schema import Playbook, Rule
from qunce.playbook.write import write
from qunce.readmodels.models import Group
from qunce.runtime import organisation
from qunce.runtime.clock import now_ms
from qunce.runtime.commands import CommandRefused
from qunce.runtime.live import marks
from qunce.runtime.models import PlaybookVersion

Clock = Callable[[], int]
Standing = tuple[int, int]
"""What the rules in force are made of: (number of the playbook version, generation of the marks); (0, …) = none are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The rules in force."""

    standing: Standing
    published_ms: int
    program: Program


def newest() -> PlaybookVersion | None:
    """Return the version in force; None = nothing was published yet."""
    return PlaybookVersion.objects.order_by("-number").first()


def get(number: int) -> PlaybookVersion | None:
    """Return a version, or None when there is none of that number."""
    return PlaybookVersion.objects.filter(pk=number).first()


def versions(limit: int = 50) -> list[PlaybookVersion]:
    """Return the newest versions, newest first, without their files."""
    return list(PlaybookVersion.objects.defer("files").order_by("-number")[:limit])


def standing() -> Standing:
    """Return what the rules in force are made of. Two small queries."""
    number = PlaybookVersion.objects.order_by("-number").values_list("number", flat=True).first()
    return number or 0, marks.generation()


def running(now: Standing) -> Running | None:
    """Return the rules that `now` names, made ready; None = none are. Raises InvalidPlaybook when they no longer hold."""
    version = get(now[0])
    if version is None:
        return None
    loaded = parse(version.files)
    program = Program(loaded.playbook, label(version, now[1]), marks.learnt())
    return Running(standing=now, published_ms=version.published_ms, program=program)


def label(version: PlaybookVersion, generation: int = 0) -> str:
    """Return how decisions name a version: number, first letters of its hash, and how often the marks had changed."""
    return f"{version.number}-{version.content_hash[:8]}" + (f"+{generation}" if generation else "")


def do_publish(*, actor: Staff | None, files: Mapping[str, str], reason: str, clock: Clock = now_ms) -> int:
    """Publish a playbook and return its number; publishing what is in force already returns that number and does nothing.

    Raises InvalidPlaybook with every problem, and CommandRefused without a reason, or when somebody else publishes just now.
    """
    if not reason.strip():
        raise CommandRefused("a version needs a reason")
    loaded = parse(files)
    try:
        return _publish(loaded, actor, files, reason.strip(), clock())
    except IntegrityError:
        raise CommandRefused("somebody else has just published; look at their version first") from None


def _publish(loaded: Loaded, actor: Staff | None, files: Mapping[str, str], reason: str, moment: int) -> int:
    with transaction.atomic():
        last = newest()
        if last is not None and last.content_hash == loaded.content_hash:
            return last.number
        number = last.number + 1 if last is not None else 1
        version = PlaybookVersion.objects.create(
            number=number, files=dict(files), content_hash=loaded.content_hash, reason=reason,
            author_id=actor.pk if actor else None, published_ms=moment,
        )  # fmt: skip
        audit.record(
            actor=actor, action="playbook.publish", target_type="playbook", target_id=number,
            before={"version": label(last) if last else None}, after={"version": label(version), "reason": version.reason},
        )  # fmt: skip
    return number


def do_set_mode(
    *, actor: Staff | None, rule_id: str, mode: Mode, group_id: int | None = None, reason: str, clock: Clock = now_ms
) -> int:
    """Publish a version in which a rule has another mode: everywhere, or in one group. Return its number.

    Raises CommandRefused without such a rule, group or playbook.
    """
    if mode not in ("observe", "suggest", "act"):
        raise CommandRefused(f"unknown mode {mode!r}")
    playbook = loaded_newest().playbook
    platform_id = _platform_id(group_id) if group_id is not None else None
    if all(rule.rule_id != rule_id for rule in playbook.rules):
        raise CommandRefused(f"no rule {rule_id!r}")
    rules = tuple(_with_mode(rule, mode, platform_id) if rule.rule_id == rule_id else rule for rule in playbook.rules)
    return _publish_changed(msgspec.structs.replace(playbook, rules=rules), actor=actor, reason=reason, clock=clock)


def loaded_newest() -> Loaded:
    """Return the playbook in force. Raises CommandRefused when there is none, InvalidPlaybook when it no longer holds."""
    version = newest()
    if version is None:
        raise CommandRefused("no playbook is published yet")
    return parse(version.files)


def invalid_reason() -> str:
    """Return why the playbook in force cannot be used, set by the loop that tried; empty = it can."""
    return organisation.value("playbook_invalid", "")


def note_invalid(reason: str) -> None:
    """Remember why the playbook in force cannot be used; empty = it can."""
    if organisation.value("playbook_invalid", "") != reason:
        organisation.decide("playbook_invalid", reason)


def _publish_changed(playbook: Playbook, *, actor: Staff | None, reason: str, clock: Clock) -> int:
    return do_publish(actor=actor, files=write(playbook), reason=reason, clock=clock)


def _with_mode(rule: Rule, mode: Literal["observe", "suggest", "act"], platform_id: str | None) -> Rule:
    if platform_id is None:
        return msgspec.structs.replace(rule, mode=mode)
    return msgspec.structs.replace(rule, modes={**rule.modes, platform_id: mode})


def _platform_id(group_id: int) -> str:
    found = Group.objects.filter(pk=group_id).values_list("platform_id", flat=True).first()
    if found is None:
        raise CommandRefused(f"no group {group_id}")
    return found
