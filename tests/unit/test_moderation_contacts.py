"""Contacts and links, plain and in disguise; numbers that are none."""

from __future__ import annotations

import pytest

from qunce.domain.events import MessageCreated, Part
from qunce.engine.moderation import contacts, links
from qunce.engine.text.views import Views

CONTACTS = {
    "a mobile number": ("打 13800138000 给我", [("phone", "13800138000")]),
    "with separators": ("138-0013-8000", [("phone", "138-0013-8000")]),
    "in Chinese numerals": ("一三八零零一三八零零零", [("phone", "一三八零零一三八零零零")]),
    "in circled and full-width digits": ("①３８⓪⓪①③８０００", [("phone", "①３８⓪⓪①③８０００")]),
    "with letters that look like digits": ("l38OO138OOO", [("phone", "l38OO138OOO")]),
    "a QQ number with its sign": ("加扣 66881199", [("qq", "66881199")]),
    "a QQ group": ("裙号：６６８８１１９９", [("qq", "６６８８１１９９")]),
    "a QQ mail": ("发到 123456789@qq.com", [("qq", "123456789"), ("email", "123456789@qq.com")]),
    "a WeChat id": ("微信号：abc_12345", [("wechat", "abc_12345")]),
    "a WeChat id behind look-alikes": ("嶶信 abc12345", [("wechat", "abc12345")]),
    "vx with spaces": ("v x : a b c 1 2 3 4 5", [("wechat", "a b c 1 2 3 4 5")]),
    "a WeChat id of letters only": ("加我微信 wangxiaoming", [("wechat", "wangxiaoming")]),
    "no number at all": ("大家好", []),
    "an order number": ("订单 202601011234567890", []),
    "prices in a row": ("价格 128 256 512 1024 元", []),
    "an identity card": ("110101199001011234", []),
    "a time": ("2026-01-05 09:30:00", []),
    "an English sentence about WeChat": ("wechat payment is down", []),
    "a version": ("vx 对比", []),
}


@pytest.mark.parametrize("name", CONTACTS)
def test_contacts(name: str) -> None:
    text, expected = CONTACTS[name]
    views = Views(text)
    assert [(kind, views.text[start:end]) for kind, start, end in contacts.find(views)] == expected


LINKS = {
    "with scheme": ("看 https://www.Example.com/a?b=c", ["www.example.com"]),
    "without scheme": ("去 example.com 看", ["example.com"]),
    "in full width": ("ｈｔｔｐ：／／ｅｖｉｌ．ｃｏｍ", ["evil.com"]),
    "with Chinese dots": ("evil。com", ["evil.com"]),
    "with the word for dot": ("evil点com", ["evil.com"]),
    "with spaces": ("evil . com", ["evil.com"]),
    "percent-encoded": ("https://%65vil.com/x", ["evil.com"]),
    "with user and port": ("http://a:b@evil.com:8080/", ["evil.com"]),
    "two of them": ("a.com b.cn a.com", ["a.com", "b.cn"]),
    "a file name": ("见附件 report.docx", []),
    "a decimal": ("3.14 和 9.com9", []),
    "an e-mail address": ("me@example.com", []),
    "a sentence without a space": ("好的.谢谢", []),
    "a time of day": ("三点半见", []),
}


@pytest.mark.parametrize("name", LINKS)
def test_links(name: str) -> None:
    text, expected = LINKS[name]
    assert [host for host, _, _ in links.find(Views(text))] == expected


def test_links_in_cards_are_found_without_a_place_in_the_text() -> None:
    message = MessageCreated(message_id="1", text="看看", content=(Part(type="card", text="好物", url="https://evil.com/x"),))
    assert links.find(Views("看看"), message.content) == [("evil.com", 0, 0)]


@pytest.mark.parametrize(
    ("host", "hosts", "inside"),
    [("a.evil.com", ("evil.com",), True), ("evil.com", ("evil.com",), True), ("notevil.com", ("evil.com",), False)],
)
def test_hosts_below_a_host(host: str, hosts: tuple[str, ...], inside: bool) -> None:
    assert links.under(host, hosts) == inside


@pytest.mark.parametrize(
    ("url", "host"), [("https://[::1]/", None), ("javascript:alert(1)", None), ("", None), ("//x.com/a", None)]
)
def test_urls_without_a_host_name(url: str, host: str | None) -> None:
    assert links.host_of(url) == host
