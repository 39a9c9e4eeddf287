"""Addresses of the console. The name of an address, its view and its test are one word."""

from __future__ import annotations

from django.urls import path

from qunce.console.views import account, groups

urlpatterns = [
    path("login", account.sign_in, name="login"),
    path("logout", account.sign_out, name="logout"),
    path("me", account.profile, name="profile"),
    path("me/password", account.change_password, name="change-password"),
    path("me/name", account.rename_self, name="rename-self"),
    path("me/language", account.set_language, name="set-language"),
    path("me/theme", account.set_theme, name="set-theme"),
    path("groups", groups.groups, name="groups"),
]
