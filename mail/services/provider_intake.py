"""Mail that a provider took in for our addresses, and passes on by webhook: it goes the way of all mail."""

from collections.abc import Sequence
from dataclasses import replace

from environments import clock
from environments.errors import Unavailable
from environments.ids import encode
from environments.models import Environment
from mail.intake import Arrival, Recipient, Refused
from mail.services.examine import examine
from mail.services.receive import receive
from mail.services.recipients import UNKNOWN, recipient_of
from mail.transports.provider_webhooks import Incoming

NO_PEER = ""  # who delivered it to the provider is hearsay: SPF says nothing about it


def take_in(environment: Environment, mails: Sequence[Incoming]) -> int:
    """Receive mails for addresses of this environment, and of no other; return how many there were.

    What is for nobody here is dropped, as a provider cannot be told so. Raises Unavailable for a paused or full
    environment, so that the provider tries again.
    """
    arrivals = [arrival for one in mails if (arrival := _arrival(environment, one))]
    if arrivals:
        answers = receive([replace(one, examination=examine(one)) for one in arrivals])
        for answer in answers:
            if answer is not None and not isinstance(answer, Refused):
                raise answer
    return len(arrivals)


def _arrival(environment: Environment, mail: Incoming) -> Arrival | None:
    recipients = tuple(found for one in mail.recipients if (found := _recipient(environment, one)))
    if not recipients:
        return None
    return Arrival(mail.raw, mail.envelope_sender, recipients, NO_PEER, "", True, clock.now())


def _recipient(environment: Environment, address: str) -> Recipient | None:
    try:
        found = recipient_of(address)
    except Refused as refusal:
        if refusal.reply != UNKNOWN and refusal.recipient and _is_here(environment, refusal.recipient):
            raise Unavailable("This environment takes no mail right now.") from refusal
        return None
    return found if _is_here(environment, found) else None


def _is_here(environment: Environment, recipient: Recipient) -> bool:
    return encode("env", recipient.environment_id) == environment.pk
