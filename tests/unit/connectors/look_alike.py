"""A Bot API that keeps updates until they are confirmed, as Telegram does, and answers in its shapes."""

from __future__ import annotations

import json
from typing import Any

import httpx

TOKEN = "99:token"


class BotApi:
    """Answers methods; `errors` are answered first, one a call of any method in `fails`."""

    def __init__(self, *updates: dict[str, Any], fails: str = "getUpdates", errors: tuple[httpx.Response, ...] = ()) -> None:
        self.updates = list(updates)
        self.fails = fails
        self.errors = list(errors)
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.files: dict[str, bytes] = {}
        """Bytes of files by their path, which is their `file_id` too."""
        self._next_id = 1000

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith(f"/file/bot{TOKEN}/"):
            return self._file(request.url.path.removeprefix(f"/file/bot{TOKEN}/"))
        bot, _, method = request.url.path.removeprefix("/bot").partition("/")
        if bot != TOKEN:
            return failed(401, "Unauthorized")
        params = json.loads(request.content)
        self.calls.append((method, params))
        if method == self.fails and self.errors:
            return self.errors.pop(0)
        answer = getattr(self, f"_{method}", None)
        return httpx.Response(200, json={"ok": True, "result": answer(params) if answer else True})

    def _file(self, path: str) -> httpx.Response:
        data = self.files.get(path)
        return httpx.Response(404) if data is None else httpx.Response(200, content=data)

    def of(self, method: str) -> list[dict[str, Any]]:
        """Return the parameters of each call of a method."""
        return [params for name, params in self.calls if name == method]

    def _getFile(self, params: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - the platform's name
        return {"file_id": params["file_id"], "file_path": params["file_id"]}

    def _getUpdates(self, params: dict[str, Any]) -> list[dict[str, Any]]:  # noqa: N802 - the platform's name
        offset = params.get("offset", 0)
        self.updates = [update for update in self.updates if update["update_id"] >= offset]
        return self.updates[: params["limit"]]

    def _sendMessage(self, params: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - the platform's name
        self._next_id += 1
        return {
            "message_id": self._next_id,
            "date": 1706752700,
            "chat": {"id": int(params["chat_id"]), "type": "supergroup", "title": "新生群"},
            "from": {"id": 99, "is_bot": True, "first_name": "qbot"},
            "text": params["text"],
        }


def failed(code: int, what: str, **parameters: Any) -> httpx.Response:
    """Return an error as the platform writes it."""
    return httpx.Response(code, json={"ok": False, "error_code": code, "description": what, "parameters": parameters})
