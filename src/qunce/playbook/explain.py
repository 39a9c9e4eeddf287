"""Say in Chinese or English what a rule does, and write the group rules that members read.

The sentences are made from the bound rule, so they cannot say anything else than what the engine does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from qunce.playbook.explain_desk import explain_answers as explain_answers
from qunce.playbook.responses import explain_response as explain_response
from qunce.playbook.schema import Ladder, Playbook, Rule, Step
from qunce.playbook.schema import checks as c
from qunce.playbook.units import say_duration

Language = Literal["zh", "en"]

CONCEPTS: Final[Mapping[str, tuple[str, str]]] = {
    "ad": ("广告", "advertisements"),
    "bargain": ("拼多多、砍价、助力", "bargain and help-me links"),
    "token_code": ("口令", "copy-this codes"),
    "poach_friend": ("私加好友", "asking members to add a private contact"),
    "poach_group": ("私拉小群", "luring members into another group"),
    "mini_program": ("小程序卡片", "mini-program cards"),
    "game_card": ("小游戏", "game mini-programs"),
    "part_time": ("刷单、兼职", "fake part-time jobs"),
    "loan": ("贷款、套现", "loans and cash-out"),
    "gambling": ("赌博", "gambling"),
    "abuse": ("辱骂", "abuse"),
    "porn": ("色情低俗", "sexual content"),
    "violence": ("暴力、危险物品", "violence and dangerous goods"),
    "politics": ("时政敏感话题", "political topics"),
}
CRISES: Final[Mapping[str, tuple[str, str]]] = {
    "self_harm": ("轻生、自伤", "self-harm"),
    "health": ("吃坏、用坏、过敏、中毒", "harm to health"),
    "safety": ("产品安全、变质、异物", "unsafe or spoilt goods"),
    "legal": ("律师、起诉、报警", "legal threats"),
    "media": ("曝光、媒体、发帖", "going to the media"),
    "collective": ("集体退款、维权", "demands of many together"),
    "authority": ("12315 等投诉举报", "complaints to an authority"),
}
CONTACTS: Final[Mapping[str, tuple[str, str]]] = {
    "phone": ("手机号", "phone numbers"),
    "qq": ("QQ 号", "QQ numbers"),
    "wechat": ("微信号", "WeChat ids"),
    "email": ("邮箱", "e-mail addresses"),
}
MEDIA: Final[Mapping[str, tuple[str, str]]] = {
    "image": ("图片", "images"),
    "voice": ("语音", "voice messages"),
    "video": ("视频", "videos"),
    "file": ("文件", "files"),
    "sticker": ("表情", "stickers"),
    "link": ("链接", "links"),
    "card": ("卡片", "cards"),
    "location": ("位置", "locations"),
    "poll": ("投票", "polls"),
    "forward": ("聊天记录", "forwarded chats"),
    "red_packet": ("红包", "red packets"),
}
_SPACE: Final = re.compile(r"([\u4e00-\u9fff])(\d)")
STANDINGS: Final[Mapping[str, tuple[str, str]]] = {
    "in": ("已经在", "is there"), "left": ("退出过", "left it"), "removed": ("被移出过", "was removed"),
}  # fmt: skip
MODELS: Final[Mapping[str, tuple[str, str]]] = {"spam": ("广告", "spam"), "abuse": ("冒犯", "offence")}
MODES: Final[Mapping[str, tuple[str, str]]] = {
    "observe": ("只记录，不处理", "Only recorded; nothing is done."),
    "suggest": ("由同事决定是否处理", "A colleague is asked before anything is done."),
    "act": ("自动处理", "Acted on by itself."),
}
WHO: Final[Mapping[str, tuple[str, str]]] = {
    "members": ("成员", "members"),
    "staff": ("工作人员", "colleagues"),
    "everyone": ("所有人", "everyone"),
}


def _names(values: tuple[str, ...], table: Mapping[str, tuple[str, str]], language: Language) -> str:
    words = [table[value][0 if language == "zh" else 1] for value in values]
    return ("、" if language == "zh" else " or ").join(words)


Phrase = tuple[str, str]
"""The same in Chinese and English."""


def _spans(seconds: int) -> tuple[str, str]:
    return say_duration(seconds, "zh"), say_duration(seconds, "en")


def _both(values: tuple[str, ...], table: Mapping[str, tuple[str, str]]) -> tuple[str, str]:
    return _names(values, table, "zh"), _names(values, table, "en")


def _lexicons(names: tuple[str, ...], titles: Mapping[str, str]) -> str:
    return "、".join(f"「{titles.get(name, name)}」" for name in names)


def _terms(check: c.Terms, titles: Mapping[str, str]) -> Phrase:
    lists = _lexicons(check.lexicons, titles)
    if check.at_least == 1:
        zh, en = f"发言含有词库{lists}中的词", f"the text holds a term of {lists}"
    else:
        zh = f"发言含有词库{lists}中至少 {check.at_least} 个词"
        en = f"the text holds at least {check.at_least} terms of {lists}"
    if check.severity == 1:
        return zh, en
    return f"{zh}（程度 {check.severity} 以上）", f"{en} (severity {check.severity} or more)"


def _combination(check: c.Combination, titles: Mapping[str, str]) -> Phrase:
    zh = " + ".join("（" + " / ".join(words) + "）" for words in check.all_of)
    en = " + ".join("(" + " / ".join(words) + ")" for words in check.all_of)
    return f"{check.within_chars} 字之内同时出现 {zh}", f"{en} stand within {check.within_chars} characters"


def _pattern(check: c.Pattern, titles: Mapping[str, str]) -> Phrase:
    written = " / ".join(check.any_of)
    return f"发言符合表达式 {written}", f"the text matches {written}"


def _concept(check: c.ConceptCheck, titles: Mapping[str, str]) -> Phrase:
    zh, en = _both(check.any_of, CONCEPTS)
    return f"内容像是{zh}（把握 {check.at_least:g} 以上）", f"it looks like {en} (score {check.at_least:g} or more)"


def _crisis(check: c.Crisis, titles: Mapping[str, str]) -> Phrase:
    zh, en = _both(check.any_of or c.CRISIS_KINDS, CRISES)
    grave = (f"，程度 {check.severity} 以上", f", severity {check.severity} or more") if check.severity > 1 else ("", "")
    score = f"{check.at_least:g}"
    return f"说法像是危机：{zh}（把握 {score} 以上{grave[0]}）", f"it is worded like {en} (score {score} or more{grave[1]})"


def _mood(check: c.Mood, titles: Mapping[str, str]) -> Phrase:
    return (
        f"语气不满（把握 {check.at_least:g} 以上，{check.min_chars} 字以上）",
        f"it sounds discontented (score {check.at_least:g} or more, {check.min_chars} characters or more)",
    )


def _contact(check: c.Contact, titles: Mapping[str, str]) -> Phrase:
    zh, en = _both(check.kinds, CONTACTS)
    return f"留下了{zh}", f"it gives {en}"


def _link(check: c.Link, titles: Mapping[str, str]) -> Phrase:
    allowed = "、".join(check.allow_hosts)
    zh = f"带有 {'、'.join(check.hosts)} 的链接" if check.hosts else "带有链接"
    en = f"it links to {', '.join(check.hosts)}" if check.hosts else "it holds a link"
    return (f"{zh}（{allowed} 除外）", f"{en} (not {', '.join(check.allow_hosts)})") if allowed else (zh, en)


def _qr(check: c.QrCode, titles: Mapping[str, str]) -> Phrase:
    zh, en = "图片里有二维码", "a picture holds a QR code"
    if not check.allow_hosts:
        return zh, en
    return f"{zh}（指向 {'、'.join(check.allow_hosts)} 的除外）", f"{en} (not to {', '.join(check.allow_hosts)})"


def _media(check: c.Media, titles: Mapping[str, str]) -> Phrase:
    zh, en = _both(check.types, MEDIA)
    alone = ("只发", "nothing but") if check.without_text else ("发了", "")
    if check.times == 1:
        return f"{alone[0]}{zh}", f"it is {alone[1]} {en}".replace("  ", " ")
    window = _spans(check.window_s)
    return (
        f"{window[0]}内 {check.times} 次{alone[0]}{zh}",
        f"{check.times} times in {window[1]} it is {alone[1]} {en}".replace("  ", " "),
    )


def _flood(check: c.Flood, titles: Mapping[str, str]) -> Phrase:
    zh, en = _spans(check.window_s)
    return f"一人在{zh}内发了 {check.messages} 条", f"one person writes {check.messages} messages in {en}"


def _duplicate(check: c.Duplicate, titles: Mapping[str, str]) -> Phrase:
    zh, en = _spans(check.window_s)
    alike = ("相同", "the same text") if check.similarity == "same" else ("相同或相近", "the same or nearly the same text")
    by = ("一人", "one person") if check.by == "one" else ("几人合计", "several people together")
    return f"{by[0]}在{zh}内把{alike[0]}的内容发了 {check.times} 次", f"{by[1]} post {alike[1]} {check.times} times in {en}"


def _mention(check: c.Mention, titles: Mapping[str, str]) -> Phrase:
    zh, en = f"一次 @ 了 {check.people} 人以上", f"it calls {check.people} people or more"
    return (f"{zh}，或 @ 所有人", f"{en}, or everyone") if check.everyone else (zh, en)


def _newcomer(check: c.Newcomer, titles: Mapping[str, str]) -> Phrase:
    zh, en = [], []
    if check.joined_within_s is not None:
        span = _spans(check.joined_within_s)
        zh.append(f"入群不到{span[0]}")
        en.append(f"the person joined less than {span[1]} ago")
    if check.first_messages is not None:
        zh.append(f"属于入群后的前 {check.first_messages} 条发言")
        en.append(f"it is among their first {check.first_messages} messages")
    return "且".join(zh), " and ".join(en)


def _raid(check: c.Raid, titles: Mapping[str, str]) -> Phrase:
    zh, en = _spans(check.window_s)
    return f"{zh}内有 {check.joins} 人入群", f"{check.joins} people join in {en}"


def _name(check: c.Name, titles: Mapping[str, str]) -> Phrase:
    zh, en = [], []
    if check.lexicons:
        zh.append(f"含有词库{_lexicons(check.lexicons, titles)}中的词")
        en.append(f"holds a term of {_lexicons(check.lexicons, titles)}")
    if check.contact:
        zh.append("含有联系方式")
        en.append("holds a contact")
    if check.like_staff:
        zh.append("像工作人员的名字")
        en.append("looks like a colleague's")
    return f"昵称{'或'.join(zh)}", f"the name {' or '.join(en)}"


def _report(check: c.Report, titles: Mapping[str, str]) -> Phrase:
    zh, en = _spans(check.window_s)
    return f"{zh}内被 {check.reporters} 位成员举报", f"{check.reporters} members report it in {en}"


def _model(check: c.Model, titles: Mapping[str, str]) -> Phrase:
    zh, en = _both((check.model,), MODELS)
    return f"模型判断为{zh}（把握 {check.at_least:g} 以上）", f"the {en} model is sure ({check.at_least:g} or more)"


def _rejoin(check: c.Rejoin, titles: Mapping[str, str]) -> Phrase:
    zh, en = _spans(check.window_s)
    return f"{zh}内第 {check.times} 次入群", f"it is their {check.times}. join in {en}"


def _sister(check: c.Sister, titles: Mapping[str, str]) -> Phrase:
    zh, en = _both(check.was, STANDINGS)
    zh_span, en_span = _spans(check.window_s)
    past = any(was != "in" for was in check.was)
    return (
        f"入群的人（任一账号）在同社群的另一个群里：{zh}" + (f"（{zh_span}内）" if past else ""),
        f"who joins is known, by any account, in a sister group: {en}" + (f" (within {en_span})" if past else ""),
    )


def _quarrel(check: c.Quarrel, titles: Mapping[str, str]) -> Phrase:
    zh, en = _spans(check.window_s)
    kinds = "、".join(check.categories)
    return (
        f"{zh}内 {check.people} 人以上共有 {check.findings} 次「{kinds}」",
        f"{check.people} people or more have {check.findings} findings of {kinds} in {en}",
    )


_SAY: Final[dict[type, Callable[[Any, Mapping[str, str]], Phrase]]] = {
    c.Terms: _terms,
    c.Combination: _combination,
    c.Pattern: _pattern,
    c.ConceptCheck: _concept,
    c.Contact: _contact,
    c.Link: _link,
    c.QrCode: _qr,
    c.Media: _media,
    c.Flood: _flood,
    c.Duplicate: _duplicate,
    c.Mention: _mention,
    c.Newcomer: _newcomer,
    c.Raid: _raid,
    c.Name: _name,
    c.Report: _report,
    c.Model: _model,
    c.Crisis: _crisis,
    c.Mood: _mood,
    c.Rejoin: _rejoin,
    c.Sister: _sister,
    c.Quarrel: _quarrel,
    c.SpeaksWhileMuted: lambda check, titles: ("禁言期间发言", "the person is muted"),
    c.Blocked: lambda check, titles: ("此人在黑名单上", "the person is on the blocklist"),
    c.Length: lambda check, titles: (f"超过 {check.over_chars} 字", f"it is longer than {check.over_chars} characters"),
}
"""How each check is said. The first argument is the check's own record."""


