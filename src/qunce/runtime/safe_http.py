"""Call addresses that people typed in (webhooks) without lending them our place in the network (SSRF).

A name is resolved once, every address it has must be public, and the connection goes to exactly the address that was checked,
so a name that answers differently the second time (DNS rebinding) gains nothing. Redirects and proxy variables are not
followed. Python's `is_global` alone says yes to 64:ff9b::7f00:1 (NAT64), 2002:7f00:1:: (6to4), 192.0.0.8 and 224.0.0.1, so a
list stands on top of it.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import TYPE_CHECKING, Final

import httpcore
import httpx

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    SocketOption = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]
    Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_DENIED: Final[tuple[Network, ...]] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "192.0.0.0/24",  # IETF protocol assignments
        "192.88.99.0/24",  # 6to4 relays
        "168.63.129.16/32",  # the inside of Azure
        "2001::/23",  # Teredo and other protocol assignments
        "2002::/16",  # 6to4 holds any IPv4 address
    )
)
_GLOBAL_V6: Final = ipaddress.ip_network("2000::/3")
"""The only part of IPv6 that is given out for public hosts; NAT64 and IPv4-mapped addresses lie outside."""


class AddressForbidden(httpx.TransportError):
    """The address leads, or may lead, into our own network. Trying again will not help."""


class _Forbidden(httpcore.ConnectError):
    """The same inside httpcore, which lets only its own errors through."""


def is_public(text: str) -> bool:
    """Tell whether an IP address, as the resolver writes it, is a public host's. Anything else than an address is not."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if address.version == 6 and address not in _GLOBAL_V6:
        return False
    return not any(address.version == network.version and address in network for network in _DENIED)


async def resolve(host: str, port: int) -> Sequence[str]:
    """Return all addresses of a name, as the system resolves it. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Open connections to public addresses, and to `allowed` networks, only."""

    def __init__(self, inner: httpcore.AsyncNetworkBackend, resolve: Resolve, allowed: Iterable[Network]) -> None:
        self._inner = inner
        self._resolve = resolve
        self._allowed = tuple(allowed)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Resolve, check every address, connect to the first that answers. Raises httpcore.ConnectError."""
        try:
            addresses = await asyncio.wait_for(self._resolve(host, port), timeout)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(f"resolving {host} took too long") from error
        except OSError as error:
            raise httpcore.ConnectError(f"{host} is not known") from error
        if not addresses or not all(self._may_call(address) for address in addresses):
            raise _Forbidden(f"{host} does not lead to a public address")
        failure: httpcore.ConnectError | None = None
        for address in addresses:
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore.ConnectError as error:
                failure = error
        raise failure or httpcore.ConnectError(f"{host} has no address")

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Refuse: a socket file is always our own. Raises httpcore.ConnectError."""
        raise _Forbidden("socket files are not called")

    async def sleep(self, seconds: float) -> None:
        """Wait, for httpcore's own retries."""
        await self._inner.sleep(seconds)

    def _may_call(self, text: str) -> bool:
        return is_public(text) or any(_lies_in(text, network) for network in self._allowed)


class SafeTransport(httpx.AsyncHTTPTransport):
    """An httpx transport that reaches public hosts only. Raises AddressForbidden for others."""

    def __init__(
        self,
        *,
        allowed: Iterable[Network] = (),
        resolve: Resolve = resolve,
        inner: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        """`allowed` are networks of one's own that may be called all the same; `resolve` and `inner` are for tests."""
        super().__init__(trust_env=False)
        # httpx has no argument for the network backend of its pool.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False),
            network_backend=GuardedBackend(inner or httpcore.AnyIOBackend(), resolve, allowed),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        try:
            return await super().handle_async_request(request)
        except httpx.ConnectError as error:
            if isinstance(error.__cause__, _Forbidden):
                raise AddressForbidden(str(error), request=request) from error
            raise


def safe_client(*, timeout_s: float = 10.0, allowed: Iterable[Network] = ()) -> httpx.AsyncClient:
    """Return a client for addresses that people typed in. Close it, or use it with `async with`."""
    return httpx.AsyncClient(
        transport=SafeTransport(allowed=allowed), timeout=timeout_s, follow_redirects=False, trust_env=False
    )


def _lies_in(text: str, network: Network) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return address.version == network.version and address in network
