"""The three group robots: what exactly is sent, and that it is signed as the platforms say."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from qunce.connectors.base import Connector
from qunce.connectors.dingtalk_robot import connector as dingtalk
from qunce.connectors.errors import Permanent
from qunce.connectors.feishu_robot import connector as feishu
from qunce.connectors.robot import first_line
from qunce.connectors.wecom_robot import connector as wecom
from qunce.domain.commands import Content, SendMessage
from tests.unit.connectors.harness import NOW_MS, Clock, web

MENTIONS = ("wangqing", "@all")


class Platform:
    """Takes everything and remembers it."""

    def __init__(self, taken: object) -> None:
        self._taken = taken
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(200, json=self._taken)

    def body(self) -> Any:
        return json.loads(self.requests[-1].content)


def make_wecom(platform: Platform) -> Connector:
    return wecom.wecom_robot(wecom.WecomRobotSettings(name="r1", conv_id="g", key="KEY"), web(platform), Clock().life())


def make_dingtalk(platform: Platform) -> Connector:
    settings = dingtalk.DingtalkRobotSettings(name="r1", conv_id="g", access_token="TOKEN", secret="SECsecretsecret")
    return dingtalk.dingtalk_robot(settings, web(platform), Clock().life())


def make_feishu(platform: Platform) -> Connector:
    settings = feishu.FeishuRobotSettings(name="r1", conv_id="g", hook="HOOK", secret="feishusecret")
    return feishu.feishu_robot(settings, web(platform), Clock().life())


MAKERS: list[tuple[Callable[[Platform], Connector], object]] = [
    (make_wecom, {"errcode": 0, "errmsg": "ok"}),
    (make_dingtalk, {"errcode": 0, "errmsg": "ok"}),
    (make_feishu, {"code": 0, "msg": "success", "StatusCode": 0}),
]


def test_the_signatures_are_those_of_an_independent_tool() -> None:
    # printf '1700000000000\nSECsecretsecret' | openssl dgst -sha256 -hmac SECsecretsecret -binary | base64
    assert dingtalk.sign("SECsecretsecret", 1_700_000_000_000) == "+1hgPWTHCAX31tnbGM4u5xvluLyNohof59bS5ejUV2M="
    # printf '' | openssl dgst -sha256 -hmac "$(printf '1700000000\nfeishusecret')" -binary | base64
    assert feishu.sign("feishusecret", 1_700_000_000) == "5Wc8F8b2vZlNjoVFpK6BAaovMobglP4Rm1FzmEq/rCU="


async def test_wecom_gets_key_text_and_mentions() -> None:
    platform = Platform({"errcode": 0})
    await make_wecom(platform).send("g", Content(text="今晚八点", mentions=MENTIONS), idem_key="k")
    assert str(platform.requests[0].url) == "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=KEY"
    assert platform.body() == {"msgtype": "text", "text": {"content": "今晚八点", "mentioned_list": ["wangqing", "@all"]}}
    await make_wecom(platform).send("g", Content(text="**八点**", format="markdown", mentions=("w",)), idem_key="k")
    assert platform.body() == {"msgtype": "markdown", "markdown": {"content": "<@w> **八点**"}}


async def test_dingtalk_gets_a_signed_address() -> None:
    platform = Platform({"errcode": 0})
    await make_dingtalk(platform).send("g", Content(text="今晚八点", mentions=MENTIONS), idem_key="k")
    params = platform.requests[0].url.params
    assert params["access_token"] == "TOKEN"
    assert params["timestamp"] == str(NOW_MS)
    assert params["sign"] == dingtalk.sign("SECsecretsecret", NOW_MS)
    assert b"%2B" in platform.requests[0].url.query or "+" not in params["sign"], "plus signs are escaped"
    at = {"atUserIds": ["wangqing"], "isAtAll": True}
    assert platform.body() == {"msgtype": "text", "text": {"content": "今晚八点"}, "at": at}
    await make_dingtalk(platform).send("g", Content(text="# 活动\n八点", format="markdown", mentions=("w",)), idem_key="k")
    assert platform.body()["markdown"] == {"title": "活动", "text": "@w # 活动\n八点"}


def test_people_are_called_by_phone_where_the_platform_can() -> None:
    content = Content(text="好", mentions=("tel:+8613800000000", "wangqing"))
    assert wecom.body_of(content)["text"] == {
        "content": "好", "mentioned_list": ["wangqing"], "mentioned_mobile_list": ["+8613800000000"],
    }  # fmt: skip
    assert dingtalk.body_of(content)["at"] == {"atUserIds": ["wangqing"], "isAtAll": False, "atMobiles": ["13800000000"]}
    assert feishu.body_of(content)["content"]["text"] == '<at user_id="wangqing"></at> 好'


async def test_feishu_gets_a_signed_body() -> None:
    platform = Platform({"code": 0})
    await make_feishu(platform).send("g", Content(text="今晚八点", mentions=MENTIONS), idem_key="k")
    assert str(platform.requests[0].url) == "https://open.feishu.cn/open-apis/bot/v2/hook/HOOK"
    body = platform.body()
    assert body.pop("timestamp") == str(NOW_MS // 1000)
    assert body.pop("sign") == feishu.sign("feishusecret", NOW_MS // 1000)
    text = '<at user_id="wangqing"></at> <at user_id="all"></at> 今晚八点'
    assert body == {"msg_type": "text", "content": {"text": text}}
    await make_feishu(platform).send("g", Content(text="**八点**", format="markdown"), idem_key="k")
    assert platform.body()["card"] == {"elements": [{"tag": "markdown", "content": "**八点**"}]}


@pytest.mark.parametrize(("make", "taken"), MAKERS)
async def test_a_taken_message_is_told_as_our_own_and_once_for_its_key(
    make: Callable[[Platform], Connector], taken: object
) -> None:
    robot = make(Platform(taken))
    command = SendMessage(conv_id="g", content=Content(text="好"))
    first, again = [(await robot.act(command, idem_key="k")).events[0] for _ in range(2)]
    assert first.dedupe_key == again.dedupe_key
    assert first.source.origin == "self"
    assert first.conv is not None
    assert first.conv.platform_id == "g"


@pytest.mark.parametrize(
    ("conv", "text", "code"),
    [("g", " \n", "empty"), ("other", "好", "wrong_group"), ("g", "好" * 50_000, "too_long")],
    ids=["an empty text", "another group", "a text beyond every limit"],
)
@pytest.mark.parametrize(("make", "taken"), MAKERS)
async def test_what_cannot_be_sent_is_refused_before_anything_is_sent(
    make: Callable[[Platform], Connector], taken: object, conv: str, text: str, code: str
) -> None:
    platform = Platform(taken)
    with pytest.raises(Permanent) as refused:
        await make(platform).send(conv, Content(text=text), idem_key="k")
    assert refused.value.code == code
    assert platform.requests == []


def test_a_title_is_the_first_line() -> None:
    assert first_line("## **活动**\n八点", 40) == "活动**"
    assert first_line("\n\n", 40) == "通知"
