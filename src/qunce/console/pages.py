"""Render pages: what every page needs around its own content, and single blocks of a page for htmx."""

from __future__ import annotations

from dataclasses import dataclass
from time import time
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.template.backends.utils import csrf_input
from django.template.loader import get_template
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from qunce.accounts.access import can
from qunce.accounts.models import Staff

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest
    from django.utils.functional import _StrPromise

THEMES: Final = ("auto", "light", "dark")
THEME_COOKIE: Final = "qunce_theme"


@dataclass(frozen=True, slots=True, kw_only=True)
class NavItem:
    """One entry of the main navigation."""

    name: str
    """Name of the page it opens, and of the section it marks as active."""
    title: _StrPromise
    icon: str
    permission: str
    key: str
    """Pressed after `g`."""
    primary: bool = True
    """False = behind "more" in the bar of narrow screens."""
    gap_after: bool = False

    @property
    def href(self) -> str:
        """Address of the page."""
        return reverse(self.name)


NAV: Final = (
    NavItem(name="overview", title=gettext_lazy("看板"), icon="chart-histogram", permission="overview.view", key="d"),
    NavItem(name="desk", title=gettext_lazy("应答台"), icon="message-reply", permission="desk.view", key="r"),
    NavItem(name="groups", title=gettext_lazy("社群"), icon="users-group", permission="group.view", key="g"),
    NavItem(name="members", title=gettext_lazy("成员"), icon="address-book", permission="member.view", key="m"),
    NavItem(name="search", title=gettext_lazy("消息"), icon="message-2", permission="group.view", key="s", primary=False),
    NavItem(name="cases", title=gettext_lazy("秩序"), icon="gavel", permission="case.view", key="c"),
    NavItem(name="playbook", title=gettext_lazy("规则"), icon="book-2", permission="playbook.view", key="p", primary=False),
    NavItem(name="metrics", title=gettext_lazy("指标"), icon="chart-dots", permission="metric.view", key="x", primary=False),
    NavItem(name="imports", title=gettext_lazy("导入"), icon="file-import", permission="import.view", key="i", primary=False),
    NavItem(
        name="channels", title=gettext_lazy("渠道"), icon="plug-connected", permission="channel.view", key="l", primary=False,
        gap_after=True,
    ),
    NavItem(name="staff", title=gettext_lazy("员工"), icon="id-badge-2", permission="staff.view", key="t", primary=False),
    NavItem(name="audit", title=gettext_lazy("审计"), icon="shield-check", permission="audit.view", key="a", primary=False),
    NavItem(name="settings", title=gettext_lazy("设置"), icon="settings", permission="settings.view", key="e", primary=False),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """One page of a section of the navigation."""

    name: str
    title: _StrPromise
    permission: str

    @property
    def href(self) -> str:
        """Address of the page."""
        return reverse(self.name)


TABS: Final = {
    "groups": (
        Tab(name="groups", title=gettext_lazy("全部群"), permission="group.view"),
        Tab(name="group-proposals", title=gettext_lazy("调整建议"), permission="group.view"),
    ),
    "members": (
        Tab(name="members", title=gettext_lazy("名单"), permission="member.view"),
        Tab(name="segments", title=gettext_lazy("分群"), permission="segment.view"),
        Tab(name="tags", title=gettext_lazy("标签"), permission="member.view"),
        Tab(name="contacts", title=gettext_lazy("好友沉淀"), permission="member.view"),
        Tab(name="several", title=gettext_lazy("多群成员"), permission="member.view"),
        Tab(name="merges", title=gettext_lazy("身份合并"), permission="member.merge"),
        Tab(name="tiers", title=gettext_lazy("分层"), permission="tier.view"),
        Tab(name="valuable", title=gettext_lazy("价值成员"), permission="tier.view"),
        Tab(name="proposals", title=gettext_lazy("待确认资料"), permission="profile.change"),
        Tab(name="changes", title=gettext_lazy("改动记录"), permission="profile.change"),
    ),
}  # fmt: skip
"""Pages that belong to one section, shown as tabs on each of them; `active` may name any."""


def _section(active: str) -> str:
    return next((section for section, tabs in TABS.items() if active in {tab.name for tab in tabs}), active)


def shell(request: HttpRequest, active: str) -> dict[str, Any]:
    """Return what the frame round every page shows; `active` names the section, or the tab of one."""
    # An error page may come before the middleware that says who asks.
    user = getattr(request, "user", None)
    staff = user if isinstance(user, Staff) else None
    theme = request.COOKIES.get(THEME_COOKIE, "auto")
    language = get_language() or settings.LANGUAGE_CODE
    return {
        "active": _section(active),
        "tab": active,
        "tabs": [tab for tab in TABS.get(_section(active), ()) if can(staff, tab.permission)],
        "nav": [item for item in NAV if can(staff, item.permission)],
        "may_desk": can(staff, "desk.view"),
        "may_search": can(staff, "group.view"),
        "search": request.GET.get("q", "") if active == "search" else "",
        "user_name": str(staff) if staff else "",
        "user_role": staff.get_role_display() if staff else "",
        "theme": theme if theme in THEMES else "auto",
        "themes": (("auto", _("跟随系统"), "sun-moon"), ("light", _("浅色"), "sun"), ("dark", _("深色"), "moon")),
        "language": language,
        "languages": (("zh-hans", "中文"), ("en", "EN")),
        "html_lang": "zh-CN" if language.startswith("zh") else language,
        "messages": list(get_messages(request)),
        "script_texts": _script_texts(),
    }


def render(
    request: HttpRequest, template: str, context: Mapping[str, object], *, active: str = "", status: int = 200
) -> HttpResponse:
    """Return a whole page."""
    values = {**context, "shell": shell(request, active), "now_ms": int(time() * 1000)}
    return HttpResponse(get_template(f"console/{template}.html").render(values, request), status=status)


def render_block(request: HttpRequest, template: str, block: str, context: Mapping[str, object]) -> HttpResponse:
    """Return one block of a page's template, as htmx swaps it in."""
    page: Any = get_template(f"console/{template}.html").template  # type: ignore[attr-defined]  # Jinja2's own template
    values = {**context, "request": request, "now_ms": int(time() * 1000), "csrf_input": csrf_input(request)}
    return HttpResponse("".join(page.blocks[block](page.new_context(values))))


def _script_texts() -> dict[str, str]:
    return {
        "offline": _("连接不上服务器，请稍后重试。"),
        "http_error": _("出错了（%s），请重试。"),
        "http_403": _("您没有这项权限。"),
        "http_404": _("没有找到，可能已被删除。"),
        "http_413": _("文件太大。"),
        "http_429": _("操作太频繁，请稍后再试。"),
    }


def problem(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    """Return a page that says what went wrong, inside the frame for people who have signed in."""
    context = {"status": status, "title": title, "text": text, "inside": isinstance(getattr(request, "user", None), Staff)}
    return render(request, "problem", context, status=status)


def forbidden(request: HttpRequest) -> HttpResponse:
    """Return the page for people who may not do this."""
    return problem(request, 403, _("您没有这项权限"), _("需要的话，请系统管理员在“员工”页面调整您的角色或范围。"))