def explain_check(check: c.AnyCheck, titles: Mapping[str, str], language: Language) -> str:
    """Return a check as a clause; `titles` gives the names of lexicons."""
    return _SAY[type(check)](check, titles)[0 if language == "zh" else 1]


def explain_step(step: Step, language: Language) -> str:
    """Return one rung of a ladder."""
    span = _spans(step.for_s)[0 if language == "zh" else 1] if step.for_s else ""
    clear = _spans(step.clear_s)[0 if language == "zh" else 1] if step.clear_s else ""
    if language == "zh":
        text = {"talk": "同事私下沟通", "warn": "提醒", "mute": f"禁言 {span}", "remove": "移出群", "ban": "移出并拉黑"}[
            step.do
        ]
        text = f"私下{text}" if step.private and step.do != "talk" else text
        return f"{text}，并撤回此前 {clear} 的消息" if clear else text
    text = {
        "talk": "a colleague talks in private",
        "warn": "warn",
        "mute": f"mute for {span}",
        "remove": "remove",
        "ban": "ban",
    }[step.do]
    text = f"{text} (in private)" if step.private and step.do != "talk" else text
    return f"{text} and take back what they wrote in the {clear} before" if clear else text


def explain_ladder(ladder: Ladder, language: Language) -> str:
    """Return a ladder in one sentence."""
    steps = [explain_step(step, language) for step in ladder.steps]
    span = say_duration(ladder.forget_after_s, language)
    if language == "zh":
        return f"{' → '.join(steps)}；{span}没有再犯就清零"
    return f"{' → '.join(steps)}; forgotten after {span} without another offence"


