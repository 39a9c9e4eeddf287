"""Name the codes of the read models on screen, in the page's language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zlib import crc32

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from qunce.console import live_labels
from qunce.console.segment_labels import SEGMENTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.utils.functional import _StrPromise

PLATFORMS: Final[dict[str, _StrPromise | str]] = {
    "wecom": _("企业微信"), "wechat": _("微信"), "qq": "QQ", "telegram": "Telegram", "discord": "Discord",
    "slack": "Slack", "whatsapp": "WhatsApp", "feishu": _("飞书"), "dingtalk": _("钉钉"), "matrix": "Matrix",
    "mattermost": "Mattermost", "gitter": "Gitter", "irc": "IRC", "chatlab": "ChatLab", "generic": _("通用文件"),
    "messenger": "Messenger", "instagram": "Instagram", "signal": "Signal", "simulator": _("模拟社群"),
    "practice": _("演练群"), "webhook_in": "Webhook", "wecom_robot": _("企业微信群机器人"),
    "dingtalk_robot": _("钉钉群机器人"), "feishu_robot": _("飞书群机器人"), "mail": _("电子邮件"), "onebot11": "QQ",
    "order": _("订单文件"), "orders": _("订单文件"), "shop": _("商城"), "line": "LINE",
}  # fmt: skip

NAMES: Final[dict[str, dict[str, _StrPromise | str]]] = {
    "platform": PLATFORMS,
    "kind": {
        "member": pgettext_lazy("kind of person", "成员"), "staff": _("员工"), "bot": _("群机器人"),
        "house_persona": _("群马甲"), "system": _("系统"), "unknown": _("未标注"),
    },
    "kept": {
        "manual": _("人工"), "rule": pgettext_lazy("where knowledge came from", "规则"), "model": _("模型"),
        "import": _("导入"), "connector": _("平台同步"), "chat": _("聊天"),
    },
    "row_id": {
        "member_id": _("成员编号"), "account": _("平台账号"), "unionid": "unionid", "phone": _("手机号"),
        "external_userid": _("企业微信外部联系人 id"), "email": _("邮箱"), "crm": _("客户编号"),
    },
    "row_mistake": {
        "unknown": _("找不到这位成员"), "ambiguous": _("这个标识属于几位成员"), "twice": _("上面已有一行是同一位成员"),
        "contradiction": _("同一行的标识属于不同的成员"), "value": _("值不对"), "tag": _("没有这个标签"),
        "rivals": _("单选组里给了两个标签"), "key": _("标识格式不对"), "contact": _("好友信息看不懂"),
        "formula": _("内容像公式"), "bad_row": _("引号没有闭合"), "too_long": _("单元格太长"),
    },
    "target": {"member": pgettext_lazy("kind of person", "成员"), "membership": _("成员在群里"), "group": _("群")},
    "batch": {
        "attribute": _("改资料"), "tag.put": _("打标签"), "tag.take": _("取标签"), "rules": _("标签规则"),
        "proposals": _("采纳聊天资料"), "import": _("导入资料"),
    },
    "conv": {"group": _("群"), "direct": _("私聊"), "channel": _("频道")},
    "role": {"member": pgettext_lazy("role", "群成员"), "admin": _("群管理员"), "owner": _("群主")},
    "scene": {
        "invited": _("被邀请"), "invite_link": _("邀请链接"), "qr": _("扫码"), "join_way": _("群活码"),
        "approved": _("审批通过"), "self": _("自行加入"), "unknown": _("来源未知"), "": _("来源未知"),
    },
    "leave": {
        "left": _("自行退出"), "kicked": _("被移出"), "banned": _("被封禁"), "group_dismissed": _("群已解散"),
        "unknown": _("原因未知"), "": _("原因未知"),
    },
    "content": {
        "text": _("文字"), "image": _("图片"), "voice": _("语音"), "video": _("视频"), "file": _("文件"), "sticker": _("表情"),
        "link": _("链接"), "card": _("名片"), "location": _("位置"), "poll": _("投票"), "forward": _("转发"),
        "red_packet": _("红包"), "system": _("系统"), "other": _("其他"),
    },
    "order": {"created": _("待付款"), "paid": _("已付款"), "refunded": _("已退款"), "closed": _("已关闭")},
    "contact": {
        "no": _("没加好友"), "added": _("已加好友"), "pending": _("待通过"), "removed": _("加过又解除"), "none": _("没加好友"),
    },
    "contact_origin": {
        "callback": _("平台实时报告"), "poll": _("平台对账"), "archive": _("聊天存档"), "import": _("导入的名单"),
        "self": _("本系统"),
    },
    "contact_column": {"contact": _("是否已加好友，或添加人"), "contact_time": _("加好友的时间")},
    "link_by": {"key": _("自动合并"), "manual": _("人工合并"), "suggestion": _("采纳建议")},
    **live_labels.LIVE,
    **SEGMENTS,
    "deleted_by": {"author": _("本人撤回"), "moderator": _("管理员移除"), "unknown": _("已撤回"), "": _("已撤回")},
}  # fmt: skip

CONTENT_ICONS: Final = {
    "image": "photo", "voice": "microphone", "video": "video", "file": "file", "sticker": "sticker", "link": "link",
    "card": "cards", "location": "map-pin", "poll": "chart-bar-popular", "forward": "share", "red_packet": "gift",
    "system": "info-circle", "other": "dots", "text": "message",
}  # fmt: skip

UNITS: Final = {
    "people": _("人"), "messages": _("条"), "memberships": _("群成员身份"), "ratio": _("比例"), "orders": _("笔"),
    "minor": _("金额"), "seconds": _("时长"), "score": _("分，0 到 100"),
    "per_day": _("次（每人每天）"), "per_month": _("次（每人每 30 天）"),
}  # fmt: skip

ACTIONS: Final = {
    "session.opened": _("登录"), "session.closed": _("退出登录"), "session.locked": _("登录被暂停"),
    "staff.created": _("新建员工"), "staff.changed": _("修改员工"), "staff.scoped": _("修改员工的范围"),
    "staff.password_set": _("设定密码"), "member.flag": _("标记成员身份"), "group.set_community": _("修改群的社群"),
    "settings.changed": _("修改设置"), "secrets.rotate": _("更换加密密钥"), "import.run": _("导入"),
    "metric.exported": _("导出指标"),
    "member.merge": _("合并账号"), "member.unmerge": _("拆开账号"), "member.merge_refused": _("拒绝合并建议"),
    "member.merge_settings": _("修改合并规则"),
    "member.suggest": _("查找可合并的账号"), "member.several_exported": _("导出多群成员"),
    "member.contacts_exported": _("导出好友名单"),
    "profile.set": _("修改成员资料"), "profile.clear": _("清除成员资料"), "profile.tag.put": _("打标签"),
    "profile.tag.take": _("取标签"), "profile.undo": _("撤销资料改动"),
    "profile.rule": _("运行标签规则"),
    "profile.import": _("导入成员资料"), "profile.accept": _("采纳聊天资料"), "profile.refuse": _("拒绝聊天资料"),
    "group.exported": _("导出社群名单"), "member.exported": _("导出成员名单"), **live_labels.ACTIONS,
}  # fmt: skip

_HUES: Final = ("blue", "teal", "violet", "amber", "pink", "green", "cyan", "orange")


def label(family: str, code: str) -> str:
    """Return the name of a code; an unknown code names itself."""
    return str(NAMES[family].get(code, code))


def unit_name(unit: str) -> str:
    """Return the name of a metric's unit."""
    return str(UNITS.get(unit, unit))


def action_name(action: str) -> str:
    """Return the name of an audited action; one without a name here names itself."""
    return str(ACTIONS.get(action, action))


def hue(name: object) -> str:
    """Return the avatar colour of a name or id, always the same for the same one."""
    return _HUES[crc32(str(name).encode("utf-8", "replace")) % len(_HUES)]


def common_start(names: Sequence[str]) -> int:
    """Return how many characters all names begin with alike; groups of one brand often share its name."""
    if len(names) < 3:
        return 0
    least, most = min(names), max(names)
    return next((at for at, (one, other) in enumerate(zip(least, most, strict=False)) if one != other), len(least))


def initial(name: str, skip: int = 0) -> str:
    """Return what stands in an avatar: the first letter of a name after `skip` characters, else of the whole name."""
    for char in name[skip:] + name:
        if char.isalnum():
            return char.upper()
    return "#"
