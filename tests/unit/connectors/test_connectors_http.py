"""Bad days on the way to a platform: what each of them means for a message that was to be sent."""

from __future__ import annotations

import logging
from collections.abc import Callable

import httpx
import pytest

from qunce.connectors import http
from qunce.connectors.base import Connector
from qunce.connectors.dingtalk_robot.connector import DingtalkRobotSettings, dingtalk_robot
from qunce.connectors.errors import AuthFailed, ConnectorError, Permanent, Retryable, UnknownOutcome
from qunce.connectors.feishu_robot.connector import FeishuRobotSettings, feishu_robot
from qunce.connectors.matrix.api import MatrixSettings
from qunce.connectors.matrix.connector import Matrix
from qunce.connectors.telegram.api import TelegramSettings
from qunce.connectors.telegram.connector import Telegram
from qunce.connectors.wecom_robot.connector import WecomRobotSettings, wecom_robot
from qunce.domain.commands import Content
from tests.unit.connectors.harness import Clock, web

SECRET = "tell-nobody-this-secret"
Handler = Callable[[httpx.Request], httpx.Response]


def matrix(client: httpx.AsyncClient) -> Connector:
    return Matrix(MatrixSettings(homeserver="https://h.example", user_id="@q:h", token=SECRET), client, Clock().life())


def telegram(client: httpx.AsyncClient) -> Connector:
    return Telegram(TelegramSettings(token=f"99:{SECRET}"), client, Clock().life())


def wecom(client: httpx.AsyncClient) -> Connector:
    return wecom_robot(WecomRobotSettings(name="x", conv_id="g", key=SECRET), client, Clock().life())


def dingtalk(client: httpx.AsyncClient) -> Connector:
    settings = DingtalkRobotSettings(name="x", conv_id="g", access_token=SECRET, secret=SECRET)
    return dingtalk_robot(settings, client, Clock().life())


def feishu(client: httpx.AsyncClient) -> Connector:
    return feishu_robot(FeishuRobotSettings(name="x", conv_id="g", hook=SECRET, secret=SECRET), client, Clock().life())


KEYED, KEYLESS = [matrix], [telegram, wecom, dingtalk, feishu]
ALL = KEYED + KEYLESS


def answer(status: int, body: object = None, headers: dict[str, str] | None = None) -> Handler:
    def handle(_request: httpx.Request) -> httpx.Response:
        if isinstance(body, (str, bytes)):
            return httpx.Response(status, content=body, headers=headers)
        return httpx.Response(status, json=body, headers=headers)

    return handle


def breaks(error: type[httpx.TransportError]) -> Handler:
    def handle(request: httpx.Request) -> httpx.Response:
        raise error("broken", request=request)

    return handle


async def failure(make: Callable[[httpx.AsyncClient], Connector], handler: Handler) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        await make(web(handler)).send("g", Content(text="好"), idem_key="k")
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    return caught.value


UNKNOWN = [
    ("no answer in time", breaks(httpx.ReadTimeout)),
    ("the connection broke while the answer was read", breaks(httpx.RemoteProtocolError)),
    ("an inner error", answer(500, {})),
    ("a proxy without an answer", answer(502, "<html>bad gateway</html>")),
    ("garbage that claims to be well", answer(200, b"\xff\xfe{{{")),
    ("nothing at all", answer(200, b"")),
    ("a list instead of an object", answer(200, [1, 2])),
]
NEVER_SENT = [
    ("nobody listens", breaks(httpx.ConnectError)),
    ("no connection in time", breaks(httpx.ConnectTimeout)),
    ("too many requests", answer(429, {}, {"Retry-After": "7"})),
    ("not available", answer(503, "later", {"Retry-After": "7"})),
]


@pytest.mark.parametrize("handler", [case[1] for case in UNKNOWN], ids=[case[0] for case in UNKNOWN])
@pytest.mark.parametrize("make", KEYLESS)
async def test_without_a_key_of_ours_a_lost_answer_leaves_the_outcome_unknown(
    make: Callable[[httpx.AsyncClient], Connector], handler: Handler
) -> None:
    assert isinstance(await failure(make, handler), UnknownOutcome)