def explain_rule(rule: Rule, playbook: Playbook, language: Language = "zh") -> str:
    """Return what a rule does, in a few sentences."""
    titles = {lexicon.lexicon_id: lexicon.title for lexicon in playbook.lexicons}
    clauses = [explain_check(check, titles, language) for check in rule.when]
    ladder = next((item for item in playbook.ladders if item.ladder_id == rule.ladder), None)
    index = 0 if language == "zh" else 1
    who, mode = WHO[rule.applies_to][index], MODES[rule.mode][index]
    if language == "zh":
        parts = [f"{rule.title}（{who}）：当{'，且'.join(clauses)}时"]
        parts.append(f"，{explain_ladder(ladder, 'zh')}" if ladder else "，交给同事判断")
        parts.append("，并撤回消息" if rule.delete else "")
        parts.append(f"。{mode}。")
        parts += [f"在「{group}」中：{MODES[value][0]}。" for group, value in rule.modes.items()]
        parts.append(f"{'、'.join(rule.free_hours)} 不管。" if rule.free_hours else "")
        parts.append("" if rule.enabled else "（已停用）")
        return _SPACE.sub(r"\1 \2", "".join(parts))
    parts = [f"{rule.title_en or rule.title}: for {who}, when {' and '.join(clauses)}: "]
    parts.append(explain_ladder(ladder, "en") if ladder else "a colleague decides")
    parts.append(", and the message is deleted. " if rule.delete else ". ")
    parts.append(mode)
    parts += [f" In “{group}”: {MODES[value][1]}" for group, value in rule.modes.items()]
    parts.append(f" Rests {', '.join(rule.free_hours)}." if rule.free_hours else "")
    parts.append("" if rule.enabled else " (switched off)")
    return "".join(parts)


def explain(playbook: Playbook, language: Language = "zh") -> str:
    """Return a whole playbook, one rule a line."""
    info = playbook.playbook
    title = info.title if language == "zh" else info.title_en or info.title
    return "\n".join([f"{title}（v{info.version}）" if language == "zh" else f"{title} (v{info.version})", ""]
                     + [f"- {explain_rule(rule, playbook, language)}" for rule in playbook.rules]
                     + [f"- {explain_answers(rule, playbook, language)}" for rule in playbook.answers]
                     + [f"- {explain_response(response, language)}" for response in playbook.replies]) + "\n"  # fmt: skip


def group_rules(playbook: Playbook, *, heading: str = "群规") -> str:
    """Return the rules for members, to be announced early: the reasons of announced rules, each once, gravest first."""
    binding = [rule for rule in playbook.rules if rule.enabled and rule.announced and rule.applies_to != "staff"]
    reasons = dict.fromkeys(rule.reason for rule in sorted(binding, key=lambda rule: -rule.severity))
    lines = [f"{number}. {reason}" for number, reason in enumerate(reasons, start=1)]
    return "\n".join([heading, *lines]) + "\n"
