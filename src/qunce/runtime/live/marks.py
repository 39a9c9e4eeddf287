"""Learn from people's marks: teach, preview, take back. The lessons are rows; the models are made of them anew."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final, cast, get_args

from django.db import transaction

from qunce.accounts import audit
from qunce.accounts.models import Staff
from qunce.engine.learning import lessons
from qunce.engine.learning.lessons import Learnt, Lesson, Preview
from qunce.engine.learning.linear import Linear
from qunce.engine.learning.shipped import LearntName, ShippedName, shipped
from qunce.playbook.schema import Playbook
from qunce.playbook.schema.profile import Tag
from qunce.readmodels.models import Group, Message
from qunce.runtime import organisation
from qunce.runtime.clock import now_ms
from qunce.runtime.commands import CommandRefused
from qunce.runtime.models import Mark
from qunce.runtime.profile import vocabulary

MODELS: Final[tuple[LearntName, ...]] = get_args(LearntName)
SAMPLE: Final = 2_000
"""So many of the newest messages are judged by a preview."""
PAGE: Final = 50
GENERATION: Final = "marks_generation"
"""Setting: how often the marks were changed."""
_OWN: Final = "tag/"


@dataclass(frozen=True, slots=True, kw_only=True)
class LessonRow:
    """A lesson in a list."""

    place: int
    """Give it as `before` to go on behind it."""
    model: str
    label: bool
    """True = the message is what the model looks for."""
    seq: int
    text: str
    staff: str
    """Who gave it; empty = the command line."""
    taught_ms: int
    group_id: int | None
    """None = the message is gone."""
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Schooling:
    """How far a model has been taught."""

    model: str
    positive: int
    negative: int
    needed: int
    """So many different texts of each kind are needed before the lessons count."""

    @property
    def in_use(self) -> bool:
        """Whether the model judges by the lessons."""
        return min(self.positive, self.negative) >= self.needed


def generation() -> int:
    """Return how often the marks were changed."""
    return int(organisation.value(GENERATION, "0"))


def own_model(rule_id: str) -> str:
    """Return the name of the model that a rule of tags teaches itself."""
    return f"{_OWN}{rule_id}"


def own_models(playbook: Playbook) -> dict[str, Tag]:
    """Return the models that rules of tags of a playbook teach themselves, each with its tag."""
    groups = playbook.tag_groups if playbook else ()
    return {own_model(rule.rule_id): tag for group in groups for tag in group.tags for rule in tag.rules if rule.model == "own"}


def own_titles() -> dict[str, tuple[str, str]]:
    """Return the models that rules of tags in force teach themselves, each with its tag's title in Chinese and English."""
    found = own_models(vocabulary.in_force().playbook)
    return {name: (tag.title or tag.tag_id, tag.title_en or tag.title or tag.tag_id) for name, tag in found.items()}


def known() -> tuple[str, ...]:
    """Return every model that can be taught."""
    return (*MODELS, *own_titles())


def base_of(model: str) -> Linear:
    """Return what a model knows before anybody marks anything; a rule's own knows nothing."""
    known = cast("tuple[ShippedName, ...]", (*MODELS, "mood"))
    return next((shipped(name) for name in known if name == model), Linear({}, 0.0, name=model))


def learnt() -> dict[LearntName, Learnt]:
    """Return what the models have learnt here; models without marks are left out."""
    found = {model: learnt_lessons(model) for model in MODELS}
    return {model: lessons.learn(given, shipped(model)) for model, given in found.items() if given}


def learnt_lessons(model: str) -> tuple[Lesson, ...]:
    """Return the lessons of a model that count, oldest first."""
    rows = Mark.objects.filter(model=model, revoked_ms=None).order_by("taught_ms", "pk").values_list("seq", "text", "label")
    return tuple(Lesson(lesson_id=str(seq), text=text, label=label) for seq, text, label in rows)


def preview_teach(model: str, seq: int, label: bool, *, at_least: float = 0.9) -> Preview:
    """Return what a mark on a message would change among the newest messages. Raises CommandRefused without such a message."""
    now = learnt_lessons(model)
    then = lessons.taught(now, Lesson(lesson_id=str(seq), text=_text(seq), label=label))
    return lessons.preview(now, then, base_of(model), _sample(), at_least=at_least)


def preview_untaught(model: str, seq: int, *, at_least: float = 0.9) -> Preview:
    """Return what taking a mark back would change among the newest messages."""
    now = learnt_lessons(model)
    return lessons.preview(now, lessons.taken_back(now, str(seq)), base_of(model), _sample(), at_least=at_least)


