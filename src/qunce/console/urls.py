"""Addresses of the console. The name of an address, its view and its test are one word."""

from __future__ import annotations

from django.urls import path

from qunce.console.views import account, group, groups, members, search

urlpatterns = [
    path("login", account.sign_in, name="login"),
    path("logout", account.sign_out, name="logout"),
    path("me", account.profile, name="profile"),
    path("me/password", account.change_password, name="change-password"),
    path("me/name", account.rename_self, name="rename-self"),
    path("me/language", account.set_language, name="set-language"),
    path("me/theme", account.set_theme, name="set-theme"),
    path("groups", groups.groups, name="groups"),
    path("groups/<int:group_id>", group.group, name="group"),
    path("groups/<int:group_id>/messages", group.group_messages, name="group-messages"),
    path("groups/<int:group_id>/people", group.group_people, name="group-people"),
    path("groups/<int:group_id>/questions", group.group_questions, name="group-questions"),
    path("groups/<int:group_id>/settings", group.group_settings, name="group-settings"),
    path("groups/<int:group_id>/community", group.group_set_community, name="group-set-community"),
    path("members", members.members, name="members"),
    path("members/<int:member_id>", members.member, name="member"),
    path("members/<int:member_id>/kind", members.flag_member, name="flag-member"),
    path("messages", search.search, name="search"),
]
