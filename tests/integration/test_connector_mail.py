"""E-mail against a server that speaks SMTP: what it is told, and what each of its answers means."""

from __future__ import annotations

import email
import email.policy
import socketserver
import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import pytest

from qunce.connectors.errors import AuthFailed, ConnectorError, Permanent, Retryable, UnknownOutcome
from qunce.connectors.mail.connector import Mail, MailSettings
from qunce.domain.commands import Content
from tests.unit.connectors.harness import Clock

NOTICE = "【应答提醒】「一群」有一条提问等了5 分钟还没有人回复。\nhttps://q.example/desk/7"


class Server(socketserver.ThreadingTCPServer):
    """Takes mail for one test, and answers a command as it is told to."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, answers: dict[str, str], *, mute_after: str = "") -> None:
        super().__init__(("127.0.0.1", 0), Session)
        self.answers = answers
        self.mute_after = mute_after
        self.heard: list[str] = []
        self.taken: list[str] = []


class Session(socketserver.StreamRequestHandler):
    """One conversation."""

    def handle(self) -> None:
        server = cast("Server", self.server)
        self._say("220 here")
        while line := self.rfile.readline().decode().strip():
            server.heard.append(line)
            verb = line.split()[0].upper()
            if verb == "DATA" and verb not in server.answers:
                self._say("354 go on")
                lines = iter(self.rfile.readline, b".\r\n")
                server.taken.append(b"".join(lines).decode())
                verb = "TEXT"
            if verb == server.mute_after:
                return
            usual = {"EHLO": "250-here\r\n250 AUTH PLAIN", "AUTH": "235 welcome"}.get(verb, "250 fine")
            self._say(server.answers.get(verb, usual))

    def _say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())


@contextmanager
def serving(answers: dict[str, str] | None = None, *, mute_after: str = "") -> Iterator[Server]:
    with Server(answers or {}, mute_after=mute_after) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def mail(server: Server) -> Mail:
    port = server.server_address[1]
    return Mail(MailSettings(host="127.0.0.1", port=port, sender="qunce@shop.example", security="none"), Clock().life())


async def test_the_notice_arrives_with_its_first_line_as_subject() -> None:
    with serving() as server:
        receipt = await mail(server).send("lili@shop.example", Content(text=NOTICE), idem_key="k1")
    (taken,) = server.taken
    message = email.message_from_string(taken, policy=email.policy.default)
    assert (message["From"], message["To"]) == ("qunce@shop.example", "lili@shop.example")
    assert message["Subject"] == NOTICE.split("\n")[0]
    assert message["Message-ID"] == "<k1@shop.example>" == receipt.platform_id
    assert message.get_content().splitlines() == NOTICE.splitlines()
    assert "rcpt TO:<lili@shop.example>" in server.heard


@pytest.mark.parametrize(
    ("answers", "error", "code"),
    [
        pytest.param({"RCPT": "550 nobody here"}, Permanent, "550", id="an unknown address"),
        pytest.param({"RCPT": "451 try later"}, Retryable, "451", id="a server that asks for patience"),
        pytest.param({"MAIL": "553 not you"}, Permanent, "553", id="a sender that may not"),
        pytest.param({"DATA": "452 full"}, Retryable, "452", id="no room, said before the words"),
        pytest.param({"TEXT": "554 spam"}, Permanent, "554", id="words that are refused"),
        pytest.param({"TEXT": "451 later"}, Retryable, "451", id="words that are refused for the moment"),
    ],
)
async def test_what_the_server_answers_is_what_we_do(answers: dict[str, str], error: type[ConnectorError], code: str) -> None:
    with serving(answers) as server, pytest.raises(error) as refused:
        await mail(server).send("lili@shop.example", Content(text="好"), idem_key="k")
    assert refused.value.code == code


async def test_an_answer_lost_after_the_words_leaves_it_unknown_and_one_before_them_does_not() -> None:
    with serving(mute_after="TEXT") as server, pytest.raises(UnknownOutcome):
        await mail(server).send("lili@shop.example", Content(text="好"), idem_key="k")
    assert len(server.taken) == 1
    with serving(mute_after="RCPT") as server, pytest.raises(Retryable):
        await mail(server).send("lili@shop.example", Content(text="好"), idem_key="k")
    with pytest.raises(Retryable) as gone:
        await mail(server).send("lili@shop.example", Content(text="好"), idem_key="k")
    assert gone.value.code == "unreachable"


async def test_it_signs_in_only_over_tls_and_says_when_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Permanent):
        Mail(MailSettings(host="h", sender="nobody"), Clock().life())
    settings = MailSettings(host="127.0.0.1", sender="q@h.example", security="starttls", password="secret")
    with serving() as server, pytest.raises(Permanent) as open_line:
        await Mail(_at(settings, server), Clock().life()).send("a@b.example", Content(text="好"), idem_key="k")
    assert open_line.value.code == "no_tls", "a server without STARTTLS is told no password"
    assert not any(line.upper().startswith("AUTH") for line in server.heard)
    monkeypatch.setattr("smtplib.SMTP.starttls", lambda self, context: (220, b""))
    with serving() as server:
        await Mail(_at(settings, server), Clock().life()).send("a@b.example", Content(text="好"), idem_key="k")
    (signed,) = [line for line in server.heard if line.startswith("AUTH PLAIN")]
    assert b64decode(signed.split()[-1]) == b"\0q@h.example\0secret"
    with serving({"AUTH": "535 no"}) as server, pytest.raises(AuthFailed):
        await Mail(_at(settings, server), Clock().life()).send("a@b.example", Content(text="好"), idem_key="k")


def _at(settings: MailSettings, server: Server) -> MailSettings:
    return MailSettings(
        host=settings.host, port=server.server_address[1], sender=settings.sender, security=settings.security,
        password=settings.password,
    )  # fmt: skip


@pytest.mark.parametrize("address", ["", "lili", "a@b\nBcc: all@b", "a b@c", "a@b,c@d"])
async def test_what_is_no_address_is_refused_before_anybody_is_asked(address: str) -> None:
    with serving() as server, pytest.raises(Permanent):
        await mail(server).send(address, Content(text="好"), idem_key="k")
    assert server.heard == []
