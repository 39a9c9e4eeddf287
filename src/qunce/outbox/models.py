"""Tables of the outbox."""

from __future__ import annotations

from django.db import models


class State(models.TextChoices):
    """Where a delivery stands.

    proposed ─approve─▶ ready ─claim─▶ sending ─▶ done
        └─decline─▶ declined   ├──▶ retrying ─back-off─▶ (claimed again)
                      │        ├──▶ failed
    human ─tap─▶ done          └──▶ unknown        (nobody can know whether it left; a person says)
    proposed, ready, retrying, human ─▶ suppressed(reason) | expired | cancelled
    """

    PROPOSED = "proposed"
    READY = "ready"
    SENDING = "sending"
    RETRYING = "retrying"
    HUMAN = "human"
    DONE = "done"
    UNKNOWN = "unknown"
    FAILED = "failed"
    DECLINED = "declined"
    SUPPRESSED = "suppressed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


OPEN = (State.PROPOSED, State.READY, State.SENDING, State.RETRYING, State.HUMAN, State.UNKNOWN)
"""States that still need something."""


class Delivery(models.Model):
    """One command to one conversation. The row is the record: kept when done, declined or suppressed."""

    idem_key = models.TextField(unique=True)
    """Hash of what is done for which reason; never of a clock or of chance. Planning twice makes one row."""
    connector = models.TextField()
    account = models.TextField()
    conv_id = models.TextField()
    """Platform id of the conversation."""
    group_id = models.BigIntegerField()
    identity_id = models.BigIntegerField(null=True)
    """Whom it concerns; None = the group."""
    capability = models.TextField()
    """Name of what the channel must be able to do, such as `member.mute`."""
    command = models.TextField()
    """JSON of the domain command."""
    case_id = models.TextField(blank=True)
    """The decision it follows from; empty = none."""
    place = models.IntegerField(default=0)
    """Order within a case: what comes later waits for what comes before."""
    state = models.TextField(choices=State)
    reason = models.TextField(blank=True)
    """Why it is where it is: error code, suppression, decline."""
    not_before_ms = models.BigIntegerField()
    expires_ms = models.BigIntegerField()
    """After this it is too late to help; the delivery expires instead of surprising somebody."""
    attempts = models.IntegerField(default=0)
    lease_by = models.TextField(blank=True)
    lease_until_ms = models.BigIntegerField(null=True)
    receipt = models.TextField(blank=True)
    """Native id the platform gave; for human tasks empty."""
    decided_by = models.BigIntegerField(null=True)
    """Staff who approved, declined, tapped or resolved; None = nobody had to."""
    created_ms = models.BigIntegerField()
    updated_ms = models.BigIntegerField()

    class Meta:
        db_table = "delivery"
        indexes = [
            models.Index(fields=["connector", "account", "state", "not_before_ms"], name="delivery_due"),
            models.Index(fields=["case_id", "place"], name="delivery_of_case"),
            models.Index(fields=["group_id", "-id"], name="delivery_in_group"),
        ]


class Attempt(models.Model):
    """One try at a delivery. Append-only."""

    delivery = models.ForeignKey(Delivery, models.CASCADE)
    at_ms = models.BigIntegerField()
    outcome = models.TextField()
    """`done`, `retry`, `failed`, `unknown`, `human`."""
    code = models.TextField(blank=True)
    """Code of the platform or of the network."""

    class Meta:
        db_table = "delivery_attempt"


class Budget(models.Model):
    """State of one rate rule of one channel account (GCRA: the theoretical arrival time of the next conforming call)."""

    connector = models.TextField()
    account = models.TextField()
    rule = models.TextField()
    tat_ms = models.BigIntegerField(default=0)

    class Meta:
        db_table = "channel_budget"
        constraints = [models.UniqueConstraint(fields=["connector", "account", "rule"], name="channel_budget_once")]


class Pause(models.Model):
    """A channel account that may not send for now. Nothing is drained: what is ready stays ready."""

    connector = models.TextField()
    account = models.TextField()
    reason = models.TextField(blank=True)
    since_ms = models.BigIntegerField()

    class Meta:
        db_table = "channel_pause"
        constraints = [models.UniqueConstraint(fields=["connector", "account"], name="channel_pause_once")]
