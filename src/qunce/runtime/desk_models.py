"""Tables of the response desk: what waits for an answer, what colleagues said to it, and what they wrote back."""

from __future__ import annotations

from django.db import models


class ThreadState(models.TextChoices):
    """Where a matter stands.

    waiting ─answer─▶ answered ─question within follow_up─▶ waiting
       ├──settled by its author, a colleague, or gone──▶ released
       └──give_up_after──▶ expired
    """

    WAITING = "waiting"
    ANSWERED = "answered"
    RELEASED = "released"
    EXPIRED = "expired"


class DeskThread(models.Model):
    """One member's matter in one group, folded from the clock's decisions; the last four columns are what colleagues said."""

    seq = models.BigIntegerField(primary_key=True)
    """Journal position of the message that opened it: its name."""
    group_id = models.BigIntegerField()
    identity_id = models.BigIntegerField()
    """Who waits."""
    rule_id = models.TextField()
    version = models.TextField()
    mode = models.TextField()
    need = models.TextField()
    stage = models.TextField()
    """`first` or `next` response."""
    state = models.TextField(choices=ThreadState)
    opened_ms = models.BigIntegerField()
    asked_seq = models.BigIntegerField()
    """The member's message that started the clock that runs, or ran last."""
    asked_ms = models.BigIntegerField()
    """When that clock began; after words of patience (稍等) the moment of those."""
    due_ms = models.BigIntegerField()
    late = models.BooleanField(default=False)
    level = models.IntegerField(default=0)
    """Escalations so far."""
    peer_seen = models.BooleanField(default=False)
    """An informed member (KOC) has answered, which does not count here."""
    ended_ms = models.BigIntegerField(null=True)
    """When the clock stopped; None = it runs."""
    waited_s = models.BigIntegerField(default=0)
    """Seconds waited inside duty hours, once it stopped."""
    responder_id = models.BigIntegerField(null=True)
    """Identity that answered; None = nobody, or a colleague from here."""
    staff = models.TextField(blank=True)
    """Login name of the colleague who answered from here; empty = nobody did."""
    reason = models.TextField(blank=True)
    """How it ended, in the clock's words."""
    owner_id = models.BigIntegerField(null=True)
    """Staff who took it over or were given it."""
    snoozed_until_ms = models.BigIntegerField(null=True)
    """Shown last until then. No clock stops for it."""
    closed_by = models.BigIntegerField(null=True)
    """Staff who said that it needs no answer; None = nobody did."""
    closed_ms = models.BigIntegerField(null=True)

    class Meta:
        db_table = "desk_thread"
        indexes = [
            models.Index(fields=["due_ms"], condition=models.Q(state="waiting"), name="desk_thread_waiting"),
            models.Index(fields=["-ended_ms"], name="desk_thread_ended"),
        ]


class DeskWord(models.Model):
    """What a colleague said to a matter, for the clock to hear at its next turn: it needs no answer."""

    thread_seq = models.BigIntegerField()
    group_id = models.BigIntegerField()
    identity_id = models.BigIntegerField()
    staff_id = models.BigIntegerField(null=True)
    said_ms = models.BigIntegerField()
    after_seq = models.BigIntegerField(null=True)
    """Journal position after which the clock heard it; None = not yet."""

    class Meta:
        db_table = "desk_word"
        indexes = [
            models.Index(fields=["id"], condition=models.Q(after_seq=None), name="desk_word_unheard"),
        ]


class DeskReply(models.Model):
    """What a colleague wrote to who waits. Whether it left stands in its delivery."""

    idem_key = models.TextField(unique=True)
    """Key of its delivery."""
    thread_seq = models.BigIntegerField()
    asked_seq = models.BigIntegerField()
    """The message it answers."""
    staff_id = models.BigIntegerField()
    response_id = models.TextField(blank=True)
    """The canned response it began with; empty = none."""
    holding = models.BooleanField(default=False)
    """It only asks for patience (稍等)."""
    created_ms = models.BigIntegerField()

    class Meta:
        db_table = "desk_reply"
        indexes = [
            models.Index(fields=["thread_seq", "id"], name="desk_reply_in_thread"),
            models.Index(fields=["response_id", "created_ms"], name="desk_reply_with"),
        ]


class DeskAlarm(models.Model):
    """Somebody is called: an answer is late, nobody answered for longer still, or a quarrel wants a colleague."""

    decision_id = models.TextField(unique=True)
    """The decision that calls."""
    kind = models.TextField()
    """`late`, `escalate` or `case`."""
    group_id = models.BigIntegerField()
    thread_seq = models.BigIntegerField(null=True)
    """The matter; None = it is a case of moderation, by `decision_id`."""
    need = models.TextField()
    """Why an answer is needed, or the category of the case."""
    level = models.IntegerField(default=0)
    waited_s = models.BigIntegerField(default=0)
    """Duty time until the alarm."""
    audience = models.JSONField()
    """Roles and login names of whom it is for; `*` = everybody who may answer there."""
    created_ms = models.BigIntegerField()
    cleared_ms = models.BigIntegerField(null=True)
    """When the matter ended; None = it still calls."""

    class Meta:
        db_table = "desk_alarm"
        indexes = [
            models.Index(fields=["-created_ms"], condition=models.Q(cleared_ms=None), name="desk_alarm_open"),
            models.Index(fields=["thread_seq"], name="desk_alarm_thread"),
        ]


class DeskAlarmSeen(models.Model):
    """That somebody has noticed an alarm."""

    alarm = models.ForeignKey(DeskAlarm, models.CASCADE, db_index=False)
    staff_id = models.BigIntegerField()
    seen_ms = models.BigIntegerField()

    class Meta:
        db_table = "desk_alarm_seen"
        constraints = [models.UniqueConstraint(fields=["alarm", "staff_id"], name="desk_alarm_seen_once")]


class RulesNotice(models.Model):
    """The group rules were sent, or are to be sent, to one group. Whether they arrived stands in the delivery."""

    idem_key = models.TextField(unique=True)
    """Key of its delivery."""
    group_id = models.BigIntegerField()
    version = models.TextField()
    """Version of the playbook they were made of."""
    text_hash = models.TextField()
    staff_id = models.BigIntegerField(null=True)
    created_ms = models.BigIntegerField()

    class Meta:
        db_table = "rules_notice"
        indexes = [
            models.Index(fields=["group_id", "-id"], name="rules_notice_in_group"),
        ]
