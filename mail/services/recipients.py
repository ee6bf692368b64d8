"""Who may be written to: asked at RCPT, before a byte of mail is taken."""

from uuid import UUID

from environments.binding import inside
from environments.ids import encode
from environments.models import Environment
from environments.services import usage
from inboxes.services.addresses import find_recipient
from mail.intake import Recipient, Refused

UNKNOWN = "550 5.1.1 There is no such address here"
PAUSED = "451 4.3.2 This mailbox takes no mail right now, try again later"
FULL = "452 4.2.2 This mailbox is full"


def recipient_of(address: str) -> Recipient:
    """Return the inbox behind an address.

    Raises Refused for an address that nobody has, or whose domain is not verified (550), for a paused environment (451)
    and for one whose storage quota is used up (452).
    """
    found = find_recipient(address)
    if found is None:
        raise Refused(UNKNOWN, "unknown_recipient")
    environment_id, inbox_id = (UUID(text) for text in found)
    recipient = Recipient(address, environment_id, inbox_id)
    environment = Environment.everywhere.filter(pk=encode("env", environment_id)).first()
    if environment is None:  # erased between the two queries
        raise Refused(UNKNOWN, "unknown_recipient")
    if environment.inbound_paused:
        raise Refused(PAUSED, "inbound_paused", recipient)
    if environment.storage_quota is not None and _is_full(environment, environment.storage_quota):
        raise Refused(FULL, "storage_full", recipient)
    return recipient


def _is_full(environment: Environment, quota: int) -> bool:
    with inside(environment):
        return usage.bytes_stored(environment) >= quota
