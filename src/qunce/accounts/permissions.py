"""Declare what each role may do: one table, read by `access.can` and shown in the console.

Which groups a person may do it in is another matter (`StaffScope`); actions marked `scoped` are limited by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

from qunce.accounts.models import Role

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

UNSCOPED_ROLES: Final = frozenset({Role.ADMIN, Role.SUPERVISOR, Role.ANALYST})
"""Roles that see everything while they have no scope rows. Everybody else sees nothing then."""

_ALL: Final = frozenset(Role)
_LEADS: Final = frozenset({Role.ADMIN, Role.SUPERVISOR})
_OPERATORS: Final = _LEADS | {Role.EXECUTOR, Role.MANAGER}
_ANSWERING: Final = _OPERATORS | {Role.EXPERT, Role.SUPPORT_AGENT, Role.HOST, Role.SHOP_GUIDE}
_WITH_FIGURES: Final = _OPERATORS | {Role.ANALYST}


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something a person can do. `writes` = it changes something or takes data out of the house."""

    title: _StrPromise
    roles: frozenset[Role]
    scoped: bool = False
    writes: bool = False


ACTIONS: Final[dict[str, Action]] = {
    "self.manage": Action(title=_("管理自己的账号"), roles=_ALL),
    "overview.view": Action(title=_("查看总览"), roles=_ALL),
    "desk.view": Action(title=_("查看应答台"), roles=_ANSWERING, scoped=True),
    "desk.answer": Action(title=_("在应答台回复、转交、结束"), roles=_ANSWERING, scoped=True, writes=True),
    "group.view": Action(title=_("查看群与聊天记录"), roles=_ALL, scoped=True),
    "group.change": Action(title=_("修改群的归属"), roles=_LEADS, scoped=True, writes=True),
    "member.view": Action(title=_("查看成员"), roles=_ALL, scoped=True),
    "member.flag": Action(title=_("标记员工、机器人与群马甲"), roles=_OPERATORS, scoped=True, writes=True),
    "profile.change": Action(title=_("修改成员资料与标签，采纳聊天里的资料"), roles=_OPERATORS, scoped=True, writes=True),
    "member.merge": Action(title=_("合并与拆开同一个人的账号"), roles=_LEADS | {Role.MANAGER}, scoped=True, writes=True),
    "member.export": Action(title=_("导出成员名单"), roles=_LEADS, scoped=True, writes=True),
    "tier.view": Action(title=_("查看分层与价值成员"), roles=_ALL, scoped=True),
    "segment.view": Action(title=_("查看分群"), roles=_WITH_FIGURES, scoped=True),
    "segment.run": Action(title=_("重算分群"), roles=_LEADS, writes=True),
    "tier.sort": Action(title=_("重新分层"), roles=_LEADS, writes=True),
    "metric.view": Action(title=_("查看指标"), roles=_WITH_FIGURES, scoped=True),
    "metric.export": Action(title=_("导出指标"), roles=_LEADS | {Role.ANALYST}, scoped=True, writes=True),
    "case.view": Action(title=_("查看违规处理"), roles=_OPERATORS, scoped=True),
    "case.decide": Action(title=_("批准、否决、撤销违规处理，答复申诉"), roles=_OPERATORS, scoped=True, writes=True),
    "case.teach": Action(title=_("标注消息，教会识别模型"), roles=_LEADS, writes=True),
    "playbook.view": Action(title=_("查看规则"), roles=_WITH_FIGURES),
    "playbook.publish": Action(title=_("修改并发布规则"), roles=_LEADS, writes=True),
    "playbook.announce": Action(title=_("把群规发到群里"), roles=_OPERATORS, scoped=True, writes=True),
    "playbook.replay": Action(title=_("用历史消息回放规则"), roles=_LEADS | {Role.ANALYST}, scoped=True),
    "channel.view": Action(title=_("查看渠道"), roles=_LEADS),
    "channel.manage": Action(title=_("接入、修改与暂停渠道"), roles=frozenset({Role.ADMIN}), writes=True),
    "channel.practise": Action(title=_("在演练群里试规则"), roles=_LEADS, writes=True),
    "import.view": Action(title=_("查看导入记录"), roles=_LEADS | {Role.ANALYST}),
    "import.run": Action(title=_("导入聊天记录与订单"), roles=_LEADS, writes=True),
    "staff.view": Action(title=_("查看员工与权限"), roles=_LEADS),
    "staff.manage": Action(title=_("管理员工与权限"), roles=frozenset({Role.ADMIN}), writes=True),
    "settings.view": Action(title=_("查看设置"), roles=_LEADS),
    "settings.change": Action(title=_("修改设置"), roles=frozenset({Role.ADMIN}), writes=True),
    "audit.view": Action(title=_("查看操作记录"), roles=_LEADS),
}


def allowed(role: str, action: str) -> bool:
    """Tell whether the table lets `role` do `action`. Raises KeyError for an action that is not in the table."""
    return role in ACTIONS[action].roles
