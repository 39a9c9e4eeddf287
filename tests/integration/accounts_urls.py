"""Routes for the tests of accounts, in front of the console's own, which error pages lead to."""

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from qunce.accounts.access import requires, visible_group_ids


class SignIn(LoginView):
    def form_invalid(self, form: object) -> HttpResponse:
        return HttpResponse("wrong", status=401)


@requires("overview.view")
def home(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.LANGUAGE_CODE)


@requires("member.flag", group="group_id")
def flag(request: HttpRequest, group_id: int) -> HttpResponse:
    return HttpResponse("flagged")


@requires("group.view", group="group_id")
async def stream(request: HttpRequest, group_id: int) -> HttpResponse:
    user = await request.auser()
    return HttpResponse(str(await sync_to_async(visible_group_ids)(user)))  # type: ignore[arg-type]  # signed in here


def forgotten(request: HttpRequest) -> HttpResponse:
    raise AssertionError("must not run")


@login_not_required
def health(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


urlpatterns = [
    path("", home, name="home"),
    path("login", SignIn.as_view(), name="login"),
    path("logout", requires("self.manage")(LogoutView.as_view()), name="logout"),
    path("groups/<int:group_id>/flag", flag),
    path("groups/<int:group_id>/stream", stream),
    path("forgotten", forgotten),
    path("health", health),
    path("", include("qunce.console.urls")),
]
