"""Which image URLs may be fetched. These are only the rules; nothing is sent."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from mock_server.errors import FetchError, SettingsError
from mock_server.fetch.address import Address, is_local_address, is_local_name, kind_of, looks_like_address

# With at least one wildcard; without, it is an address.
_ADDRESS_GLOB = re.compile(r"\d[\d.]*[*?][\d.*?]*")
_WORDS = ("off", "local", "any")

NOT_ALLOWED = "image URLs are not fetched; allow it with --fetch"


@dataclass(frozen=True, slots=True)
class FetchPolicy:
    """Allowed hosts, and allowed addresses that are not public.

    `local`: this machine. `any_host`: every host on the public internet. `hosts`: globs of host names.
    `networks`: addresses and networks. `addresses`: globs of addresses (`10.1.2.*`). An empty policy allows nothing.
    """

    local: bool = False
    any_host: bool = False
    hosts: tuple[str, ...] = ()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    addresses: tuple[str, ...] = ()

    @classmethod
    def parse(cls, values: str | Iterable[str]) -> "FetchPolicy":
        """Parse `off`, `local`, `any`, host globs, addresses and networks, separated by commas or spaces.

        Raises SettingsError for any other value, and for `off` together with others.
        """
        joined = values if isinstance(values, str) else ",".join(values)
        words = [word.lower() for word in joined.replace(",", " ").split()]
        if "off" in words and set(words) != {"off"}:
            raise SettingsError("--fetch off allows nothing; it cannot be combined with other values")
        rest = [word for word in words if word not in _WORDS]
        networks = {word: network for word in rest if (network := _network(word)) is not None}
        addresses = tuple(word for word in rest if word not in networks and _ADDRESS_GLOB.fullmatch(word))
        hosts = tuple(word for word in rest if word not in networks and word not in addresses)
        for host in hosts:
            if any(char in host for char in "/:@\\") or looks_like_address(host):
                raise SettingsError(
                    f"--fetch {host}: not off, local, any, a host name (* and ? are allowed), an address or a network"
                )
        return cls("local" in words, "any" in words, hosts, tuple(networks.values()), addresses)

    def __bool__(self) -> bool:
        return self.local or self.any_host or bool(self.hosts or self.networks or self.addresses)

    def check_host(self, host: str) -> None:
        """Raise FetchError for a host that is not allowed, before its name is resolved.

        `host` is in lower case, ASCII, without brackets.
        """
        if not self:
            raise FetchError(NOT_ALLOWED)
        address = as_address(host)
        if address is not None:
            self.check_address(host, address)
        elif looks_like_address(host):
            raise FetchError(f"{host} is an address in an unusual notation")
        elif not ((self.local and is_local_name(host)) or self._lists_host(host)):
            raise FetchError(f"{host} is not a host that --fetch allows")

    def check_address(self, host: str, address: Address) -> None:
        """Raise FetchError for an address that `host` must not resolve to."""
        if self.local and is_local_address(address):
            return
        is_listed = self._lists_address(address)
        kind = kind_of(address)
        if not (self._lists_host(host) or (is_listed and as_address(host) == address)):
            raise FetchError(f"{host} ({address}) is not a host that --fetch allows")
        if kind is None or is_listed or (kind == "loopback" and host == "localhost" and host in self.hosts):
            return
        raise FetchError(f"{host} resolves to the {kind} address {address}; only --fetch {address} allows that")

    def _lists_address(self, address: Address) -> bool:
        return any(address in network for network in self.networks) or any(
            fnmatchcase(str(address), pattern) for pattern in self.addresses
        )

    def _lists_host(self, host: str) -> bool:
        return self.any_host or any(fnmatchcase(host, pattern) for pattern in self.hosts)


def as_address(host: str) -> Address | None:
    """Return `host` as an address, or None if it is a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def _network(word: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(word.strip("[]"), strict=False)
    except ValueError:
        return None