@pytest.mark.parametrize("handler", [case[1] for case in UNKNOWN], ids=[case[0] for case in UNKNOWN])
@pytest.mark.parametrize("make", KEYED)
async def test_with_a_key_of_ours_a_lost_answer_is_simply_asked_for_again(
    make: Callable[[httpx.AsyncClient], Connector], handler: Handler
) -> None:
    assert isinstance(await failure(make, handler), Retryable)


@pytest.mark.parametrize("handler", [case[1] for case in NEVER_SENT], ids=[case[0] for case in NEVER_SENT])
@pytest.mark.parametrize("make", ALL)
async def test_what_surely_was_not_taken_may_be_sent_again(
    make: Callable[[httpx.AsyncClient], Connector], handler: Handler
) -> None:
    error = await failure(make, handler)
    assert isinstance(error, Retryable)
    assert error.after_s in (None, 7)


PLATFORM = [
    (matrix, 429, {"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 2500}, Retryable, "M_LIMIT_EXCEEDED", 2.5),
    (matrix, 401, {"errcode": "M_UNKNOWN_TOKEN"}, AuthFailed, "M_UNKNOWN_TOKEN", None),
    (matrix, 403, {"errcode": "M_FORBIDDEN", "error": "user_level (-1) < send_level (0)"}, Permanent, "M_FORBIDDEN", None),
    (telegram, 429, {"ok": False, "error_code": 429, "parameters": {"retry_after": 33}}, Retryable, "429", 33),
    (telegram, 401, {"ok": False, "error_code": 401, "description": "Unauthorized"}, AuthFailed, "401", None),
    (telegram, 403, {"ok": False, "error_code": 403, "description": "bot was blocked"}, Permanent, "403", None),
    (telegram, 500, {"ok": False, "error_code": 500}, UnknownOutcome, "http_500", None),
    (telegram, 200, {"result": {}}, UnknownOutcome, "bad_answer", None),
    (wecom, 200, {"errcode": 45009, "errmsg": "api freq out of limit"}, Retryable, "45009", 60),
    (wecom, 200, {"errcode": 93000, "errmsg": "invalid webhook url"}, AuthFailed, "93000", None),
    (wecom, 200, {"errcode": 40058, "errmsg": "content too long"}, Permanent, "40058", None),
    (wecom, 200, {"errcode": -1, "errmsg": "system busy"}, Retryable, "-1", None),
    (wecom, 200, {}, UnknownOutcome, "bad_answer", None),
    (dingtalk, 200, {"errcode": 130101, "errmsg": "send too fast"}, Retryable, "130101", 600),
    (dingtalk, 200, {"errcode": 310000, "errmsg": "keywords not in content"}, Permanent, "310000", None),
    (dingtalk, 200, {"errcode": 300001, "errmsg": "token is not exist"}, AuthFailed, "300001", None),
    (dingtalk, 200, {"msg": "?"}, UnknownOutcome, "bad_answer", None),
    (feishu, 200, {"code": 11232, "msg": "too many request"}, Retryable, "11232", 60),
    (feishu, 200, {"code": 19021, "msg": "sign match fail"}, AuthFailed, "19021", None),
    (feishu, 400, {"code": 9499, "msg": "Bad Request"}, Permanent, "9499", None),
    (feishu, 200, {"data": {}}, UnknownOutcome, "bad_answer", None),
]


@pytest.mark.parametrize(("make", "status", "body", "kind", "code", "after_s"), PLATFORM)
async def test_a_platforms_own_errors_are_told_apart(
    make: Callable[[httpx.AsyncClient], Connector], status: int, body: object, kind: type, code: str, after_s: float | None
) -> None:
    error = await failure(make, answer(status, body))
    assert type(error) is kind
    assert error.code == code
    assert getattr(error, "after_s", None) == after_s


async def test_an_answer_without_end_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAX_BYTES", 1000)
    error = await failure(telegram, answer(200, b" " * 2000))
    assert isinstance(error, UnknownOutcome)
    assert error.code == "too_long"


@pytest.mark.parametrize("make", ALL)
async def test_no_secret_is_logged(make: Callable[[httpx.AsyncClient], Connector], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        await failure(make, answer(500, {}))
    assert "500" in caplog.text, "httpx logs its requests"
    assert SECRET not in caplog.text
