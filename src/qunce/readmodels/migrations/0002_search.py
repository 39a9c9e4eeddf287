"""Make the full-text index: FTS5 on SQLite, a tsvector with GIN on PostgreSQL. Neither needs an extension."""

from __future__ import annotations

from typing import Any

from django.db import migrations


def make(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("CREATE TABLE message_search (seq bigint PRIMARY KEY, tokens tsvector NOT NULL)")
        # New rows wait in a list of up to 64 MB (kB here), which makes adding three times cheaper; `search.tidy` empties it.
        schema_editor.execute(
            "CREATE INDEX message_search_tokens ON message_search USING gin (tokens) WITH (gin_pending_list_limit = 65536)"
        )
    else:
        # `ascii` keeps everything beyond ASCII as letters; tokens arrive folded and separated by blanks.
        schema_editor.execute(
            "CREATE VIRTUAL TABLE message_search USING fts5(tokens, content='', detail='none', tokenize='ascii')"
        )
        # Merging less often makes adding a fifth cheaper; looking up stays well under a millisecond.
        schema_editor.execute("INSERT INTO message_search (message_search, rank) VALUES ('automerge', 16)")


def drop(apps: Any, schema_editor: Any) -> None:
    schema_editor.execute("DROP TABLE message_search")


class Migration(migrations.Migration):
    dependencies = [("readmodels", "0001_initial")]
    operations = [migrations.RunPython(make, drop)]
