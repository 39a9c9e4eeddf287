"""Marks teach the desk what needs an answer, and can be taken back."""

from __future__ import annotations

from qunce.engine import core
from qunce.engine.learning.lessons import MIN_EACH, Lesson, learn, taken_back
from qunce.engine.learning.shipped import shipped
from qunce.playbook.load import parse
from qunce.testing.scenario import play

PLAYBOOK = """schema_version: 1
playbook: {playbook_id: test, title: 测试}
answers: [{rule_id: sla, title: 应答}]
"""
WANTED = [f"{thing}想要{count}份" for thing in ("苹果", "橙子", "面膜", "绘本") for count in range(1, 8)]
IDLE = [
    f"{who}{when}又跑哪儿去了呀"
    for who in ("猫", "狗", "娃", "老公")
    for when in ("今天", "昨天", "刚才", "早上", "晚上", "周末", "中午")
]
LESSONS = (
    *(Lesson(lesson_id=f"w{index}", text=text, label=True) for index, text in enumerate(WANTED)),
    *(Lesson(lesson_id=f"i{index}", text=text, label=False) for index, text in enumerate(IDLE)),
)
SAID = """
小红: 西瓜想要3份
  {wanted}
小兰: 娃下午又跑哪儿去了呀
  {idle}
小梅: 几点开始直播
  => awaits sla need=question
小菊: 我要投诉
  => awaits sla need=complaint
"""
BEFORE = SAID.format(wanted="", idle="=> awaits sla need=question")
AFTER = SAID.format(wanted="=> awaits sla need=question", idle="")


def program(lessons: tuple[Lesson, ...]) -> core.Program:
    return core.compile_rules(parse({"playbook.yaml": PLAYBOOK}), {"needs_answer": learn(lessons, shipped("needs_answer"))})


def test_without_marks_the_words_judge() -> None:
    play(core.compile_rules(parse({"playbook.yaml": PLAYBOOK})), BEFORE)


def test_marks_add_and_drop_questions_and_nothing_else() -> None:
    play(program(LESSONS), AFTER)


def test_marks_taken_back_leave_the_words() -> None:
    lessons = LESSONS
    for lesson in LESSONS[MIN_EACH - 1 : len(WANTED)]:
        lessons = taken_back(lessons, lesson.lesson_id)
    play(program(lessons), BEFORE)
