"""Where a webhook may be sent: public addresses only, so that no endpoint reaches into the operator's network."""

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from yarl import URL

Address = IPv4Address | IPv6Address

MAX_URL_LENGTH = 2048
MAX_HOST_LENGTH = 253
NOT_HTTPS = "The URL must start with https://."

# https://www.iana.org/assignments/iana-ipv4-special-registry, plus multicast and one cloud's public metadata address.
# Assignments inside a refused block stay refused even where the registry calls them globally reachable.
REFUSED_IPV4 = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",  # this network, unspecified
        "10.0.0.0/8",  # private use
        "100.64.0.0/10",  # shared address space (carrier-grade NAT)
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's platform address, reachable from every virtual machine there
        "169.254.0.0/16",  # link local, metadata services
        "172.16.0.0/12",  # private use
        "192.0.0.0/24",  # IETF protocol assignments, Oracle's metadata service
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # automatic multicast tunnelling
        "192.88.99.0/24",  # 6to4 relay
        "192.168.0.0/16",  # private use
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)

# Only 2000::/3 is handed out as global unicast. What lies outside needs no list: unspecified, loopback, IPv4-mapped and
# -compatible, NAT64 (64:ff9b::/96, 64:ff9b:1::/48), discard, segment routing, unique and link local, multicast.
GLOBAL_UNICAST_IPV6 = IPv6Network("2000::/3")

# https://www.iana.org/assignments/iana-ipv6-special-registry, the blocks inside 2000::/3.
REFUSED_IPV6 = tuple(
    IPv6Network(block)
    for block in (
        "2001::/23",  # IETF protocol assignments: Teredo, benchmarking, ORCHID, drones
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which carries any IPv4 address inside
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)

LOOPBACK_IPV4 = IPv4Network("127.0.0.0/8")
LOOPBACK_IPV6 = IPv6Address("::1")

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)


class TargetError(ValueError):
    """A URL that no webhook may be sent to. Its text is one sentence that tells a person why."""


class TargetAddressError(TargetError):
    """The URL is well formed, but its host is an address that no webhook may be sent to."""


def is_public(address: Address) -> bool:
    """Tell whether `address` belongs to the public Internet, by the IANA special-purpose address registries.

    Every IPv6 form that carries an IPv4 address (mapped, compatible, NAT64, 6to4, Teredo) and every address with a
    zone counts as not public, whatever it carries.
    """
    if isinstance(address, IPv4Address):
        return not any(address in block for block in REFUSED_IPV4)
    if address.scope_id is not None or address not in GLOBAL_UNICAST_IPV6:
        return False
    return not any(address in block for block in REFUSED_IPV6)


def is_loopback(address: Address) -> bool:
    """Tell whether `address` is this machine: 127.0.0.0/8 or ::1, and no IPv6 form of the former."""
    if isinstance(address, IPv4Address):
        return address in LOOPBACK_IPV4
    return address == LOOPBACK_IPV6


def is_permitted(address: Address, *, development: bool) -> bool:
    """Tell whether a webhook may be sent to `address`: a public one, in development also loopback."""
    return is_public(address) or (development and is_loopback(address))


@lru_cache(maxsize=1024)
def check_url(url: str, *, development: bool) -> None:
    """Raise TargetError unless webhooks may be sent to `url`, as far as that can be told without resolving its host.

    Demands https (http is accepted in development for this machine), a host, at most 2048 characters, and neither
    credentials nor fragment. Any port and internationalised names will do. A host that is an address, in whatever
    notation, or that names this machine, is judged at once: TargetAddressError. What other names resolve to is
    judged when connecting.
    """
    parsed = _parse(url)
    host = _host(parsed)
    local = _judge_host(host, development=development)
    if parsed.scheme == "http" and not local:
        raise TargetError(NOT_HTTPS)


def _parse(url: str) -> URL:
    if len(url) > MAX_URL_LENGTH:
        message = f"The URL is longer than {MAX_URL_LENGTH} characters."
        raise TargetError(message)
    if " " in url or not url.isprintable():
        message = "The URL must not contain spaces or control characters."
        raise TargetError(message)
    try:
        parsed = URL(url)
    except ValueError as error:
        message = "The URL is malformed."
        raise TargetError(message) from error
    _refuse_extras(url, parsed)
    return parsed


def _refuse_extras(url: str, parsed: URL) -> None:
    if parsed.scheme not in {"https", "http"}:
        raise TargetError(NOT_HTTPS)
    if parsed.raw_user is not None or parsed.raw_password is not None:
        message = "The URL must not contain a user name or password."
        raise TargetError(message)
    if "#" in url:
        message = "The URL must not contain a fragment (#)."
        raise TargetError(message)


def _host(parsed: URL) -> str:
    """Return the host as it will be connected to: lower case, IDNA-encoded, without brackets or a final dot."""
    host = (parsed.raw_host or "").lower().removesuffix(".")
    if not host:
        message = "The URL must name a host, like https://example.com/hook."
        raise TargetError(message)
    return host


def _judge_host(host: str, *, development: bool) -> bool:
    """Return whether the host is this machine. Raises TargetError for an impossible or refused host."""
    address = _literal(host)
    if address is None:
        return _judge_name(host, development=development)
    if not is_permitted(address, development=development):
        message = f"The URL points to {address}, which is not a public address."
        raise TargetAddressError(message)
    return is_loopback(address)


def _judge_name(host: str, *, development: bool) -> bool:
    labels = host.split(".")
    if len(host) > MAX_HOST_LENGTH or not all(_LABEL.fullmatch(label) for label in labels):
        message = "The URL's host is not a valid name."
        raise TargetError(message)
    if _NUMERIC_LABEL.fullmatch(labels[-1]):
        message = "The URL's host looks like an address, but is not written as four decimal numbers."
        raise TargetAddressError(message)
    local = labels[-1] == "localhost"
    if local and not development:
        message = "The URL points to this machine, which is not a public address."
        raise TargetAddressError(message)
    return local


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
