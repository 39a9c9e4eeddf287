"""Keep secrets (tokens, passwords of connections) encrypted in the database, with keys outside it.

The keys are lines of `secrets/field_keys` in the data folder, newest first: the first encrypts, all of them decrypt. A stolen
copy of the database alone reveals nothing. Losing the file loses the secrets: back it up, apart from the database.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.apps import apps
from django.conf import settings
from django.db import models, transaction

from qunce.accounts.errors import SecretUnreadable

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]  # generic in the stubs only
    """A text that is encrypted at rest. Cannot be searched. Reading raises SecretUnreadable when its key is gone."""

    def get_prep_value(self, value: Any) -> Any:
        """Encrypt on the way in; None and the empty text stay what they are."""
        return _cipher().encrypt(str(value).encode("utf-8")).decode("ascii") if value else value

    def from_db_value(self, value: str | None, expression: object, connection: BaseDatabaseWrapper) -> str | None:
        """Decrypt on the way out."""
        if not value:
            return value
        try:
            return _cipher().decrypt(value.encode("ascii")).decode("utf-8")
        except InvalidToken as error:
            raise SecretUnreadable(f"no key in the data folder opens {self.model.__name__}.{self.name}") from error


def count_secrets() -> tuple[int, int]:
    """Return how many secrets are stored and how many keys there are. Raises SecretUnreadable when a secret has no key."""
    found = sum(
        bool(value)
        for model in apps.get_models()
        for field in model._meta.local_concrete_fields
        if _is_secret(field)
        for value in model._default_manager.values_list(field.name, flat=True)
    )
    return found, len(_keys())


def rotate_keys(*, drop_old: bool = False) -> int:
    """Make a new key, encrypt every stored secret with it, and return how many there were.

    Raises SecretUnreadable, before anything is changed, when a secret has no key. A stop in between loses nothing: all keys are
    kept until the last secret is written.

    `drop_old` forgets the older keys afterwards; copies of the database made before can then not be read any more.
    """
    count_secrets()
    _write_keys([Fernet.generate_key().decode("ascii"), *_keys()])
    rotated = sum(
        _rotate(field) for model in apps.get_models() for field in model._meta.local_concrete_fields if _is_secret(field)
    )
    if drop_old:
        _write_keys(_keys()[:1])
    return rotated


def _is_secret(field: models.Field[Any, Any]) -> bool:
    return isinstance(field, EncryptedTextField)


def _rotate(field: models.Field[Any, Any]) -> int:
    rows = field.model._default_manager
    rotated = 0
    with transaction.atomic():
        for row in rows.select_for_update().exclude(**{f"{field.name}": ""}).exclude(**{f"{field.name}__isnull": True}):
            rotated += rows.filter(pk=row.pk).update(**{field.name: getattr(row, field.attname)})
    return rotated


def _keys() -> list[str]:
    return Path(settings.FIELD_KEYS_FILE).read_text("ascii").split()


def _write_keys(keys: list[str]) -> None:
    path = Path(settings.FIELD_KEYS_FILE)
    draft = path.with_name(path.name + ".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write("\n".join(keys) + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _cipher() -> MultiFernet:
    """Read at each use: a rotation by another process counts at once, and secrets are read seldom."""
    return MultiFernet([Fernet(key) for key in _keys()])
