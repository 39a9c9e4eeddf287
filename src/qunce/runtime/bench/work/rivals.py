"""Let other software do the part of the work that it does: NoneBot2 hands a message to one handler that does nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from time import perf_counter_ns, thread_time_ns
from typing import Any

from qunce.domain.events import MessageCreated
from qunce.runtime.bench.work.chatter import chatter
from qunce.runtime.bench.work.stopwatch import Stopwatch


def nonebot(events: int) -> dict[str, Any]:
    """Dispatch messages to one `on_message` matcher; `absent` says that the package is not installed."""
    if find_spec("nonebot") is None:
        return {"absent": True, "seconds": [], "cpu": []}
    bot_framework = import_module("nonebot")
    import_module("nonebot.log").logger.remove()
    bot_framework.init(driver="~none", log_level="ERROR", _env_file=None)
    heard = 0

    async def handler() -> None:
        nonlocal heard
        heard += 1

    bot_framework.on_message(handlers=[handler])
    texts = [event.body.text for event in chatter(events) if isinstance(event.body, MessageCreated)]
    watch = Stopwatch()
    each = asyncio.run(_dispatch(texts, watch))
    if heard != len(texts):
        raise RuntimeError(f"NoneBot2 handled {heard} of {len(texts)} messages")
    return {
        **watch.figures(), "absent": False, "version": version("nonebot2"),
        "wall_ns": [wall for wall, _ in each], "cpu_ns": [cpu for _, cpu in each],
    }  # fmt: skip


async def _dispatch(texts: list[str], watch: Stopwatch) -> list[tuple[int, int]]:
    handle_event: Any = import_module("nonebot.message").handle_event
    bot, events = _stage(texts)
    each = []
    with watch.lap():
        for event in events:
            cpu, wall = thread_time_ns(), perf_counter_ns()
            await handle_event(bot, event)
            each.append((perf_counter_ns() - wall, thread_time_ns() - cpu))
    return each


def _stage(texts: list[str]) -> tuple[Any, list[Any]]:
    """Return a bot and events of the least kind the framework takes."""
    adapters = import_module("nonebot.adapters")

    async def send(self: object, event: object, message: object, **more: object) -> None:
        return None

    def construct(message: str) -> Iterator[Any]:
        yield segment("text", {"text": message})

    segment = type("Segment", (adapters.MessageSegment,), {
        "get_message_class": classmethod(lambda cls: message), "__str__": lambda self: self.data["text"],
        "is_text": lambda self: True,
    })  # fmt: skip
    message = type("Message", (adapters.Message,), {
        "get_segment_class": classmethod(lambda cls: segment), "_construct": staticmethod(construct),
    })  # fmt: skip
    adapter = type("Adapter", (adapters.Adapter,), {"get_name": classmethod(lambda cls: "bench"), "_call_api": send})
    bot = type("Bot", (adapters.Bot,), {"send": send})
    said = type("Said", (adapters.Event,), {
        "__annotations__": {"text": str}, "get_type": lambda self: "message", "get_event_name": lambda self: "message",
        "get_event_description": lambda self: "said", "get_user_id": lambda self: "u1", "get_session_id": lambda self: "g1_u1",
        "get_message": lambda self: message(self.text), "is_tome": lambda self: False,
    })  # fmt: skip
    driver = import_module("nonebot").get_driver()
    return bot(adapter(driver), "bench"), [said(text=text) for text in texts]
