"""What the QR codes in pictures say, as rules see it: links, contacts, and codes that lead outside."""

from __future__ import annotations

import pytest

from qunce.engine import core
from qunce.playbook.explain import explain_rule
from qunce.playbook.load import Loaded, parse
from qunce.testing.scenario import play

OUTSIDE = "{check: qr, allow_hosts: [example.com]}"


def loaded(check: str) -> Loaded:
    return parse(
        {
            "playbook.yaml": f"""schema_version: 1
playbook: {{playbook_id: test, title: 测试}}
rules:
  - {{rule_id: r, title: 码, category: ads, reason: 请看, mode: suggest, when: [{check}]}}
"""
        }
    )


@pytest.mark.parametrize(
    ("check", "line", "holds"),
    [
        (OUTSIDE, "[qr https://u.wechat.com/kP2]", True),
        (OUTSIDE, "看看这个 [qr https://u.wechat.com/kP2]", True),
        (OUTSIDE, "[qr weixin://wxpay/bizpayurl?pr=1]", True),
        (OUTSIDE, "[qr 加我]", True),
        (OUTSIDE, "[qr https://shop.example.com/a]", False),
        (OUTSIDE, "[qr https://example.com.evil.cn/a]", True),
        (OUTSIDE, "[image]", False),
        (OUTSIDE, "https://u.wechat.com/kP2", False),
        ("{check: qr}", "[qr https://shop.example.com/a]", True),
        ("{check: link, allow_hosts: [example.com]}", "[qr https://u.wechat.com/kP2]", True),
        ("{check: link, allow_hosts: [example.com]}", "[qr https://shop.example.com/a]", False),
        ("{check: contact, kinds: [phone]}", "[qr tel:13800138000]", True),
        ("{check: contact, kinds: [wechat]}", "[qr 加微信 abc12345]", True),
        ("{check: contact, kinds: [wechat]}", "[qr tel:13800138000]", False),
    ],
)
def test_rules_see_what_codes_say(check: str, line: str, holds: bool) -> None:
    runner = play(core.compile_rules(loaded(check)), f"小红: {line}" + ("\n  => review r suggest" if holds else ""))
    assert len(runner.decisions) == holds


def test_the_rule_is_said_in_a_sentence() -> None:
    playbook = loaded(OUTSIDE).playbook
    assert "图片里有二维码（指向 example.com 的除外）" in explain_rule(playbook.rules[0], playbook)
    assert "a picture holds a QR code (not to example.com)" in explain_rule(playbook.rules[0], playbook, "en")
