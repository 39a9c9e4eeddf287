"""Full-text search over messages, for Chinese too, on both databases and without extensions.

The index holds the tokens of `domain.text.index_tokens` (pairs of neighbouring Han characters, words of other scripts):
SQLite in a contentless FTS5 table without positions, PostgreSQL in a `tsvector` with a GIN index. The index narrows; the text
decides: a hit must contain each word of the query, both folded.
"""

from __future__ import annotations

from collections.abc import Sequence

from qunce.domain.text import contains, index_tokens, query_tokens
from qunce.readmodels.rows import Database

_PAGE = 200


def add(database: Database, tokens: Sequence[tuple[int, str]]) -> None:
    """Index new messages, given as (position, tokens)."""
    if database.postgres:
        database.insert("message_search", ("seq", "tokens"), tokens)
    elif tokens:
        database.raw().executemany("INSERT INTO message_search (rowid, tokens) VALUES (?, ?)", tokens)


def change(database: Database, edits: Sequence[tuple[int, str, str]]) -> None:
    """Index messages anew whose text changed, given as (position, old text, new text)."""
    if database.postgres:
        database.execute_many("DELETE FROM message_search WHERE seq = ?", [(seq,) for seq, _, _ in edits])
    else:
        # A contentless index takes a row out by being told what was in it.
        database.execute_many(
            "INSERT INTO message_search (message_search, rowid, tokens) VALUES ('delete', ?, ?)",
            [(seq, tokens) for seq, old, _ in edits if (tokens := index_tokens(old))],
        )
    add(database, [(seq, tokens) for seq, _, new in edits if (tokens := index_tokens(new))])


def tidy(database: Database) -> None:
    """Finish what PostgreSQL put off while many messages came in, so that the next search does not wait for it."""
    if database.postgres:
        database.query("SELECT gin_clean_pending_list('message_search_tokens')")


def find(
    database: Database, query: str, *, group_ids: Sequence[int] | None = None, identity_ids: Sequence[int] | None = None,
    since_ms: int | None = None, until_ms: int | None = None, before_seq: int | None = None, limit: int = 50,
) -> list[int]:  # fmt: skip
    """Return the positions of messages that contain every word of `query`, newest position first.

    `group_ids` and `identity_ids` narrow (None = all, empty = none); `since_ms` ≤ time < `until_ms`; `before_seq` continues a
    page. A query without a letter, digit or Han character finds nothing.
    """
    tokens = query_tokens(query)
    if not tokens or (group_ids is not None and not group_ids) or (identity_ids is not None and not identity_ids):
        return []
    seq = "s.seq" if database.postgres else "s.rowid"
    tests, params = _match(database, tokens)
    for column, values in (("m.group_id", group_ids), ("m.identity_id", identity_ids)):
        if values is not None:
            test, more = database.in_list(column, list(values))
            tests.append(test)
            params += more
    for test, value in (("m.ts_ms >= ?", since_ms), ("m.ts_ms < ?", until_ms)):
        if value is not None:
            tests.append(test)
            params.append(value)
    found: list[int] = []
    last = before_seq
    while len(found) < limit:
        page_tests = [*tests, f"{seq} < ?"] if last is not None else tests
        page_params = [*params, last] if last is not None else params
        sql = (
            f"SELECT m.seq, m.text FROM message_search s JOIN message m ON m.seq = {seq} WHERE {' AND '.join(page_tests)} "
            f"ORDER BY {seq} DESC LIMIT {_PAGE}"
        )
        rows = database.query(sql, page_params)
        found += [row[0] for row in rows if contains(row[1], query)]
        if len(rows) < _PAGE:
            break
        last = rows[-1][0]
    return found[:limit]


def _match(database: Database, tokens: Sequence[tuple[str, bool]]) -> tuple[list[str], list[object]]:
    """Return the index test: every token, some as prefixes."""
    if database.postgres:
        return ["s.tokens @@ ?::tsquery"], [" & ".join(f"'{token}'{':*' if prefix else ''}" for token, prefix in tokens)]
    return ["s.message_search MATCH ?"], [" AND ".join(f'"{token}"{"*" if prefix else ""}' for token, prefix in tokens)]
