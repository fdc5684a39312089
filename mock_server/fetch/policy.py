"""Which image URLs may be fetched. These are only the rules; nothing is sent."""

import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from mock_server.errors import FetchRefusedError, SettingsError

Address = IPv4Address | IPv6Address

# Metadata services of cloud providers. Some are in public ranges.
_METADATA = frozenset(
    ip_address(text)
    for text in ("169.254.169.254", "169.254.170.2", "168.63.129.16", "100.100.100.200", "fd00:ec2::254")
)
# IPv6 ranges that contain an IPv4 address: mapped, compatible, NAT64, 6to4, Teredo.
_IPV4_INSIDE = tuple(
    IPv6Network(text) for text in ("::ffff:0:0/96", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
)
_PRIVATE = tuple(
    ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)
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
            if any(char in host for char in "/:@\\") or _looks_like_address(host):
                raise SettingsError(
                    f"--fetch {host}: not off, local, any, a host name (* and ? are allowed), an address or a network"
                )
        return cls("local" in words, "any" in words, hosts, tuple(networks.values()), addresses)

    def __bool__(self) -> bool:
        return self.local or self.any_host or bool(self.hosts or self.networks or self.addresses)

    def check_host(self, host: str) -> None:
        """Raise FetchRefusedError for a host that is not allowed, before its name is resolved.

        `host` is in lower case, ASCII, without brackets.
        """
        if not self:
            raise FetchRefusedError(NOT_ALLOWED)
        address = as_address(host)
        if address is not None:
            self.check_address(host, address)
        elif _looks_like_address(host):
            raise FetchRefusedError(f"{host} is an address in an unusual notation")
        elif not ((self.local and _is_local_name(host)) or self._lists_host(host)):
            raise FetchRefusedError(f"{host} is not a host that --fetch allows")

    def check_address(self, host: str, address: Address) -> None:
        """Raise FetchRefusedError for an address that `host` must not resolve to."""
        if self.local and _is_local_address(address):
            return
        is_listed = self._lists_address(address)
        kind = _kind_of(address)
        if not (self._lists_host(host) or (is_listed and as_address(host) == address)):
            raise FetchRefusedError(f"{host} ({address}) is not a host that --fetch allows")
        if kind is None or is_listed or (kind == "loopback" and host == "localhost" and host in self.hosts):
            return
        raise FetchRefusedError(f"{host} resolves to the {kind} address {address}; only --fetch {address} allows that")

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


def _kind_of(address: Address) -> str | None:
    """Return the kind of an address that is not public: `loopback`, `private`, `metadata`, …; None if it is public."""
    for kind, applies in (
        ("metadata", address in _METADATA),
        ("loopback", address.is_loopback),
        ("unspecified", address.is_unspecified),
        ("multicast", address.is_multicast),
        ("link-local", address.is_link_local),
        ("IPv4-in-IPv6", any(address in network for network in _IPV4_INSIDE)),
        ("private", any(address in network for network in _PRIVATE)),
        ("reserved", not address.is_global),
    ):
        if applies:
            return kind
    return None


def _is_local_address(address: Address) -> bool:
    """Whether `address` is loopback, or a private address of one of this machine's interfaces.

    Nothing is sent to find out: only an address of this machine can be bound.
    """
    kind = _kind_of(address)
    if kind != "private":
        return kind == "loopback"
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((str(address), 0))
        except OSError:
            return False
    return True


def _is_local_name(host: str) -> bool:
    """Whether `host` is a name of this machine. No name server is queried."""
    return host == "localhost" or host.endswith(".localhost") or host == socket.gethostname().lower()


def _looks_like_address(host: str) -> bool:
    """Whether a resolver may read `host` as an address although it is not in the usual notation.

    C libraries read `2130706433`, `0x7f.1` and `0177.0.0.1` as 127.0.0.1. No real host name ends in a number.
    """
    last = host.rstrip(".").rpartition(".")[2].lower()
    return last.isdigit() or last.startswith("0x")
