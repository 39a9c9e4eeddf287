"""Tables of segments: who belongs, since when, who moved, how large they were, and when somebody must be looked at again.

No read models: a segment of yesterday's playbook cannot be folded from today's. All of it can be made again by a run, but for
the history of moves, of which the journal has the events.
"""

from __future__ import annotations

from django.db import models


class SegmentState(models.Model):
    """A segment in force, as it stands."""

    segment_id = models.TextField(primary_key=True)
    place = models.IntegerField()
    """Order in the playbook."""
    title = models.TextField()
    title_en = models.TextField(blank=True)
    of = models.TextField()
    """`member`, `membership` or `group`."""
    definition = models.TextField()
    """Hash of the conditions, those of the segments it refers to included."""
    version = models.TextField()
    """Playbook that was in force at the newest run, as decisions name it."""
    size = models.BigIntegerField(null=True)
    """How many belong; None = never run."""
    as_of_ms = models.BigIntegerField(null=True)
    """Moment the size and the members are of."""
    full_ms = models.BigIntegerField(null=True)
    """Moment of the newest full run."""
    error = models.TextField(blank=True)
    """Why the newest run failed; empty = it did not."""

    class Meta:
        db_table = "segment_state"


class SegmentRun(models.Model):
    """One segment in one full run. Segments of one run share `batch`."""

    batch = models.BigIntegerField()
    """Moment the run began."""
    segment_id = models.TextField()
    why = models.TextField()
    """`first`, `changed` (another definition), `nightly`, `behind` (too many events to follow one by one), `asked`."""
    version = models.TextField()
    as_of_ms = models.BigIntegerField()
    took_ms = models.BigIntegerField(default=0)
    """Of the whole run."""
    rows_scanned = models.BigIntegerField(default=0)
    """Facts the mirror held."""
    size = models.BigIntegerField(null=True)
    """None = it failed."""
    entered = models.BigIntegerField(default=0)
    left = models.BigIntegerField(default=0)
    error = models.TextField(blank=True)

    class Meta:
        db_table = "segment_run"
        indexes = [models.Index(fields=["segment_id", "-id"], name="segment_run_of")]


class SegmentMember(models.Model):
    """Somebody who belongs."""

    pk = models.CompositePrimaryKey("segment_id", "subject_id", "group_id")
    segment_id = models.TextField()
    subject_id = models.BigIntegerField()
    """Member for members and memberships, group for groups."""
    group_id = models.BigIntegerField()
    """Group of a membership; else 0."""
    since_ms = models.BigIntegerField(null=True)
    """When it was seen to enter; None = it belonged at the first run already."""

    class Meta:
        db_table = "segment_member"
        indexes = [models.Index(fields=["subject_id"], name="segment_member_who")]


class SegmentMove(models.Model):
    """Somebody entered or left. The event stands in the journal too; this is for asking by segment and time."""

    segment_id = models.TextField()
    subject_id = models.BigIntegerField()
    group_id = models.BigIntegerField()
    entered = models.BooleanField()
    ts_ms = models.BigIntegerField()

    class Meta:
        db_table = "segment_move"
        indexes = [models.Index(fields=["segment_id", "ts_ms", "id"], name="segment_move_at")]


class SegmentDay(models.Model):
    """A segment on one local day: its size at the end, and how many moved."""

    segment_id = models.TextField()
    day = models.IntegerField()
    size = models.BigIntegerField()
    entered = models.BigIntegerField(default=0)
    left = models.BigIntegerField(default=0)

    class Meta:
        db_table = "segment_day"
        constraints = [models.UniqueConstraint(fields=["segment_id", "day"], name="segment_day_once")]


class SegmentDue(models.Model):
    """Somebody to be looked at again at a moment, since an answer may change then without an event."""

    pk = models.CompositePrimaryKey("of", "subject_id", "group_id")
    of = models.TextField()
    subject_id = models.BigIntegerField()
    group_id = models.BigIntegerField()
    due_ms = models.BigIntegerField()

    class Meta:
        db_table = "segment_due"
        indexes = [models.Index(fields=["due_ms"], name="segment_due_at")]
