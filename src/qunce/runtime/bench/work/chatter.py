"""Make what decisions are measured on: playbooks with many terms, and messages that hardly repeat. No file is needed for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from qunce.domain.events import AnyBody, Conv, Event, MemberJoined, MemberLeft, MessageCreated, Party, ReactionAdded, Source

TERMS: Final = 10_000
CHARACTERS: Final = bytes(
    byte for high in range(0xB0, 0xD7) for low in range(0xA1, 0xFF) for byte in (high, low)
).decode("gb2312")  # fmt: skip
"""The 3,666 most usual Chinese characters: the first level of GB 2312 but for its last row."""
SAID: Final = (
    "今天发货吗", "谢谢老师", "好的收到", "这个面膜怎么用呀", "孩子今天又不睡觉了", "群主晚上有直播吗", "哈哈哈哈笑死我了",
    "昨天买的水果很新鲜", "请问满减怎么算", "我也想要一份", "早上好大家", "下周的课几点开始", "快递到了", "这个颜色好看",
    "宝宝六个月可以吃吗", "订单尾号 8842", "ok", "明天 10 点开会", "有人一起跑步吗", "收到啦谢谢客服小姐姐",
)  # fmt: skip
START_MS: Final = 1_767_571_200_000
HEAD: Final = "schema_version: 1\nplaybook: {playbook_id: speed, title: 速度}\n"
CLOCK: Final = """schema_version: 1
answers:
  - {rule_id: clock, title: 应答, mode: suggest, duty: day}
duties:
  - {duty_id: day, title: 全天, shifts: [{title: 日班, hours: "08:00-23:00", staff: [u7, u77]}]}
"""
BEHAVIOUR: Final = """
  - {rule_id: flood, title: 刷屏, category: flood, reason: 慢, when: [{check: flood, messages: 20, window: 30s}]}
"""
CONTENT: Final = """
  - {rule_id: same, title: 重复, category: flood, reason: 重, when: [{check: duplicate, times: 30, window: 10m}]}
  - {rule_id: concept, title: 概念, category: ads, reason: 广, when: [{check: concept, any_of: [ad, bargain, poach_friend]}]}
  - {rule_id: contact, title: 联系, category: ads, reason: 联, when: [{check: contact, kinds: [phone, qq, wechat]}]}
  - {rule_id: link, title: 链接, category: ads, reason: 链, when: [{check: link}]}
  - {rule_id: model, title: 模型, category: ads, reason: 模, when: [{check: model, model: spam, at_least: 0.95}]}
"""


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


def playbook(kind: str, terms: int = TERMS) -> dict[str, str]:
    """Return the files of a playbook.

    `whole`: that many terms in three views, score, contacts, links, flood, duplicates, answer clock. `light`: the same terms in
    one view, flood and answer clock. `clocks`: flood and answer clock only.
    """
    if kind == "clocks":
        return {"playbook.yaml": HEAD, "clock.yaml": CLOCK, "rules.yaml": f"schema_version: 1\nrules:{BEHAVIOUR}"}
    lexicon = "\n".join(f"      - {word}" for word in made_up_terms(terms))
    views = "" if kind == "whole" else "    views: []\n"
    rules = f"""schema_version: 1
lexicons:
  - lexicon_id: many
    title: 词库
{views}    terms:
{lexicon}
rules:
  - {{rule_id: terms, title: 词, category: ads, reason: 词, when: [{{check: terms, lexicons: [many]}}]}}
{BEHAVIOUR}"""
    return {"playbook.yaml": HEAD, "clock.yaml": CLOCK, "rules.yaml": rules + (CONTENT if kind == "whole" else "")}


def chatter(count: int, people: int = 300, groups: int = 20, *, mixed: bool = False) -> Iterator[Event]:
    """Yield messages of at most 17 characters, one a second, of many people in some groups.

    With `mixed` every fourth event is somebody joining, leaving or reacting.
    """
    source = Source(connector="speed", origin="callback")
    for seq in range(count):
        group, person = seq * 7 % groups + 1, seq * 13 % people + 1
        yield Event(
            ts_ms=START_MS + seq * 1_000, source=source, body=_body(seq, mixed=mixed), dedupe_key=str(seq),
            conv=Conv(platform_id=f"g{group}"), actor=Party(platform_id=f"u{person}"),
        )  # fmt: skip


def _body(seq: int, *, mixed: bool) -> AnyBody:
    if mixed and seq % 4 == 3:
        kind = seq // 4 % 4
        return (
            MemberJoined() if kind == 0 else MemberLeft() if kind == 1 else ReactionAdded(message_id=str(seq - 1), emoji="👍")
        )
    text = f"{SAID[seq * 11 % len(SAID)]}{CHARACTERS[seq % len(CHARACTERS)]}"
    return MessageCreated(message_id=str(seq), text=text)
