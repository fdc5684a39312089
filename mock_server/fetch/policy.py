"""Which image URLs may be fetched: the rules alone, no network."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from mock_server.errors import FetchError, SettingsError
from mock_server.fetch.address import (
    Address,
    is_name_of_this_machine,
    is_of_this_machine,
    kind_of,
    looks_like_address,
)

# At least one sign must stand for something else: without, it is an address or nothing.
_ADDRESS_GLOB = re.compile(r"\d[\d.]*[*?][\d.*?]*")
_WORDS = ("off", "local", "any")


@dataclass(frozen=True, slots=True)
class FetchPolicy:
    """Allowed hosts, and the addresses that are reached although they are not public.

    `local`: whatever stands on this machine. `any_host`: every host on the public internet. `hosts`: globs of
    host names. `networks` and `addresses`: addresses named one by one, as a network, or by a glob (`10.1.2.*`).
    Nothing at all: no URL is fetched.
    """

    local: bool = False
    any_host: bool = False
    hosts: tuple[str, ...] = ()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    addresses: tuple[str, ...] = ()

    @classmethod
    def parse(cls, values: str | Iterable[str]) -> "FetchPolicy":
        """Read `off`, `local`, `any`, host globs, addresses and networks; commas or spaces between them.

        Raises `SettingsError` for a value that is none of these, and for `off` beside others.
        """
        joined = values if isinstance(values, str) else ",".join(values)
        words = [word.lower() for word in joined.replace(",", " ").split()]
        if "off" in words and set(words) != {"off"}:
            raise SettingsError("--fetch off allows nothing; it cannot stand beside other values")
        rest = [word for word in words if word not in _WORDS]
        networks = {word: network for word in rest if (network := _network(word)) is not None}
        addresses = tuple(word for word in rest if word not in networks and _ADDRESS_GLOB.fullmatch(word))
        hosts = tuple(word for word in rest if word not in networks and word not in addresses)
        for host in hosts:
            if any(sign in host for sign in "/:@\\") or looks_like_address(host):
                raise SettingsError(
                    f"--fetch {host}: neither off, local, any, a host name (* and ? allowed), "
                    "an address nor a network"
                )
        return cls("local" in words, "any" in words, hosts, tuple(networks.values()), addresses)

    def __bool__(self) -> bool:
        return self.local or self.any_host or bool(self.hosts or self.networks or self.addresses)

    def check_host(self, host: str) -> None:
        """Refuse what can be refused before any name is looked up. Raises `FetchError`.

        `host` is in lower case, ASCII, without brackets.
        """
        if not self:
            raise FetchError("image URLs are not fetched here; --fetch allows it")
        address = as_address(host)
        if address is not None:
            self.check_address(host, address)
        elif looks_like_address(host):
            raise FetchError(f"{host} is an address in disguise")
        elif not ((self.local and is_name_of_this_machine(host)) or self._names_host(host)):
            raise FetchError(f"{host} is not among the hosts that --fetch allows")

    def check_address(self, host: str, address: Address) -> None:
        """Refuse an address that `host` must not lead to. Raises `FetchError`."""
        if self.local and is_of_this_machine(address):
            return
        named = self._names_address(address)
        literal = as_address(host) == address
        kind = kind_of(address)
        if not (self._names_host(host) or (named and literal)):
            raise FetchError(f"{host} ({address}) is not among the hosts that --fetch allows")
        if kind is None or named or (kind == "loopback" and host == "localhost" and host in self.hosts):
            return
        raise FetchError(f"{host} leads to the {kind} address {address}; only --fetch {address} allows that")

    def _names_address(self, address: Address) -> bool:
        return any(address in network for network in self.networks) or any(
            fnmatchcase(str(address), pattern) for pattern in self.addresses
        )

    def _names_host(self, host: str) -> bool:
        return self.any_host or any(fnmatchcase(host, pattern) for pattern in self.hosts)


def as_address(host: str) -> Address | None:
    """Return the address that `host` is the plain notation of, if it is one."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def _network(word: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(word.strip("[]"), strict=False)
    except ValueError:
        return None
