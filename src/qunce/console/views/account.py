"""Sign in and out, own name and password, language and look."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from qunce.accounts.access import requires
from qunce.accounts.errors import StaffRejected
from qunce.accounts.models import Staff
from qunce.accounts.permissions import ACTIONS, allowed
from qunce.accounts.staff import do_change_staff, do_set_language, do_set_password
from qunce.console import asked, pages
from qunce.console.asked import staff_of

YEAR_S = 365 * 24 * 3600


@method_decorator(never_cache, name="dispatch")
class SignIn(LoginView):
    """Django's sign-in with our page. Limits and lock-out are django-axes'."""

    template_name = "console/login.html"
    redirect_authenticated_user = True

    def form_invalid(self, form: Any) -> HttpResponse:
        """Show the page again as 401, so that a script or a proxy sees the failure too."""
        response = super().form_invalid(form)
        response.status_code = 401
        return response


sign_in = SignIn.as_view()
sign_out = requires("self.manage")(LogoutView.as_view())


@require_GET
@requires("self.manage")
def profile(request: HttpRequest) -> HttpResponse:
    """Show one's own account and what it may do."""
    return _profile(request, PasswordChangeForm(staff_of(request)))


@require_POST
@requires("self.manage")
def change_password(request: HttpRequest) -> HttpResponse:
    """Change one's own password and stay signed in here."""
    staff = staff_of(request)
    form = PasswordChangeForm(staff, request.POST)
    if not form.is_valid():
        return _profile(request, form, status=422)
    try:
        do_set_password(actor=staff, staff_id=staff.pk, password=form.cleaned_data["new_password1"])
    except StaffRejected as rejected:
        form.add_error("new_password1", str(rejected))
        return _profile(request, form, status=422)
    update_session_auth_hash(request, Staff.objects.get(pk=staff.pk))
    messages.success(request, _("密码已修改，其他设备上的登录已失效。"))
    return redirect("profile")


@require_POST
@requires("self.manage")
def rename_self(request: HttpRequest) -> HttpResponse:
    """Change one's own shown name, and where one is called."""
    staff = staff_of(request)
    name, email, mobile = (asked.posted(request, field) for field in ("display_name", "email", "mobile"))
    try:
        do_change_staff(actor=staff, staff_id=staff.pk, display_name=name, email=email, mobile=mobile)
        messages.success(request, _("已保存。"))
    except StaffRejected as rejected:
        messages.error(request, str(rejected))
    return redirect("profile")


@login_not_required
@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Choose the language of the console, before or after signing in."""
    response = _back(request)
    language = request.POST.get("language", "")
    if language in dict(settings.LANGUAGES):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME, language, max_age=YEAR_S, samesite="Lax", secure=settings.LANGUAGE_COOKIE_SECURE
        )
        if isinstance(request.user, Staff):
            do_set_language(actor=request.user, language=language)
    return response


@login_not_required
@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    """Choose light, dark, or as the system is."""
    response = _back(request)
    theme = request.POST.get("theme", "")
    if theme in pages.THEMES:
        response.set_cookie(pages.THEME_COOKIE, theme, max_age=YEAR_S, samesite="Lax", httponly=True)
    return response


def _profile(request: HttpRequest, form: PasswordChangeForm, status: int = 200) -> HttpResponse:
    role = staff_of(request).role
    rights = [(action.title, allowed(role, code)) for code, action in ACTIONS.items()]
    return pages.render(request, "profile", {"form": form, "staff": staff_of(request), "rights": rights}, status=status)


def _back(request: HttpRequest) -> HttpResponse:
    target = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return HttpResponseRedirect(target if safe else reverse("overview"))
