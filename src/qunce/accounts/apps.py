from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "qunce.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Start listening to sign-ins."""
        from qunce.accounts.signing_in import connect

        connect()