def do_teach(*, actor: Staff | None, model: str, seq: int, label: bool, clock: Callable[[], int] = now_ms) -> tuple[int, int]:
    """Mark a message: `label` = it is what the model looks for. A second mark replaces the first.

    Return how many marks of each kind (looked for, harmless) are still needed before the model uses them.
    Raises CommandRefused for an unknown model, and for a message that is not there or has no text.
    """
    _check(model)
    text = _text(seq)
    with transaction.atomic():
        Mark.objects.update_or_create(
            model=model, seq=seq,
            defaults={
                "text": text, "label": label, "staff_id": actor.pk if actor else None, "taught_ms": clock(), "revoked_ms": None,
            },
        )  # fmt: skip
        _changed()
        audit.record(
            actor=actor, action="mark.teach", target_type="message", target_id=seq, after={"model": model, "label": label}
        )
    return missing(model)


def do_untaught(*, actor: Staff | None, model: str, seq: int, clock: Callable[[], int] = now_ms) -> None:
    """Take a mark back; what the others teach stays exactly as it is. Raises CommandRefused when there is none."""
    _check(model)
    with transaction.atomic():
        if Mark.objects.filter(model=model, seq=seq, revoked_ms=None).update(revoked_ms=clock()) == 0:
            raise CommandRefused(f"no mark on message {seq}")
        _changed()
        audit.record(actor=actor, action="mark.revoke", target_type="message", target_id=seq, before={"model": model})


def missing(model: str) -> tuple[int, int]:
    """Return how many marks of each kind (looked for, harmless) are still needed before the model uses them."""
    labels = [lesson.label for lesson in {lesson.text: lesson for lesson in learnt_lessons(model)}.values()]
    positive = sum(labels)
    return max(0, lessons.MIN_EACH - positive), max(0, lessons.MIN_EACH - (len(labels) - positive))


def schooling() -> tuple[Schooling, ...]:
    """Return how far each model has been taught; texts marked twice count once. Two queries."""
    labels: dict[str, dict[str, bool]] = {model: {} for model in MODELS}
    rows = Mark.objects.filter(revoked_ms=None).order_by("taught_ms", "pk").values_list("model", "text", "label")
    for model, text, label in rows:
        labels.setdefault(model, {})[text] = label
    return tuple(
        Schooling(
            model=model, positive=sum(labels.get(model, {}).values()), needed=lessons.MIN_EACH,
            negative=len(labels.get(model, {})) - sum(labels.get(model, {}).values()),
        )
        for model in dict.fromkeys((*MODELS, *own_titles(), *labels))
    )  # fmt: skip


def lesson_list(*, model: str | None = None, before: int | None = None) -> tuple[tuple[LessonRow, ...], int | None]:
    """Return the lessons that count, the newest first, and where to go on (None = that is all). Four queries; None = any."""
    found = Mark.objects.filter(revoked_ms=None).order_by("-pk")
    found = found.filter(model=model) if model is not None else found
    found = found.filter(pk__lt=before) if before is not None else found
    marks = list(found[: PAGE + 1])
    shown = marks[:PAGE]
    groups = dict(Message.objects.filter(pk__in=[mark.seq for mark in shown]).values_list("pk", "group_id"))
    names = dict(Group.objects.filter(pk__in=set(groups.values())).values_list("pk", "name"))
    staff = {one.pk: str(one) for one in Staff.objects.filter(pk__in={mark.staff_id for mark in shown if mark.staff_id})}
    rows = tuple(
        LessonRow(
            place=mark.pk, model=mark.model, label=mark.label, seq=mark.seq, text=mark.text,
            staff=staff.get(mark.staff_id or 0, ""), taught_ms=mark.taught_ms, group_id=groups.get(mark.seq),
            group=names.get(groups.get(mark.seq, 0), ""),
        )
        for mark in shown
    )  # fmt: skip
    return rows, shown[-1].pk if len(marks) > PAGE else None


def marked(seqs: Collection[int]) -> dict[int, dict[str, bool]]:
    """Return which lessons count about messages: by position, then by model. One query."""
    found: dict[int, dict[str, bool]] = {}
    for seq, model, label in Mark.objects.filter(seq__in=seqs, revoked_ms=None).values_list("seq", "model", "label"):
        found.setdefault(seq, {})[model] = label
    return found


def _check(model: str) -> None:
    if model not in MODELS and not model.startswith(_OWN):
        raise CommandRefused(f"unknown model {model!r}")


def _text(seq: int) -> str:
    text = Message.objects.filter(pk=seq).values_list("text", flat=True).first()
    if not text or not text.strip():
        raise CommandRefused(f"message {seq} has no text to learn from")
    return text


def _sample() -> list[str]:
    rows = Message.objects.exclude(text="").order_by("-seq").values_list("text", flat=True)
    return list(rows[:SAMPLE])


def _changed() -> None:
    organisation.decide(GENERATION, str(generation() + 1))
