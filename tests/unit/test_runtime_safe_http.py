"""Typed-in addresses reach public hosts only, whatever their spelling, and exactly the address that was checked."""

import ipaddress
from collections.abc import Sequence
from typing import Any

import httpcore
import httpx
import pytest

from qunce.runtime.safe_http import AddressForbidden, SafeTransport, is_public, safe_client

PUBLIC = ["1.1.1.1", "114.114.114.114", "2400:3200::1", "2606:4700:4700::1111"]
NOT_PUBLIC = [
    "127.0.0.1", "10.0.0.1", "172.16.3.4", "192.168.1.1", "0.0.0.0", "255.255.255.255",
    "169.254.169.254", "100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.8", "192.88.99.1",
    "198.18.0.1", "224.0.0.1", "240.0.0.1",
    "::1", "::", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "ff02::1",
    "::ffff:127.0.0.1", "::7f00:1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001:0:1::1", "2001:db8::1",
    "localhost", "2130706433", "0x7f000001", "127.1", "0177.0.0.1", "",
]  # fmt: skip
ANSWER = [b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 2\r\n\r\n", b"ok"]


class Wire(httpcore.AsyncMockBackend):
    """A network that answers every connection alike and remembers where it was asked to connect."""

    def __init__(self) -> None:
        super().__init__(list(ANSWER))
        self.called: list[str] = []
        self.dead: set[str] = set()

    async def connect_tcp(self, host: str, port: int, *args: Any, **kwargs: Any) -> httpcore.AsyncNetworkStream:
        self.called.append(host)
        if host in self.dead:
            raise httpcore.ConnectError("refused")
        return await super().connect_tcp(host, port)


class Names:
    """A resolver that may answer differently each time."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        if not self.answers:
            raise OSError("unknown")
        return self.answers.pop(0)


async def _get(wire: Wire, names: Names, url: str = "http://hook.example/x", **options: Any) -> httpx.Response:
    transport = SafeTransport(resolve=names, inner=wire, **options)
    async with httpx.AsyncClient(transport=transport, trust_env=False) as client:
        return await client.get(url)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


async def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    wire = Wire()
    response = await _get(wire, Names(["1.1.1.1"], ["127.0.0.1"]))
    assert wire.called == ["1.1.1.1"]
    assert response.status_code == 302


@pytest.mark.parametrize(
    "answer",
    [["127.0.0.1"], ["1.1.1.1", "10.0.0.1"], ["::ffff:10.0.0.1"], []],
    ids=["a private address", "a private address beside a public one", "a mapped private address", "no address"],
)
async def test_a_name_that_leads_inside_is_not_called(answer: list[str]) -> None:
    wire = Wire()
    with pytest.raises(AddressForbidden, match=r"hook\.example does not lead to a public address"):
        await _get(wire, Names(answer))
    assert wire.called == []


async def test_a_network_of_ones_own_can_be_allowed() -> None:
    wire = Wire()
    await _get(wire, Names(["10.1.2.3"]), allowed=[ipaddress.ip_network("10.1.0.0/16")])
    assert wire.called == ["10.1.2.3"]
    with pytest.raises(AddressForbidden):
        await _get(wire, Names(["10.2.0.1"]), allowed=[ipaddress.ip_network("10.1.0.0/16")])


async def test_the_next_address_is_tried_when_one_is_dead() -> None:
    wire = Wire()
    wire.dead = {"1.1.1.1"}
    await _get(wire, Names(["1.1.1.1", "2606:4700:4700::1111"]))
    assert wire.called == ["1.1.1.1", "2606:4700:4700::1111"]


async def test_an_unknown_name_and_a_dead_host_may_be_tried_again_later() -> None:
    wire = Wire()
    wire.dead = {"1.1.1.1"}
    for names in (Names(), Names(["1.1.1.1"])):
        with pytest.raises(httpx.ConnectError):
            await _get(wire, names)


async def test_redirects_and_proxies_of_the_environment_are_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    client = safe_client()
    assert not client.follow_redirects
    assert not client.trust_env
    assert client._mounts == {}
    await client.aclose()


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "0177.0.0.1", "localhost", "[::1]"])
async def test_odd_spellings_of_this_machine_are_resolved_and_refused(host: str) -> None:
    async with safe_client() as client:
        with pytest.raises((AddressForbidden, httpx.InvalidURL, httpx.ConnectError)):
            await client.get(f"http://{host}:9/")
