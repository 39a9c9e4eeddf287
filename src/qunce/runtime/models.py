"""Tables of the runtime itself: background jobs, what the organisation decided about itself, and what the live loops keep."""

from __future__ import annotations

from django.db import models

from qunce.accounts.secret_field import EncryptedTextField
from qunce.runtime.desk_models import DeskAlarm, DeskAlarmSeen, DeskReply, DeskThread, DeskWord, RulesNotice, ThreadState
from qunce.runtime.segment_tables import SegmentDay, SegmentDue, SegmentMember, SegmentMove, SegmentRun, SegmentState

__all__ = [
    "Appeal", "Case", "CaseState", "Channel", "DeskAlarm", "DeskAlarmSeen", "DeskReply", "DeskThread", "DeskWord", "Job",
    "JobState", "Lease", "Mark",
    "PlaybookVersion", "RulesNotice", "SegmentDay", "SegmentDue", "SegmentMember", "SegmentMove", "SegmentRun", "SegmentState",
    "Setting", "ThreadState", "Word",
]  # fmt: skip


class JobState(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Job(models.Model):
    """A piece of work that a person started and nobody waits for: an import, a rebuild."""

    kind = models.TextField()
    state = models.TextField(choices=JobState, default=JobState.QUEUED)
    params = models.JSONField(default=dict)
    progress = models.JSONField(default=dict)
    """Kind's own figures: for an import bytes done and in all, events read and added, events a second."""
    result = models.JSONField(default=dict)
    error = models.TextField(default="")
    fix = models.TextField(default="")
    actor_id = models.BigIntegerField(null=True)
    """Staff who started it; None = the command line."""
    created_ms = models.BigIntegerField()
    started_ms = models.BigIntegerField(null=True)
    finished_ms = models.BigIntegerField(null=True)
    beat_ms = models.BigIntegerField(null=True)
    """Newest sign of life of its worker; a running job without one for a while was interrupted."""

    class Meta:
        db_table = "job"
        indexes = [models.Index(fields=["state", "id"], name="job_state")]


class Setting(models.Model):
    """One decision of the organisation, such as its name."""

    name = models.TextField(primary_key=True)
    value = models.TextField()

    class Meta:
        db_table = "setting"


class PlaybookVersion(models.Model):
    """One published playbook. Never changed and never deleted: decisions name it."""

    number = models.IntegerField(primary_key=True)
    files = models.JSONField()
    """Texts of the YAML files by relative path."""
    content_hash = models.TextField()
    reason = models.TextField()
    author_id = models.BigIntegerField(null=True)
    """Staff who published it; None = the command line."""
    published_ms = models.BigIntegerField()
    from_seq = models.BigIntegerField(null=True)
    """Journal position after which it decided; None = it never has."""

    class Meta:
        db_table = "playbook_version"


class CaseState(models.TextChoices):
    """Where a case stands.

    noted    observed or covered by another: nothing is done, nobody is asked
    open ─approve─▶ done ─undo─▶ undone
      └──decline─▶ declined
    """

    NOTED = "noted"
    OPEN = "open"
    DONE = "done"
    DECLINED = "declined"
    UNDONE = "undone"


class Case(models.Model):
    """A decision as it was made, and what people said to it."""

    id = models.BigAutoField(primary_key=True)
    """In the order of deciding."""
    decision_id = models.TextField(unique=True)
    group_id = models.BigIntegerField()
    identity_id = models.BigIntegerField(null=True)
    """Whom it is about; None = nobody in particular."""
    seq = models.BigIntegerField()
    """Journal position of the event decided on."""
    after_seq = models.BigIntegerField()
    """Journal position the engine had come to: `seq`, or later where a moment passed."""
    area = models.TextField()
    """Which part of the engine decided: `moderation`, `answers`."""
    rule_id = models.TextField()
    category = models.TextField()
    version = models.TextField()
    mode = models.TextField()
    verdict = models.TextField()
    score = models.FloatField()
    payload = models.TextField()
    """JSON of the decision; the other columns are for finding it."""
    state = models.TextField(choices=CaseState)
    reason = models.TextField(blank=True)
    """Why a person declined or undid it."""
    decided_by = models.BigIntegerField(null=True)
    """Staff who said the newest word; None = nobody has."""
    ts_ms = models.BigIntegerField()
    """When the event happened."""
    created_ms = models.BigIntegerField()
    updated_ms = models.BigIntegerField()

    class Meta:
        db_table = "decision"
        indexes = [
            models.Index(fields=["after_seq", "id"], name="decision_at"),
            models.Index(fields=["area", "state", "-id"], name="decision_state"),
            models.Index(fields=["group_id", "area", "-id"], name="decision_in_group"),
            models.Index(fields=["identity_id", "-id"], name="decision_about"),
        ]


class Word(models.Model):
    """What a person said to a decision, in the order in which the engine heard it."""

    decision_id = models.TextField()
    group_id = models.BigIntegerField()
    kind = models.TextField()
    """`approved` or `undone`."""
    staff_id = models.BigIntegerField(null=True)
    said_ms = models.BigIntegerField()
    after_seq = models.BigIntegerField(null=True)
    """Journal position after which the engine heard it; None = not yet."""

    class Meta:
        db_table = "decision_word"
        indexes = [
            models.Index(fields=["after_seq", "id"], name="decision_word_heard"),
        ]


class Appeal(models.Model):
    """A member's objection to a decision."""

    decision_id = models.TextField(unique=True)
    text = models.TextField(blank=True)
    """In the member's words; personal, so it never goes into the audit or a log."""
    by_member = models.BooleanField()
    """False: staff on the member's behalf."""
    staff_id = models.BigIntegerField(null=True)
    """Staff who wrote it down; None = it came from the member by itself."""
    opened_ms = models.BigIntegerField()
    state = models.TextField(default="open")
    """`open`, `granted` (the case was undone), `rejected`."""
    answer = models.TextField(blank=True)
    """What is said to the member."""
    resolved_by = models.BigIntegerField(null=True)
    resolved_ms = models.BigIntegerField(null=True)

    class Meta:
        db_table = "appeal"
        indexes = [models.Index(fields=["state", "-id"], name="appeal_state")]


class Mark(models.Model):
    """A lesson somebody gave a model: this is, or is not, what it looks for."""

    model = models.TextField()
    """`spam`, `abuse`."""
    seq = models.BigIntegerField()
    """The message it is about."""
    text = models.TextField()
    """What the message said; shredded with the message."""
    label = models.BooleanField()
    staff_id = models.BigIntegerField(null=True)
    taught_ms = models.BigIntegerField()
    revoked_ms = models.BigIntegerField(null=True)
    """When it was taken back; None = it counts."""

    class Meta:
        db_table = "mark"
        constraints = [models.UniqueConstraint(fields=["model", "seq"], name="mark_once")]


class Channel(models.Model):
    """One account on one platform that we read and act with."""

    connector = models.TextField()
    """Kind of platform, such as `matrix`."""
    account = models.TextField()
    """Our account there; with `connector` it is the source of the events."""
    name = models.TextField()
    settings = EncryptedTextField(default="")
    """JSON of what the connector needs, credentials included; encrypted at rest."""
    mode = models.TextField(default="simulated")
    """`live`: it acts. `simulated`: it reads, and what it would do is only recorded."""
    enabled = models.BooleanField(default=True)
    since = models.TextField(default="")
    """Where to go on reading, in the connector's own words; empty = from the beginning."""
    status = models.TextField(default="new")
    """As its newest `connector.status`: `up`, `down`, `limited`, `auth_failed`; `new` = never heard of."""
    code = models.TextField(default="")
    """Why it is down."""
    status_ms = models.BigIntegerField(null=True)
    heard_ms = models.BigIntegerField(null=True)
    """When its newest event was stored."""
    away_ms = models.BigIntegerField(null=True)
    """When it went down the last time; None = it never did."""
    back_ms = models.BigIntegerField(null=True)
    """When it came back from there; None = it has not."""
    revision = models.IntegerField(default=1)
    """Grows with each change of settings or mode, so that running loops notice."""
    created_ms = models.BigIntegerField()

    class Meta:
        db_table = "channel"
        constraints = [models.UniqueConstraint(fields=["connector", "account"], name="channel_once")]


class Survey(models.Model):
    """What a channel's account may do in one group, as the platform told it last."""

    channel_id = models.BigIntegerField()
    conv_id = models.TextField()
    """The group, as the platform names it."""
    asked_ms = models.BigIntegerField()
    """When the platform was asked; 0 = it is to be asked at the next look."""
    obstacles = models.TextField(default="[]")
    """JSON: what stands in the way, as `connectors.base.Obstacle`."""
    code = models.TextField(default="")
    """Why it could not be asked; empty = it could."""

    class Meta:
        db_table = "channel_survey"
        constraints = [models.UniqueConstraint(fields=["channel_id", "conv_id"], name="channel_survey_once")]


class Lease(models.Model):
    """Who may run a loop that must run once."""

    name = models.TextField(primary_key=True)
    holder = models.TextField()
    until_ms = models.BigIntegerField()

    class Meta:
        db_table = "lease"


class SuggestionState(models.TextChoices):
    """What became of a suggestion. `refused` also when a merge that followed it was taken back: it is not made again."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class MergeSuggestion(models.Model):
    """Two accounts that may be one person's. Decisions are kept for ever, open ones are found anew each time."""

    a_id = models.BigIntegerField()
    b_id = models.BigIntegerField()
    """Identities, the smaller id first."""
    score = models.FloatField()
    evidence = models.TextField()
    """Codes, joined by spaces."""
    state = models.TextField(choices=SuggestionState, default=SuggestionState.OPEN)
    made_ms = models.BigIntegerField()
    decided_ms = models.BigIntegerField(null=True)
    staff_id = models.BigIntegerField(null=True)
    """Who decided; None = nobody yet, or the command line."""
    link_id = models.TextField(default="")
    """The link it became."""

    class Meta:
        db_table = "merge_suggestion"
        constraints = [models.UniqueConstraint(fields=["a_id", "b_id"], name="merge_suggestion_once")]
        indexes = [models.Index(fields=["state", "-score", "id"], name="merge_suggestion_open")]


class ChangeBatch(models.Model):
    """One action on attributes and tags, be it a click or a file: what can be taken back as a whole."""

    batch_id = models.TextField(primary_key=True)
    kind = models.TextField()
    """`attribute`, `tag.put`, `tag.take`, `rules`, `proposals`, `import`."""
    actor_id = models.BigIntegerField(null=True)
    """Staff id; None = a rule did it."""
    made_ms = models.BigIntegerField()
    summary = models.JSONField(default=dict)
    """Tag or attribute, and how many members."""
    changes = models.IntegerField(default=0)
    undone_ms = models.BigIntegerField(null=True)

    class Meta:
        db_table = "change_batch"
        indexes = [models.Index(fields=["-made_ms"], name="change_batch_newest")]


class TagDue(models.Model):
    """Whom rules of tags are to look at again at a moment, since they may find something else then without an event."""

    pk = models.CompositePrimaryKey("target", "subject_id", "group_id")
    target = models.TextField()
    """`member`, `membership` or `group`."""
    subject_id = models.BigIntegerField()
    """Member; 0 = it is a group's."""
    group_id = models.BigIntegerField()
    """0 = it is a member's."""
    due_ms = models.BigIntegerField()

    class Meta:
        db_table = "tag_due"
        indexes = [models.Index(fields=["due_ms"], name="tag_due_at")]


class Proposal(models.Model):
    """A value that a member may have said of itself, waiting for somebody to accept or refuse it."""

    identity_id = models.BigIntegerField()
    attribute = models.TextField()
    value = models.TextField()
    """JSON of the value."""
    phrase = models.TextField()
    """Which way of saying it was recognised."""
    confidence = models.FloatField()
    seq = models.BigIntegerField()
    """The newest message that says it."""
    said_ms = models.BigIntegerField()
    state = models.TextField(default="open")
    """`open`, `accepted`, `refused`."""
    decided_ms = models.BigIntegerField(null=True)
    decided_by = models.BigIntegerField(null=True)
    """Staff id; None with `accepted` = the playbook accepts it by itself."""

    class Meta:
        db_table = "proposal"
        constraints = [models.UniqueConstraint(fields=["identity_id", "attribute", "value"], name="proposal_once")]
        indexes = [models.Index(fields=["state", "attribute", "-confidence"], name="proposal_waiting")]
