"""Tables of the runtime itself: background jobs, and what the organisation decided about itself."""

from __future__ import annotations

from django.db import models


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
