"""Mattermost's bulk export, JSON lines (also `import.jsonl` inside its zip).

Shape: mattermost/docs "Bulk loading data". Posts have no ids: a reply is found through a fingerprint of its post.
"""

from __future__ import annotations

import json
import re
from hashlib import blake2b
from typing import Any, Final

from qunce.connectors.files.base import FileSource, Head, ImportOptions
from qunce.connectors.files.rows import Chat, Row, Rows, bad_time, has_keys, head_text, no_sender, read_json_lines, text_of
from qunce.domain.events import (
    Conv,
    Event,
    MemberJoined,
    MemberLeft,
    MessageEdited,
    Part,
    Party,
    PartyKind,
    ReactionAdded,
    Source,
)

SOURCE: Final = Source(connector="mattermost")
_MENTION: Final = re.compile(r"@([a-z0-9._-]+)")
_ALL: Final = frozenset({"all", "channel", "here"})
_PATH: Final = {"png": "image", "jpg": "image", "jpeg": "image", "gif": "image", "mp4": "video", "mp3": "voice", "ogg": "voice"}


class Mattermost:
    """Reads a whole server."""

    name = "mattermost"
    title = "Mattermost bulk export JSONL"

    def sniff(self, head: Head) -> float:
        """Return 0.95 for a first line that states the version."""
        if not has_keys(head, "type"):
            return 0.0
        try:
            first = json.loads(head_text(head).lstrip().partition("\n")[0])
        except (ValueError, RecursionError):
            return 0.0
        return 0.95 if isinstance(first, dict) and first.get("type") == "version" and "version" in first else 0.0

    def read(self, source: FileSource, options: ImportOptions) -> Rows:
        """Yield the events of all channels in file order."""
        yield from read_json_lines(source, _ServerReader().read)


class _ServerReader:
    """Knows channels and users, and turns posts into events."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._users: dict[str, Party] = {}
        self._chats: dict[str, Chat] = {}

    def read(self, row: Row) -> list[Event]:
        """Return the events of one line; lines about teams, schemes and emoji have none."""
        kind = row.get("type")
        if kind == "channel":
            channel = row["channel"]
            self._names[f"{channel['team']}/{channel['name']}"] = text_of(channel.get("display_name")) or channel["name"]
        elif kind in ("user", "bot"):
            self._learn(row[kind], is_bot=kind == "bot")
        elif kind == "post":
            post = row["post"]
            return self._thread(self._chat(f"{post['team']}/{post['channel']}", "group"), post)
        elif kind == "direct_post":
            post = row["direct_post"]
            members = sorted(map(text_of, post["channel_members"]))
            return self._thread(self._chat("direct/" + ",".join(members), "direct" if len(members) < 3 else "group"), post)
        return []

    def _learn(self, user: Row, *, is_bot: bool) -> None:
        name = text_of(user["username"])
        full = " ".join(filter(None, (text_of(user.get("first_name")), text_of(user.get("last_name")))))
        called = text_of(user.get("nickname")) or text_of(user.get("display_name")) or full or name
        kind: PartyKind = "bot" if is_bot else "unknown"
        self._users[name] = Party(platform_id=name, kind=kind, name=called)

    def _user(self, name: object) -> Party:
        username = text_of(name)
        if not username:
            raise no_sender()
        return self._users.get(username) or Party(platform_id=username, name=username)

    def _chat(self, platform_id: str, kind: Any) -> Chat:
        if platform_id not in self._chats:
            name = self._names.get(platform_id, platform_id)
            self._chats[platform_id] = Chat(SOURCE, Conv(platform_id=platform_id, kind=kind, name=name))
        return self._chats[platform_id]

    def _thread(self, chat: Chat, post: Row) -> list[Event]:
        root_id = _id(post)
        events = self._post(chat, post, root_id, None)
        for reply in post.get("replies") or ():
            events += self._post(chat, reply, _id(reply), root_id)
        return events

    def _post(self, chat: Chat, post: Row, message_id: str, reply_to: str | None) -> list[Event]:
        ts_ms, sender, text = _time(post.get("create_at")), self._user(post.get("user")), text_of(post.get("message"))
        kind = text_of(post.get("type"))
        if kind in ("system_join_channel", "system_add_to_channel"):
            return [chat.event(ts_ms, MemberJoined(), chat.native("join", message_id), subject=sender)]
        if kind in ("system_leave_channel", "system_remove_from_channel"):
            return [chat.event(ts_ms, MemberLeft(), chat.native("leave", message_id), subject=sender)]
        if kind.startswith("system_"):
            return [chat.notice(ts_ms, message_id, text)]
        parts = tuple(map(_part, post.get("attachments") or ()))
        mentions = self._mentions(text) if "@" in text else ()
        created = chat.message(ts_ms, sender, message_id, text, parts, reply_to=reply_to, mentions=mentions)
        return [created, *self._edits(chat, post, ts_ms, message_id, created), *self._reactions(chat, post, message_id)]

    def _mentions(self, text: str) -> tuple[str, ...]:
        found = (word.rstrip(".") for word in _MENTION.findall(text))
        ids = ("@all" if word in _ALL else word for word in found if word in _ALL or word in self._users)
        return tuple(dict.fromkeys(ids))

    def _edits(self, chat: Chat, post: Row, ts_ms: int, message_id: str, created: Event) -> list[Event]:
        edited_ms = post.get("edit_at")
        if not isinstance(edited_ms, int) or edited_ms <= ts_ms:
            return []
        body = MessageEdited(message_id=message_id, text=text_of(post.get("message")))
        return [chat.event(edited_ms, body, chat.native("edit", message_id, str(edited_ms)), actor=created.actor)]

    def _reactions(self, chat: Chat, post: Row, message_id: str) -> list[Event]:
        events = []
        for reaction in post.get("reactions") or ():
            user, emoji = self._user(reaction.get("user")), text_of(reaction.get("emoji_name"))
            body = ReactionAdded(message_id=message_id, emoji=f":{emoji}:")
            key = chat.native("reaction", message_id, user.platform_id, emoji)
            events.append(chat.event(_time(reaction.get("create_at")), body, key, actor=user))
        return events


def _time(value: object) -> int:
    if not isinstance(value, int):
        raise bad_time(value)
    return value


def _id(post: Row) -> str:
    """Return an id for a post: who wrote when. The text may be edited, so it has no part in it."""
    digest = blake2b(text_of(post.get("user")).encode("utf-8", "replace"), digest_size=6).hexdigest()
    return f"{text_of(post.get('create_at'))}-{digest}"


def _part(attachment: Row) -> Part:
    path = text_of(attachment.get("path"))
    kind: Any = _PATH.get(path.rpartition(".")[2].lower(), "file")
    return Part(type=kind, name=path.rpartition("/")[2] or None)
