"""Addresses of the console. The name of an address, its view and its test are one word."""

from __future__ import annotations

from django.urls import path

from qunce.console.views import account, audit, group, groups, imports, members, metrics, overview, search, settings, staff

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("overview/<slug:card>", overview.overview_card, name="overview-card"),
    path("login", account.sign_in, name="login"),
    path("logout", account.sign_out, name="logout"),
    path("me", account.profile, name="profile"),
    path("me/password", account.change_password, name="change-password"),
    path("me/name", account.rename_self, name="rename-self"),
    path("me/language", account.set_language, name="set-language"),
    path("me/theme", account.set_theme, name="set-theme"),
    path("groups", groups.groups, name="groups"),
    path("groups/export.csv", groups.export_groups, {"kind": "csv"}, name="export-groups-csv"),
    path("groups/export.xlsx", groups.export_groups, {"kind": "xlsx"}, name="export-groups-xlsx"),
    path("groups/<int:group_id>", group.group, name="group"),
    path("groups/<int:group_id>/messages", group.group_messages, name="group-messages"),
    path("groups/<int:group_id>/people", group.group_people, name="group-people"),
    path("groups/<int:group_id>/questions", group.group_questions, name="group-questions"),
    path("groups/<int:group_id>/settings", group.group_settings, name="group-settings"),
    path("groups/<int:group_id>/community", group.group_set_community, name="group-set-community"),
    path("members", members.members, name="members"),
    path("members/export.csv", members.export_members, {"kind": "csv"}, name="export-members-csv"),
    path("members/export.xlsx", members.export_members, {"kind": "xlsx"}, name="export-members-xlsx"),
    path("members/<int:member_id>", members.member, name="member"),
    path("members/<int:member_id>/kind", members.flag_member, name="flag-member"),
    path("messages", search.search, name="search"),
    path("metrics", metrics.metrics, name="metrics"),
    path("metrics/<slug:metric_id>", metrics.metric, name="metric"),
    path("metrics/<slug:metric_id>/csv", metrics.metric_csv, name="metric-csv"),
    path("imports", imports.imports, name="imports"),
    path("imports/<int:job_id>", imports.import_job, name="import"),
    path("imports/<int:job_id>/confirm", imports.import_confirm, name="import-confirm"),
    path("imports/<int:job_id>/discard", imports.import_discard, name="import-discard"),
    path("imports/<int:job_id>/rejects/<int:number>", imports.import_rejects, name="import-rejects"),
    path("staff", staff.staff, name="staff"),
    path("staff/new", staff.create_staff, name="create-staff"),
    path("staff/<int:staff_id>", staff.edit_staff, name="edit-staff"),
    path("staff/<int:staff_id>/scope", staff.scope_staff, name="scope-staff"),
    path("staff/<int:staff_id>/password", staff.reset_password, name="reset-password"),
    path("settings", settings.settings, name="settings"),
    path("settings/change", settings.change_settings, name="change-settings"),
    path("settings/check", settings.check_data, name="check-data"),
    path("audit", audit.audit, name="audit"),
]
