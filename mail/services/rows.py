"""The parts of a message's rows that receiving and sending write alike."""

from collections.abc import Iterable, Sequence

from environments.destinations import LONGEST_ADDRESS
from mail.models import Message, MessageRecipient
from mail.parsing import Address

SNIPPET = 200


def storable_address(address: str) -> str:
    """Return an address as it is stored and looked up: in lower case, no longer than any real one."""
    return address.lower()[:LONGEST_ADDRESS]


def people(addresses: Sequence[Address]) -> list[dict[str, str]]:
    """Return addresses as the API shows them."""
    return [{"email": address.email, "name": address.name} for address in addresses]


def recipient_rows(message: Message, **addresses: Sequence[Address]) -> Iterable[MessageRecipient]:
    """Yield a row for each recipient; ``addresses`` are those of ``to``, ``cc`` and ``bcc``."""
    for kind, ours in addresses.items():
        for address in ours:
            yield MessageRecipient(
                environment_id=message.environment_id,
                message=message,
                kind=kind,
                email=storable_address(address.email),
                status=message.status,
            )
