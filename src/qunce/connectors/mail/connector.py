"""Send short notices by e-mail through a server of the operator's: one message to one address, sending only.

Source: RFC 5321 (SMTP) and RFC 4954 (signing in). A server that took the words answers 250 after them; when that answer is
lost, nobody knows.
"""

from __future__ import annotations

import asyncio
import re
import smtplib
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final, Literal

from qunce.connectors.base import Ability, Capabilities, Emit, abilities
from qunce.connectors.errors import AuthFailed, ConnectorError, Permanent, Retryable, UnknownOutcome, Unsupported
from qunce.connectors.pace import Life
from qunce.connectors.robot import first_line
from qunce.domain.commands import AnyCommand, Content, Receipt, SendMessage, capability_of

ANSWER_S: Final = 15.0
SUBJECT_CHARS: Final = 80
_ADDRESS: Final = re.compile(r"[^@\s<>,;:\"]{1,64}@[^@\s<>,;:\"]{1,255}")
_GREETING: Final = "[127.0.0.1]"
"""What we call ourselves: finding the name of this machine may take many seconds."""

CAPABILITIES: Final = Capabilities(
    kind="mail",
    zh="电子邮件",
    en="E-mail",
    abilities=abilities(
        "",
        Ability(
            name="message.send",
            how="automatic",
            zh="只用来通知同事：发到账号里填的邮箱，只写群名、情况和链接，不带成员的话",
            en="For telling colleagues only: to the address in their account, with the group, the matter and a link, "
            "never a member's words",
        ),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSettings:
    """One sender on one server."""

    host: str
    sender: str
    """Address that stands as the sender; it names the account in our events."""
    security: Literal["tls", "starttls", "none"] = "tls"
    """`none` only without a password: for a server on this machine or in the house."""
    port: int = 0
    """0 = the usual one: 465, 587 or 25."""
    username: str = ""
    """Empty = the sender's address, where there is a password."""
    password: str = field(default="", repr=False)
    """Empty = the server wants none."""


class Mail:
    """Sends through one server. SMTP takes no key: after a lost answer the outcome is unknown."""

    def __init__(self, settings: MailSettings, life: Life) -> None:
        """Raises Permanent for a sender that is no address, AuthFailed for a password that would travel in the open."""
        if _ADDRESS.fullmatch(settings.sender) is None:
            raise Permanent("bad_address", "the sender is no e-mail address")
        if settings.security == "none" and settings.password:
            raise AuthFailed("open_password", "a password needs tls or starttls")
        self._settings = settings
        self._life = life

    @property
    def capabilities(self) -> Capabilities:
        """Return what it can do."""
        return CAPABILITIES

    async def run(self, emit: Emit, since: str | None) -> None:
        """Return at once: nothing is read."""

    async def send(self, conv_id: str, content: Content, *, idem_key: str) -> Receipt:
        """Send to the address `conv_id`; the first line is the subject."""
        if _ADDRESS.fullmatch(conv_id) is None:
            raise Permanent("bad_address", "this is no e-mail address")
        if not content.text.strip():
            raise Permanent("empty", "there is no text")
        message = self._message(conv_id, content.text, idem_key)
        await asyncio.to_thread(self._deliver, message, conv_id)
        return Receipt(platform_id=str(message["Message-ID"]))

    async def act(self, command: AnyCommand, *, idem_key: str) -> Receipt:
        """Send; everything else is not for mail."""
        if not isinstance(command, SendMessage):
            raise Unsupported(capability_of(command))
        return await self.send(command.conv_id, command.content, idem_key=idem_key)

    def _message(self, to: str, text: str, idem_key: str) -> EmailMessage:
        message = EmailMessage(policy=SMTP)
        message["Subject"] = first_line(text, SUBJECT_CHARS)
        message["From"], message["To"] = self._settings.sender, to
        message["Date"] = format_datetime(datetime.fromtimestamp(self._life.now_ms() / 1_000, UTC))
        message["Message-ID"] = f"<{idem_key}@{self._settings.sender.partition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"  # nobody's holiday notice answers it
        message.set_content(text)
        return message

    def _deliver(self, message: EmailMessage, to: str) -> None:
        """Say it to the server. Blocks: for a thread of its own."""
        try:
            server = self._connect()
        except (OSError, smtplib.SMTPException) as error:
            raise _refused(error, "unreachable") from None
        try:
            self._converse(server, message, to)
        finally:
            server.close()

    def _connect(self) -> smtplib.SMTP:
        settings, context = self._settings, ssl.create_default_context()
        port = settings.port or {"tls": 465, "starttls": 587, "none": 25}[settings.security]
        if settings.security == "tls":
            return smtplib.SMTP_SSL(settings.host, port, _GREETING, timeout=ANSWER_S, context=context)
        server = smtplib.SMTP(settings.host, port, _GREETING, timeout=ANSWER_S)
        if settings.security == "starttls":
            try:
                server.starttls(context=context)
            except BaseException:
                server.close()
                raise
        return server

    def _converse(self, server: smtplib.SMTP, message: EmailMessage, to: str) -> None:
        settings = self._settings
        try:
            if settings.password:
                server.login(settings.username or settings.sender, settings.password)
            server.ehlo_or_helo_if_needed()
            for code, words in (server.mail(settings.sender), server.rcpt(to)):
                if code >= 400:
                    raise smtplib.SMTPResponseException(code, words)
        except (OSError, smtplib.SMTPException) as error:
            raise _refused(error, "hung_up") from None
        try:
            code, words = server.data(message.as_bytes())
        except smtplib.SMTPResponseException as error:
            raise _refused(error, "hung_up") from None
        except (OSError, smtplib.SMTPException) as error:
            raise UnknownOutcome("no_answer", type(error).__name__) from None
        if code >= 400:
            raise _refused(smtplib.SMTPResponseException(code, words), "")


def _refused(error: Exception, lost: str) -> ConnectorError:
    """Return what an error before the words were said means; `lost` = the code when the server did not answer at all."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return AuthFailed(str(error.smtp_code))
    if isinstance(error, smtplib.SMTPResponseException):
        return (Permanent if error.smtp_code >= 500 else Retryable)(str(error.smtp_code))
    if isinstance(error, ssl.SSLError | smtplib.SMTPNotSupportedError):
        return Permanent("no_tls", type(error).__name__)
    return Retryable(lost, type(error).__name__)
