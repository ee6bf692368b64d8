"""Who may be written to: asked at RCPT, before a byte of mail is taken."""

from uuid import UUID

from django.db import connection

from environments.binding import inside
from environments.ids import encode
from environments.models import Environment
from environments.services import usage
from inboxes.services.addresses import find_recipient
from mail.intake import Recipient, Refused
from mail.services import return_path

UNKNOWN = "550 5.1.1 There is no such address here"
PAUSED = "451 4.3.2 This mailbox takes no mail right now, try again later"
FULL = "452 4.2.2 This mailbox is full"
OPEN = "SELECT inbound_paused, storage_quota FROM environments_environment WHERE id = %s"


def recipient_of(address: str) -> Recipient:
    """Return the inbox behind an address.

    Raises Refused for an address that nobody has, or whose domain is not verified (550), for a paused environment (451)
    and for one whose storage quota is used up (452).
    """
    environment_id, inbox_id = _behind(address)
    recipient = Recipient(address, environment_id, inbox_id)
    with connection.cursor() as cursor:
        cursor.execute(OPEN, [environment_id])
        found = cursor.fetchone()
    if found is None:  # erased between the two queries
        raise Refused(UNKNOWN, "unknown_recipient")
    paused, quota = found
    check_open(Environment(pk=encode("env", environment_id), inbound_paused=paused, storage_quota=quota), recipient)
    return recipient


def _behind(address: str) -> tuple[UUID, UUID]:
    """Return environment and inbox of an address; a return path leads to the inbox that its mail was sent from."""
    if return_path.looks_like_one(address):
        path = return_path.read(address)
        found = return_path.find_inbox(path) if path else None
    else:
        texts = find_recipient(address)
        found = (UUID(texts[0]), UUID(texts[1])) if texts else None
    if found is None:
        raise Refused(UNKNOWN, "unknown_recipient")
    return found


def check_open(environment: Environment, recipient: Recipient) -> None:
    """Raise Refused while the environment takes no mail: it is paused, or full."""
    if environment.inbound_paused:
        raise Refused(PAUSED, "inbound_paused", recipient)
    if environment.storage_quota is not None and _is_full(environment, environment.storage_quota):
        raise Refused(FULL, "storage_full", recipient)


def _is_full(environment: Environment, quota: int) -> bool:
    with inside(environment):
        return usage.bytes_stored(environment) >= quota
