"""Addresses that come with an archive: what of them can be had at this server."""

from django.conf import settings

from environments.models import AuditEntry, Environment
from environments.services.unpacking import ArchiveRefused
from inboxes.models import Inbox
from inboxes.services import addresses
from inboxes.services.addresses import AddressNotAvailable


def place_anew(inbox: Inbox) -> None:
    """Give an inbox of the shared domain an address on this server's: its own, if it had that here and it is free.

    Raises ArchiveRefused for what is no address.
    """
    demand_address(inbox.email)
    if inbox.domain_id is None:
        inbox.email = _free(inbox)


def demand_address(email: str) -> None:
    """Refuse what no inbox may be called."""
    try:
        addresses.split(email)
    except AddressNotAvailable:
        raise ArchiveRefused(f"{email[:320]!r} is no address that an inbox may have.") from None


def _was_had(email: str, environment: Environment) -> bool:
    """Return whether the environment once had the address at this server, as its organization's record says."""
    record = AuditEntry.objects.in_organization(environment.organization_id).filter(environment_id=environment.pk)
    return record.filter(action="inbox.created", after__email=email).exists()


def _free(inbox: Inbox) -> str:
    shared, name = settings.AGENTPOST_SHARED_DOMAIN, inbox.username
    wanted = f"{name}@{shared}"
    may_have = _was_had(wanted, inbox.environment) and not addresses.is_held(wanted, inbox.environment)
    if may_have and addresses.find_recipient(wanted) is None:
        return wanted
    longest = 64 - addresses.SUFFIX_LENGTH - 1
    return f"{name[:longest].rstrip('.-_')}-{addresses.random_suffix()}@{shared}"
