"""The closed schema of playbooks."""

from qunce.playbook.schema.base import SCHEMA_VERSION, Mode, Part
from qunce.playbook.schema.desk import AnswerRule, Duty, Holidays
from qunce.playbook.schema.rules import Exempt, Info, Ladder, Lexicon, Playbook, Rule, Step, Term

__all__ = [
    "SCHEMA_VERSION",
    "AnswerRule",
    "Duty",
    "Exempt",
    "Holidays",
    "Info",
    "Ladder",
    "Lexicon",
    "Mode",
    "Part",
    "Playbook",
    "Rule",
    "Step",
    "Term",
]
