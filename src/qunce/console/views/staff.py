"""Manage the people who work here: who they are, what they may do, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from qunce.accounts.access import can, requires
from qunce.accounts.errors import StaffRejected
from qunce.accounts.models import Role, Staff
from qunce.accounts.permissions import ACTIONS, UNSCOPED_ROLES, allowed
from qunce.accounts.staff import do_change_staff, do_create_staff, do_set_password, do_set_scopes
from qunce.console import asked, pages
from qunce.readmodels.selectors import group as group_selectors
from qunce.readmodels.selectors import groups

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@require_safe
@requires("staff.view")
def staff(request: HttpRequest) -> HttpResponse:
    """List the staff and say what each role may do."""
    people = list(Staff.objects.prefetch_related("scopes").order_by("-is_active", "username"))
    context = {
        "people": [(person, _scope_words(person)) for person in people],
        "may_manage": can(asked.staff_of(request), "staff.manage"),
        "roles": list(Role),
        "table": [(action.title, [allowed(role, code) for role in Role]) for code, action in ACTIONS.items()],
        "unscoped": UNSCOPED_ROLES,
    }
    return pages.render(request, "staff", context, active="staff")


@require_http_methods(["GET", "HEAD", "POST"])
@requires("staff.manage")
def create_staff(request: HttpRequest) -> HttpResponse:
    """Add a member of staff."""
    error = ""
    if request.method == "POST":
        try:
            created = do_create_staff(
                actor=asked.staff_of(request), username=request.POST.get("username", "").strip(),
                password=request.POST.get("password", ""), role=request.POST.get("role", ""),
                display_name=request.POST.get("display_name", "").strip(),
            )  # fmt: skip
        except StaffRejected as rejected:
            error = str(rejected)
        else:
            messages.success(request, _("已新建 %(name)s。接下来选好能看到哪些群。") % {"name": str(created)})
            return redirect("edit-staff", created.pk)
    context = {"person": None, "posted": request.POST, "roles": list(Role), "error": error, "unscoped": UNSCOPED_ROLES}
    return pages.render(request, "staff_form", context, active="staff", status=422 if error else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("staff.manage")
def edit_staff(request: HttpRequest, staff_id: int) -> HttpResponse:
    """Change a member of staff: name, role, whether they may sign in."""
    person = get_object_or_404(Staff, pk=staff_id)
    error = ""
    if request.method == "POST":
        try:
            do_change_staff(
                actor=asked.staff_of(request), staff_id=staff_id, display_name=request.POST.get("display_name", "").strip(),
                role=request.POST.get("role", person.role), is_active="is_active" in request.POST,
                email=asked.posted(request, "email"), mobile=asked.posted(request, "mobile"),
            )  # fmt: skip
        except StaffRejected as rejected:
            error = str(rejected)
        else:
            messages.success(request, _("已保存。"))
            return redirect("edit-staff", staff_id)
    return _form(request, person, error)


@require_POST
@requires("staff.manage")
def scope_staff(request: HttpRequest, staff_id: int) -> HttpResponse:
    """Set which communities and groups a member of staff may see."""
    person = get_object_or_404(Staff, pk=staff_id)
    chosen = {name: [int(text) for text in request.POST.getlist(name) if text.isdecimal()] for name in ("community", "group")}
    do_set_scopes(
        actor=asked.staff_of(request), staff_id=person.pk, community_ids=chosen["community"], group_ids=chosen["group"]
    )
    messages.success(request, _("范围已保存。"))
    return redirect("edit-staff", staff_id)


@require_POST
@requires("staff.manage")
def reset_password(request: HttpRequest, staff_id: int) -> HttpResponse:
    """Give somebody a new password; their sessions end."""
    person = get_object_or_404(Staff, pk=staff_id)
    try:
        do_set_password(actor=asked.staff_of(request), staff_id=person.pk, password=request.POST.get("password", ""))
    except StaffRejected as rejected:
        return _form(request, person, str(rejected))
    messages.success(request, _("新密码已生效，请当面或通过安全的方式告诉本人。"))
    return redirect("edit-staff", staff_id)


def _form(request: HttpRequest, person: Staff, error: str) -> HttpResponse:
    scopes = list(person.scopes.values_list("community_id", "group_id"))
    listed = groups.all_names()
    context: dict[str, Any] = {
        "person": person, "posted": request.POST, "roles": list(Role), "error": error, "unscoped": UNSCOPED_ROLES,
        "communities": group_selectors.communities(), "groups": listed,
        "chosen_communities": {community for community, _group in scopes if community},
        "chosen_groups": {group for _community, group in scopes if group},
        "rights": [(action.title, allowed(person.role, code)) for code, action in ACTIONS.items()],
    }  # fmt: skip
    return pages.render(request, "staff_form", context, active="staff", status=422 if error else 200)


def _scope_words(person: Staff) -> str:
    scopes = list(person.scopes.all())
    if not scopes:
        return _("全部") if person.role in UNSCOPED_ROLES else _("还没有分配")
    communities = sum(1 for scope in scopes if scope.community_id)
    return _("%(communities)s 个社群，%(groups)s 个群") % {"communities": communities, "groups": len(scopes) - communities}
