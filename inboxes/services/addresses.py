"""Where an address may live, and whose it is."""

import re
import secrets
from collections.abc import Collection, Sequence
from uuid import UUID

from django.conf import settings

from environments.errors import ValidationFailed
from environments.gates import ask
from environments.ids import decode
from environments.models import Environment
from inboxes.records.wanted import RETURN_PATH

LOCAL_PART = re.compile(r"[a-z0-9](?:[a-z0-9._%-]{0,62}[a-z0-9])?")
LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
DOMAIN = re.compile(rf"(?=.{{1,253}}$){LABEL}(?:\.{LABEL})+")
SUFFIX_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
SUFFIX_LENGTH = 6
RESERVED_USERNAMES = {"abuse", "hostmaster", "mailer-daemon", "noc", "postmaster", "security", "webmaster"}  # RFC 2142
SIMULATOR = "simulator"  # the label below the shared domain where recipients are simulated
RESERVED_LABELS = {
    "api", "console", "mail", "mx", "ns1", "ns2", "return", "smtp", "test", "www", RETURN_PATH, SIMULATOR,
}  # fmt: skip


class AddressNotAvailable(ValidationFailed):
    """Taken, foreign, reserved, held or unknown: one answer, whoever holds the address."""

    code = "address_not_available"
    message = "This address is not available."
    fix = (
        "Choose another address. On the shared domain give username: the server adds six characters. Exact names need "
        "a subdomain of the shared domain, or a domain of your own, which POST /domains adds."
    )


def normalise(address: str) -> str:
    """Return the address as it is stored and looked up: trimmed, in lower case."""
    return address.strip().lower()


def split(address: str) -> tuple[str, str]:
    """Return local part and domain of a normalised address; raise AddressNotAvailable for what is none of ours."""
    local, _, domain = address.rpartition("@")
    if not LOCAL_PART.fullmatch(local) or ".." in local or not DOMAIN.fullmatch(domain):
        raise AddressNotAvailable
    if local in RESERVED_USERNAMES:
        raise AddressNotAvailable
    return local, domain


def without_tag(address: str) -> str:
    """Return the address without a plus tag: ``support+case7@…`` reaches ``support@…``."""
    local, _, domain = address.rpartition("@")
    base = local.partition("+")[0] or local
    return f"{base}@{domain}"


def random_suffix() -> str:
    """Return six characters that are easy to read out, so that an address tells nothing of other tenants."""
    return "".join(secrets.choice(SUFFIX_ALPHABET) for _ in range(SUFFIX_LENGTH))


def subdomain_label(domain: str) -> str | None:
    """Return the label in front of the shared domain, or None when the domain is not directly below it."""
    label, _, parent = domain.partition(".")
    return label if parent == settings.AGENTPOST_SHARED_DOMAIN else None


def is_shared_or_below(domain: str) -> bool:
    """Return whether the domain is the shared one or lies below it."""
    return domain == settings.AGENTPOST_SHARED_DOMAIN or domain.endswith("." + settings.AGENTPOST_SHARED_DOMAIN)


def is_of_agents(domain: str, organization_ids: Collection[str]) -> bool:
    """Return whether mail to the domain is, or may become, an inbox's: by the domain, since inboxes come and go.

    So is whatever lies on the shared domain, what any environment proved to be its own, and what one of these
    organizations only claims. Claims of others do not count: with one, anybody could cut strangers off.
    """
    organizations = [decode("org", organization_id) for organization_id in organization_ids]
    return is_shared_or_below(domain) or bool(ask("domain_is_of_agents", domain, organizations)[0][0])


def simulated(address: str) -> str | None:
    """Return which simulator an address names: the local part at the reserved domain, without its tag; else None."""
    local, _, domain = normalise(address).rpartition("@")
    return local.partition("+")[0] if domain == f"{SIMULATOR}.{settings.AGENTPOST_SHARED_DOMAIN}" else None


def find_recipient(address: str) -> tuple[str, str] | None:
    """Return environment and inbox (uuid texts) that mail to this address is for, or None."""
    wanted = normalise(address)
    rows = ask("find_inbox", wanted, without_tag(wanted), wanted.rpartition("@")[2])
    return (str(rows[0][0]), str(rows[0][1])) if rows else None


def find_senders(address: str) -> list[tuple[UUID, UUID]]:
    """Return environment and inbox of each inbox that has this address, to the letter: who holds it verified first.

    Several have it where several claim its domain, which anybody may until one of them proves it.
    """
    return [(environment, inbox) for environment, inbox in ask("find_senders", normalise(address))]


def is_held(email: str, environment: Environment) -> bool:
    """Return whether the address is kept from this environment because another one had it lately."""
    return bool(ask("address_is_held", email, decode("env", environment.pk))[0][0])


def find_holders(addresses: Sequence[str]) -> dict[str, tuple[str, str | None]]:
    """Return environment and inbox (uuid texts) that mail to these addresses is for, by address, in one query.

    An address without an inbox at a domain that an environment holds is that environment's, with None for the inbox.
    Addresses that are nobody's are left out.
    """
    wanted = [normalise(address) for address in addresses]
    domains = [address.rpartition("@")[2] for address in wanted]
    rows = ask("find_holders", wanted, [without_tag(address) for address in wanted], domains) if wanted else []
    return {addresses[place - 1]: (str(where), str(inbox) if inbox else None) for place, where, inbox in rows}
