"""Tables of the staff: people, their scopes, and the audit of what they did."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """What a member of staff is here for; `permissions.py` says what each may do."""

    ADMIN = "admin", _("系统管理员")
    SUPERVISOR = "supervisor", _("群督导")
    EXECUTOR = "executor", _("群执行")
    MANAGER = "manager", _("群管理")
    EXPERT = "expert", _("专家")
    SUPPORT_AGENT = "support_agent", _("客服")
    HOST = "host", _("主持人")
    SHOP_GUIDE = "shop_guide", _("导购")
    ANALYST = "analyst", _("数据分析")


class StaffManager(BaseUserManager["Staff"]):
    """Make staff rows; use cases with permission and audit are in `staff.py`."""

    def create_user(self, username: str, password: str | None = None, **fields: object) -> Staff:
        """Create one member of staff; `password=None` means nobody can sign in yet."""
        staff = self.model(username=Staff.normalize_username(username), **fields)
        staff.set_password(password)
        staff.save(using=self._db)
        return staff


class Staff(AbstractBaseUser):
    """One person who works here and may sign in. Never deleted, only made inactive: the audit names them."""

    username = models.CharField(
        _("登录名"), max_length=64, unique=True, validators=[UnicodeUsernameValidator()],
        error_messages={"unique": _("这个登录名已被使用。")},
    )  # fmt: skip
    display_name = models.CharField(_("姓名"), max_length=64, blank=True)
    role = models.CharField(_("角色"), max_length=16, choices=Role.choices, default=Role.MANAGER)
    is_active = models.BooleanField(_("可登录"), default=True)
    language = models.CharField(_("语言"), max_length=8, blank=True)
    """Language of the console, such as `en`; empty = as the browser asks."""
    email = models.EmailField(_("邮箱"), blank=True)
    """Where alarms reach them that name them in `notify`; empty = nowhere."""
    mobile = models.CharField(_("手机号"), max_length=20, blank=True, validators=[RegexValidator(r"^\+?[0-9]{5,19}$")])
    """By which robots of WeCom and DingTalk call them in their group; empty = they do not."""
    last_seen = models.DateTimeField(_("最近使用"), null=True, blank=True)
    """Last request, exact to the minute; None = never."""
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[StaffManager] = StaffManager()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        ordering = ("username",)

    def __str__(self) -> str:
        return self.display_name or self.username


class StaffScope(models.Model):
    """One community or one group a member of staff may see. Ids are plain numbers: accounts knows no read models.

    No rows at all means everything for the roles in `permissions.UNSCOPED_ROLES`, and nothing for the others.
    """

    staff = models.ForeignKey(Staff, on_delete=models.CASCADE, related_name="scopes")
    community_id = models.BigIntegerField(null=True, blank=True)
    group_id = models.BigIntegerField(null=True, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="staffscope_exactly_one",
                condition=models.Q(community_id__isnull=True, group_id__isnull=False)
                | models.Q(community_id__isnull=False, group_id__isnull=True),
            ),
            models.UniqueConstraint(name="staffscope_community", fields=("staff", "community_id")),
            models.UniqueConstraint(name="staffscope_group", fields=("staff", "group_id")),
        )

    def __str__(self) -> str:
        return f"group {self.group_id}" if self.group_id else f"community {self.community_id}"


class AuditEntry(models.Model):
    """One thing somebody did. Append-only; each entry's hash covers the one before it (see `audit.py`)."""

    at = models.DateTimeField()
    actor = models.ForeignKey(Staff, null=True, on_delete=models.PROTECT, related_name="+")
    """None = the system itself."""
    action = models.CharField(max_length=64)
    target_type = models.CharField(max_length=32, blank=True)
    target_id = models.CharField(max_length=64, blank=True)
    details = models.TextField(blank=True)
    """Canonical JSON of `before`, `after` and a salt. Ids and settings only, never message text. Empty = shredded."""
    details_hash = models.CharField(max_length=64)
    prev_hash = models.CharField(max_length=64, unique=True)
    hash = models.CharField(max_length=64, unique=True)

    class Meta:
        indexes = (
            models.Index(name="audit_action", fields=("action", "-id")),
            models.Index(name="audit_target", fields=("target_type", "target_id", "-id")),
        )

    def __str__(self) -> str:
        return f"{self.action} {self.target_type} {self.target_id}".strip()


class AuditHead(models.Model):
    """The end of the audit chain, one row: the lock that keeps the chain single, and proof that no tail was cut off."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    entries = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"{self.entries} entries"
