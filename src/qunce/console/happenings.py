"""Say in one sentence what happened to somebody in a group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from qunce.console import formats
from qunce.console.evidence import KEYS
from qunce.console.labels import label

if TYPE_CHECKING:
    from collections.abc import Mapping

ICONS = {
    "member.joined": "user-plus", "member.left": "user-minus", "member.restricted": "ban", "member.unrestricted": "microphone",
    "member.updated": "edit", "member.requested": "user-plus", "contact.added": "user-plus", "contact.removed": "user-minus",
    "link.clicked": "link", "consent.changed": "shield-check", "tag.changed": "flag", "tag.put": "flag", "tag.taken": "flag",
    "attribute.set": "id", "order": "shopping-cart",
    "tier.moved": "cards", "message": "message", "reply.given": "message-reply",
    "group.updated": "edit", "group.charted": "map-pin", "group.created": "users-group", "group.dismissed": "x",
    "identity.keyed": "key", "identity.linked": "link", "identity.unlinked": "arrow-back-up",
}  # fmt: skip


def icon_of(what: str) -> str:
    """Return the icon of a kind of happening."""
    return ICONS.get(what, "info-circle")


def sentence(what: str, detail: Mapping[str, object], name: str, actor: str = "") -> str:
    """Return what happened; `name` is whom it is about, `actor` who else did it (empty = nobody else)."""
    parts = {"name": name or _("有人"), "actor": actor}
    match what:
        case "member.joined":
            return _joined(detail, parts)
        case "member.left":
            return _left(detail, parts)
        case "member.restricted":
            return (_("%(name)s 被 %(actor)s 禁言") if actor else _("%(name)s 被禁言")) % parts
        case "member.unrestricted":
            return _("%(name)s 的禁言已解除") % parts
        case "member.updated":
            return _updated(detail, parts)
        case "member.requested":
            return _("%(name)s 申请入群") % parts
        case _:
            return _other(what, detail, parts)


def _joined(detail: Mapping[str, object], parts: dict[str, str]) -> str:
    if parts["actor"]:
        return _("%(actor)s 邀请 %(name)s 进群") % parts
    scene = str(detail.get("scene") or "unknown")
    if scene == "unknown":
        return _("%(name)s 进群") % parts
    return _("%(name)s 进群（%(scene)s）") % {**parts, "scene": label("scene", scene)}


def _left(detail: Mapping[str, object], parts: dict[str, str]) -> str:
    reason = str(detail.get("reason") or "unknown")
    if reason in {"kicked", "banned"}:
        return (_("%(name)s 被 %(actor)s 移出群") if parts["actor"] else _("%(name)s 被移出群")) % parts
    return _("%(name)s 退群") % parts


def _updated(detail: Mapping[str, object], parts: dict[str, str]) -> str:
    field, new = str(detail.get("field") or ""), str(detail.get("new") or "")
    if field == "kind":
        return _("%(name)s 被标记为%(kind)s") % {**parts, "kind": label("kind", new)}
    if field == "role":
        return _("%(name)s 的群身份改为%(role)s") % {**parts, "role": label("role", new)}
    return _("%(name)s 改昵称为 %(new)s") % {**parts, "new": new or formats.NOTHING}


def _other(what: str, detail: Mapping[str, object], parts: dict[str, str]) -> str:
    match what:
        case "contact.added":
            return _("%(name)s 添加了员工为好友") % parts
        case "contact.removed" if detail.get("by") == "list":
            return _("导入的名单里，%(name)s 不是员工的好友") % parts
        case "contact.removed" if detail.get("by") == "correction":
            return _("撤销了导入：%(name)s 没有加过这位员工") % parts
        case "contact.removed":
            return _("%(name)s 与员工解除了好友") % parts
        case "link.clicked":
            return _("%(name)s 点击了链接 %(link)s") % {**parts, "link": str(detail.get("url") or detail.get("link_id") or "")}
        case "consent.changed":
            granted = bool(detail.get("granted"))
            return (_("%(name)s 给予了授权") if granted else _("%(name)s 撤回了授权")) % parts
        case "tag.changed":
            added, removed = detail.get("added") or (), detail.get("removed") or ()
            changed = [f"+{tag}" for tag in added] + [f"-{tag}" for tag in removed]  # type: ignore[attr-defined]  # lists of text
            return _("%(name)s 的标签变动：%(tags)s") % {**parts, "tags": " ".join(changed)}
        case "tier.moved":
            shown = {key: str(detail.get(key) or "") for key in ("scheme_title", "old_title", "new_title")}
            if not shown["old_title"]:
                return _("%(scheme_title)s：%(new_title)s") % shown
            return _("%(scheme_title)s：%(old_title)s → %(new_title)s") % shown
        case "reply.given":
            return _("%(staff)s 从应答台回复了 %(name)s") % {**parts, "staff": str(detail.get("staff") or "")}
        case "tag.put" | "tag.taken" | "attribute.set":
            return _known(what, detail, parts)
        case "group.charted":
            return _("群的定位已更新")
        case "identity.keyed" | "identity.linked" | "identity.unlinked":
            return _identity(what, detail, parts)
        case "group.dismissed":
            return _("群已解散")
        case "group.updated":
            return _("群资料已更新")
        case _:
            return _("%(name)s：%(what)s") % {**parts, "what": what}


def _known(what: str, detail: Mapping[str, object], parts: dict[str, str]) -> str:
    """Say what was learnt or decided; `title` and `shown` are how pages call the tag or attribute and its value."""
    kept = str(detail.get("kept") or "manual")
    title = str(detail.get("title") or detail.get("tag") or detail.get("attribute") or "")
    parts = {**parts, "title": title, "source": label("kept", kept), "shown": str(detail.get("shown") or formats.NOTHING)}
    if what == "attribute.set":
        if detail.get("value") is None:
            return _("%(name)s 的「%(title)s」被清除（%(source)s）") % parts
        return _("%(name)s 的「%(title)s」记为 %(shown)s（%(source)s）") % parts
    reason = str(detail.get("reason") or "")
    if what == "tag.put":
        said = _("%(name)s 打上标签「%(title)s」（%(source)s）") % parts
    else:
        said = _("%(name)s 取下标签「%(title)s」（%(source)s）") % parts
    return f"{said} · {reason}" if reason else said


def _identity(what: str, detail: Mapping[str, object], parts: dict[str, str]) -> str:
    if what == "identity.keyed":
        key = str(detail.get("key") or "")
        return _("知道了 %(name)s 的%(key)s（只存摘要）") % {**parts, "key": KEYS.get(key, key)}
    if what == "identity.linked":
        other = str(detail.get("other_platform_id") or "")
        return _("%(name)s 与账号 %(other)s 合并为同一位成员") % {**parts, "other": other}
    return _("%(name)s 的一条账号合并被拆开") % parts
