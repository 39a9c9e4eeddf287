"""Say in Chinese or English which messages are answered how fast, and who is on duty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from qunce.playbook.schema import AnswerRule, Duty, Playbook
from qunce.playbook.units import say_duration

Language = Literal["zh", "en"]
NEEDS: Final[Mapping[str, tuple[str, str]]] = {
    "complaint": ("投诉", "complaints"),
    "order_trouble": ("订单问题", "trouble with orders"),
    "question": ("提问", "questions"),
    "mention": ("点名找我们", "calls for us"),
    "first_post": ("新人首次发言", "first words of newcomers"),
}
ROLES: Final[Mapping[str, str]] = {
    "admin": "系统管理员", "supervisor": "群督导", "executor": "群执行", "manager": "群管理", "expert": "专家",
    "support_agent": "客服", "host": "主持人", "shop_guide": "导购", "analyst": "数据分析",
}  # fmt: skip
"""What the console calls the roles of colleagues, by code."""
_MODES: Final[Mapping[str, tuple[str, str]]] = {
    "observe": ("只计时", "Only measured."),
    "suggest": ("超时提醒同事", "Colleagues are told when it is late."),
    "act": ("超时提醒同事", "Colleagues are told when it is late."),
}


def explain_answers(rule: AnswerRule, playbook: Playbook, language: Language = "zh") -> str:
    """Return what an answer rule does, in one paragraph."""
    return _chinese(rule, playbook) if language == "zh" else _english(rule, playbook)


def _chinese(rule: AnswerRule, playbook: Playbook) -> str:
    needs = "、".join(NEEDS[need][0] for need in rule.needs)
    first, following = say_duration(rule.first_within_s, "zh"), say_duration(rule.next_within_s, "zh")
    parts = [f"「{rule.title}」：{needs}须在{first}内首次应答，续谈在{following}内"]
    parts += [f"{NEEDS[item.need][0]}在{say_duration(item.within_s, 'zh')}内" for item in rule.sooner]
    parts += [f"满{say_duration(step.after_s, 'zh')}无人应答则通知{'、'.join(map(_called, step.to))}" for step in rule.escalate]
    if rule.notify:
        parts.append(f"并告诉{'、'.join(f'「{name}」' for name in rule.notify)}")
    duty = _duty(rule, playbook)
    parts.append(_duty_chinese(duty) if duty is not None else "全天计时")
    if rule.groups:
        parts.append(f"适用于 {'、'.join(rule.groups)}")
    parts.append("KOC 的回答单独统计" if rule.peers == "answer" else "KOC 的回答只作记录，不停表")
    return "；".join([*parts, _MODES[rule.mode][0]]) + "。"


def _called(who: str) -> str:
    """Return the Chinese name of a role; a platform id stands apart from the words before it."""
    return ROLES.get(who, f" {who}")


def _english(rule: AnswerRule, playbook: Playbook) -> str:
    needs = ", ".join(NEEDS[need][1] for need in rule.needs)
    first, following = say_duration(rule.first_within_s, "en"), say_duration(rule.next_within_s, "en")
    parts = [f"{rule.title_en or rule.title}: {needs} get a first answer within {first}, further ones within {following}"]
    parts += [f"{NEEDS[item.need][1]} within {say_duration(item.within_s, 'en')}" for item in rule.sooner]
    parts += [
        f"after {say_duration(step.after_s, 'en')} without an answer {', '.join(step.to)} are called" for step in rule.escalate
    ]
    if rule.notify:
        parts.append(f"and {', '.join(rule.notify)} is told")
    duty = _duty(rule, playbook)
    parts.append(_duty_english(duty) if duty is not None else "the clock never rests")
    if rule.groups:
        parts.append(f"in {', '.join(rule.groups)}")
    parts.append("answers of KOC count, shown apart" if rule.peers == "answer" else "answers of KOC are only noted")
    return f"{'; '.join(parts)}. {_MODES[rule.mode][1]}"


def _duty(rule: AnswerRule, playbook: Playbook) -> Duty | None:
    return next((duty for duty in playbook.duties if duty.duty_id == rule.duty), None)


def _duty_chinese(duty: Duty) -> str:
    shifts = "、".join(
        f"{shift.title} {shift.hours}" + (f"（{'、'.join(shift.breaks)} 休息）" if shift.breaks else "")
        for shift in duty.shifts
    )
    return f"按值班表「{duty.title}」计时：{shifts}" + ("，节假日除外" if duty.holidays is not None else "")


def _duty_english(duty: Duty) -> str:
    shifts = ", ".join(
        f"{shift.hours}" + (f" without {', '.join(shift.breaks)}" if shift.breaks else "") for shift in duty.shifts
    )
    return f"the clock runs {shifts}" + (", not on holidays" if duty.holidays is not None else "")
