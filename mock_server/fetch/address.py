"""What kind of place an IP address is: public internet, or somewhere a server must not be led to."""

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address

# Cloud metadata services, whatever the range they lie in.
_METADATA = frozenset(
    ip_address(text)
    for text in ("169.254.169.254", "169.254.170.2", "168.63.129.16", "100.100.100.200", "fd00:ec2::254")
)
# IPv6 addresses that carry an IPv4 address to somewhere else: mapped, compatible, NAT64, 6to4, Teredo.
_IPV4_INSIDE = tuple(
    IPv6Network(text)
    for text in ("::ffff:0:0/96", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
)
_PRIVATE = tuple(
    ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)


def kind_of(address: Address) -> str | None:
    """Name what makes `address` no public one (`loopback`, `private`, `metadata`, …); None if it is one."""
    for kind, holds in (
        ("metadata", address in _METADATA),
        ("loopback", address.is_loopback),
        ("unspecified", address.is_unspecified),
        ("multicast", address.is_multicast),
        ("link-local", address.is_link_local),
        ("IPv4-in-IPv6", any(address in network for network in _IPV4_INSIDE)),
        ("private", any(address in network for network in _PRIVATE)),
        ("reserved", not address.is_global),
    ):
        if holds:
            return kind
    return None


def is_of_this_machine(address: Address) -> bool:
    """Whether `address` is loopback, or a private address that one of this machine's interfaces has.

    Asked of the system without sending anything: only an own address can be bound.
    """
    kind = kind_of(address)
    if kind != "private":
        return kind == "loopback"
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((str(address), 0))
        except OSError:
            return False
    return True


def is_name_of_this_machine(host: str) -> bool:
    """Whether `host` names this machine, as far as can be told without asking a name server."""
    return host == "localhost" or host.endswith(".localhost") or host == socket.gethostname().lower()


def looks_like_address(host: str) -> bool:
    """Whether a resolver might take `host` for an address although it is not written as one.

    `2130706433`, `0x7f.1` and `0177.0.0.1` are all 127.0.0.1 to a C library; no real name ends in a number.
    """
    last = host.rstrip(".").rpartition(".")[2].lower()
    return last.isdigit() or last.startswith("0x")
