"""Tables of the journal. Declared here for migrations; written and read with SQL in `store`, never through the ORM."""

from __future__ import annotations

from django.db import models


class JournalSource(models.Model):
    """One (connector, account): the scope of dedupe keys."""

    connector = models.TextField()
    account = models.TextField()

    class Meta:
        db_table = "journal_source"
        constraints = [models.UniqueConstraint(fields=["connector", "account"], name="journal_source_once")]


class JournalEvent(models.Model):
    """One event, for ever. `seq` runs 1, 2, 3 … without holes; a hole means damage."""

    seq = models.BigIntegerField(primary_key=True)
    source = models.ForeignKey(JournalSource, models.DO_NOTHING, db_index=False, db_constraint=False)
    dedupe_key = models.TextField()
    type = models.SmallIntegerField()
    """Code of `domain.events.TYPE_CODES`."""
    ts_ms = models.BigIntegerField()
    received_ms = models.BigIntegerField()
    payload = models.TextField()
    """JSON of `store.Kept`: the event without what the other columns hold."""

    class Meta:
        db_table = "journal_event"
        constraints = [models.UniqueConstraint(fields=["source", "dedupe_key"], name="journal_event_once")]


class JournalGap(models.Model):
    """A stretch that is known to be missing: a connector was down, a sync was cut, rows of a file could not be used."""

    source = models.ForeignKey(JournalSource, models.PROTECT)
    conv_id = models.TextField(blank=True)
    """Platform id of the conversation; empty = the whole source."""
    from_ms = models.BigIntegerField(null=True)
    until_ms = models.BigIntegerField(null=True)
    lost = models.BigIntegerField(null=True)
    """How many events are missing; None = unknown."""
    reason = models.TextField()
    noted_ms = models.BigIntegerField()

    class Meta:
        db_table = "journal_gap"


class Cursor(models.Model):
    """How far a reader of the journal has come. Moved in the transaction that stores what the reader made."""

    name = models.TextField(primary_key=True)
    seq = models.BigIntegerField(default=0)

    class Meta:
        db_table = "journal_cursor"
