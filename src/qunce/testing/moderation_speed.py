"""Measure how fast the engine decides: whole checks of short messages with ten thousand terms in all views.

Returns figures, asserts nothing. The terms are made by arithmetic from everyday characters, so no list need be shipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter_ns, process_time
from typing import Final

import msgspec

from qunce.domain.events import Conv, Event, MessageCreated, Party, Source
from qunce.domain.ids import GroupId, IdentityId
from qunce.engine import core
from qunce.engine.happening import Happening
from qunce.playbook.load import parse

CHARACTERS: Final = bytes(
    byte for high in range(0xB0, 0xD7) for low in range(0xA1, 0xFF) for byte in (high, low)
).decode("gb2312")  # fmt: skip
"""The 3,666 most usual Chinese characters: the first level of GB 2312 but for its last row."""
SAID: Final = (
    "今天发货吗", "谢谢老师", "好的收到", "这个面膜怎么用呀", "孩子今天又不睡觉了", "群主晚上有直播吗", "哈哈哈哈笑死我了",
    "昨天买的水果很新鲜", "请问满减怎么算", "我也想要一份", "早上好大家", "下周的课几点开始", "快递到了", "这个颜色好看",
    "宝宝六个月可以吃吗", "订单尾号 8842", "ok", "明天 10 点开会", "有人一起跑步吗", "收到啦谢谢客服小姐姐",
)  # fmt: skip


class Speed(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured, on one core."""

    messages: int
    mean_chars: float
    per_second: int
    p50_us: float
    p99_us: float
    decisions: int


def made_up_terms(count: int) -> list[str]:
    """Return that many different words of two to six characters, the same ones each time."""
    state = 1
    words: dict[str, None] = {}
    while len(words) < count:
        state = (state * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
        size = 3 + (state >> 60) % 4 if (state >> 56) % 5 else 2
        digits = state
        word = ""
        for _ in range(size):
            digits = (digits * 2862933555777941757 + 3037000493) & 0xFFFFFFFFFFFFFFFF
            word += CHARACTERS[(digits >> 33) % len(CHARACTERS)]
        words[word] = None
    return list(words)


def program(terms: int, *, everything: bool = True) -> core.Program:
    """Return a program with that many terms; with `everything`, all kinds of checks beside them."""
    lexicon = "\n".join(f"      - {word}" for word in made_up_terms(terms))
    head = "schema_version: 1\nplaybook: {playbook_id: speed, title: 速度}\n"
    rules = f"""schema_version: 1
lexicons:
  - lexicon_id: many
    title: 词库
    terms:
{lexicon}
rules:
  - {{rule_id: terms, title: 词, category: ads, reason: 词, when: [{{check: terms, lexicons: [many]}}]}}
  - {{rule_id: flood, title: 刷屏, category: flood, reason: 慢, when: [{{check: flood, messages: 20, window: 30s}}]}}
  - {{rule_id: same, title: 重复, category: flood, reason: 重, when: [{{check: duplicate, times: 30, window: 10m}}]}}
"""
    if everything:
        rules += """
  - {rule_id: concept, title: 概念, category: ads, reason: 广, when: [{check: concept, any_of: [ad, bargain, poach_friend]}]}
  - {rule_id: contact, title: 联系, category: ads, reason: 联, when: [{check: contact, kinds: [phone, qq, wechat]}]}
  - {rule_id: link, title: 链接, category: ads, reason: 链, when: [{check: link}]}
  - {rule_id: model, title: 模型, category: ads, reason: 模, when: [{check: model, model: spam, at_least: 0.95}]}
"""
    return core.compile_rules(parse({"playbook.yaml": head, "rules.yaml": rules}))


def chatter(count: int, people: int = 300, groups: int = 20) -> Iterator[Happening]:
    """Yield messages of at most 17 characters, one a second, of many people in some groups."""
    source = Source(connector="speed")
    for seq in range(count):
        group, person = seq * 7 % groups + 1, seq * 13 % people + 1
        text = f"{SAID[seq * 11 % len(SAID)]}{CHARACTERS[seq % len(CHARACTERS)]}"
        yield Happening(
            seq + 1,
            Event(
                ts_ms=1_767_571_200_000 + seq * 1_000,
                source=source,
                body=MessageCreated(message_id=str(seq), text=text),
                dedupe_key=str(seq),
                conv=Conv(platform_id=f"g{group}"),
                actor=Party(platform_id=f"u{person}"),
            ),
            group=GroupId(group),
            actor=IdentityId(person),
        )


def measure(messages: int = 20_000, terms: int = 10_000, *, everything: bool = True) -> Speed:
    """Return the speed of deciding and folding, making of the events not counted."""
    compiled = program(terms, everything=everything)
    happenings = list(chatter(messages))
    state = core.State()
    found = 0
    spent: list[int] = []
    began = process_time()
    for happening in happenings:
        start = perf_counter_ns()
        found += len(core.step(state, happening, compiled, happening.event.ts_ms))
        spent.append(perf_counter_ns() - start)
    seconds = process_time() - began
    spent.sort()
    return Speed(
        messages=messages,
        mean_chars=round(sum(len(happening.text) for happening in happenings) / messages, 1),
        per_second=round(messages / seconds),
        p50_us=spent[messages // 2] / 1_000,
        p99_us=spent[messages * 99 // 100] / 1_000,
        decisions=found,
    )
