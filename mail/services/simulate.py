"""Simulate: deliver a mail as if from outside, with chosen verdicts about its sender, through the usual judging.

The mail differs from one that SMTP took in three ways: nobody asked DNS, it carries ``X-AgentPost-Simulated``, and its
timeline says who made it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from django.conf import settings

from environments import clock
from environments.callers import Actor
from environments.errors import Conflict, TooLarge, Unavailable, ValidationFailed, field_error
from environments.ids import decode
from environments.models import Environment
from inboxes.models import Inbox
from mail.authentication import Authentication
from mail.authentication.values import PASS, Verdict
from mail.intake import Arrival, Recipient, Refused
from mail.models import Message
from mail.parsing import Address
from mail.services import recipients, reply_tokens
from mail.services.compose import File, Outgoing, compose, new_message_id
from mail.services.examine import examine_offline
from mail.services.receive import receive
from mail.services.simulated_reports import MARK
from mail.services.simulators import PEER, domain
from mail.services.threads import message_id_digest
from mail.services.timeline import Told, note

REASON = "chosen by whoever simulated the mail"


class LiveEnvironment(Conflict):
    """Mail that nobody sent has no place among the mail of customers."""

    code = "environment_is_live"
    message = "Mail cannot be simulated in a live environment."
    fix = "Simulate it in an environment in another delivery mode."


class InboundPaused(Unavailable):
    """The environment takes no mail, from outside or as if."""

    code = "inbound_paused"
    message = "The environment takes no mail right now: it is paused, or full."
    fix = "Lift the pause, or make room, and try again."


class SimulatedMailRefused(ValidationFailed):
    """What a stranger's server would have been told."""

    code = "simulated_mail_refused"
    fix = "Look at GET /intake, which tells why; change the mail, the verdicts, or the rules and policies."


@dataclass(frozen=True)
class Verdicts:
    """What is taken for found out about the sender (RFC 8601): results of SPF, DKIM and DMARC."""

    spf: str = PASS
    dkim: str = PASS
    dmarc: str = PASS

    def about(self, address: str) -> Authentication:
        """Return them as the authentication of a mail from this address; DMARC's pass is alignment."""
        whose = address.rpartition("@")[2]
        dkim = Verdict(self.dkim, REASON, whose)
        return Authentication(
            Verdict(self.spf, REASON, whose),
            dkim,
            Verdict(self.dmarc, REASON, whose),
            aligned=self.dmarc == PASS,
            signatures=(dkim,),
        )


@dataclass(frozen=True)
class Incoming:
    """A mail that is to arrive. ``answers`` is a message of the inbox that went out, and that this mail replies to."""

    sender: Address | None = None
    subject: str | None = None
    text_body: str | None = None
    html_body: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[File] = ()
    answers: Message | None = None
    verdicts: Verdicts = Verdicts()


def simulate(environment: Environment, inbox: Inbox, incoming: Incoming, *, actor: Actor) -> Message:
    """Let a mail arrive in an inbox, inside the environment; return the message that came of it.

    What answers a message goes to its reply address, cites it, and is from its first recipient unless it says
    otherwise. Raises LiveEnvironment, InboundPaused, SimulatedMailRefused where the inbox's rules or policies refuse
    it, ValidationFailed for what cannot be put into a mail, and TooLarge.
    """
    if environment.is_live:
        raise LiveEnvironment
    sender = _sender(incoming)
    to = _to(inbox, incoming.answers)
    message_id = new_message_id(sender.email.rpartition("@")[2])
    raw = _raw(incoming, sender, to, message_id)
    where = Recipient(to.email, decode("env", environment.pk), decode("inb", inbox.pk))
    _check_open(environment, where)
    arrival = Arrival(raw, sender.email, (where,), PEER, domain(), False, clock.now())
    reading = replace(examine_offline(arrival), authentication=incoming.verdicts.about(sender.email))
    [refused] = receive([replace(arrival, examination=reading)])
    if isinstance(refused, Refused):
        raise SimulatedMailRefused(f"The inbox refuses this mail: {refused.reply}.")
    return _told(environment, inbox, message_id, actor)


def _sender(incoming: Incoming) -> Address:
    answered = incoming.answers
    if incoming.sender is not None:
        return incoming.sender
    people = [*answered.to_addresses, *answered.cc_addresses, *answered.bcc_addresses] if answered else []
    if not people:
        raise field_error("from", "Say who the mail is from, or which message it answers.")
    return Address(people[0]["email"], people[0]["name"])


def _to(inbox: Inbox, answered: Message | None) -> Address:
    """Return the inbox's address; for an answer, the one that the answered mail asked replies to go to."""
    token = reply_tokens.token(inbox, answered.message_id_header) if answered else ""
    address = reply_tokens.reply_address(inbox, token) if token else None
    return Address(address or inbox.email, inbox.display_name)


def _raw(incoming: Incoming, sender: Address, to: Address, message_id: str) -> bytes:
    answered = incoming.answers
    subject = incoming.subject if incoming.subject is not None else _answering(answered)
    mail = Outgoing(
        to=[to],
        subject=subject,
        text_body=incoming.text_body,
        html_body=incoming.html_body,
        headers=incoming.headers,
        files=incoming.files,
    )
    raw = "".join(_lines(answered)).encode() + compose(mail, sender, message_id, clock.now())
    if len(raw) > settings.AGENTPOST_MAX_MESSAGE_SIZE:
        raise TooLarge(f"The mail has {len(raw)} bytes; the limit is {settings.AGENTPOST_MAX_MESSAGE_SIZE}.")
    return raw


def _answering(answered: Message | None) -> str:
    if answered is None:
        return ""
    return answered.subject if answered.subject.lower().startswith("re:") else f"Re: {answered.subject}"[:998]


def _lines(answered: Message | None) -> list[str]:
    """Return the header lines that no caller may set."""
    mark = [f"{MARK}: yes\r\n"]
    if answered is None:
        return mark
    cited = answered.message_id_header
    return [*mark, f"In-Reply-To: {cited}\r\n", f"References: {cited}\r\n"]


def _check_open(environment: Environment, recipient: Recipient) -> None:
    try:
        recipients.check_open(environment, recipient)
    except Refused as refused:
        raise InboundPaused from refused


def _told(environment: Environment, inbox: Inbox, message_id: str, actor: Actor) -> Message:
    rows = Message.objects.in_environment(environment)
    message = rows.filter(inbox=inbox, message_id_digest=message_id_digest(message_id)).latest("pk")
    by = f"{actor.kind} {actor.name or actor.id}".strip()
    explanation = f"Nobody sent this mail: it was simulated by {by}."
    note(environment, message, [Told(message.status, "simulated", explanation)])
    return message
