"""What kind of IP address it is: public, or one that a server must not be made to connect to."""

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

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


def kind_of(address: Address) -> str | None:
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


def is_local_address(address: Address) -> bool:
    """Whether `address` is loopback, or a private address of one of this machine's interfaces.

    Nothing is sent to find out: only an address of this machine can be bound.
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


def is_local_name(host: str) -> bool:
    """Whether `host` is a name of this machine. No name server is queried."""
    return host == "localhost" or host.endswith(".localhost") or host == socket.gethostname().lower()


def looks_like_address(host: str) -> bool:
    """Whether a resolver may read `host` as an address although it is not in the usual notation.

    C libraries read `2130706433`, `0x7f.1` and `0177.0.0.1` as 127.0.0.1. No real host name ends in a number.
    """
    last = host.rstrip(".").rpartition(".")[2].lower()
    return last.isdigit() or last.startswith("0x")
