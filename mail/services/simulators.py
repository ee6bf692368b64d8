"""Recipients that are simulated: addresses at ``simulator.<shared domain>``, for tests without a network.

``delivered@``, ``bounce@``, ``soft-bounce@``, ``complaint@``, ``deferred@`` and ``suppressed@``, each also with a tag
(``bounce+case7@``). Mail to them never leaves, in any delivery mode, and ends in the events that real mail ends in.
They count neither for the deliverability score nor as suppressions.
"""

from collections.abc import Sequence

from django.conf import settings

from environments import clock
from environments.ids import decode
from environments.models import Environment
from inboxes.services.addresses import SIMULATOR, simulated
from mail.intake import Arrival, Recipient
from mail.models import HandOver, Message, MessageRecipient
from mail.services import return_path, simulated_reports
from mail.services.outcomes import RecipientOutcome, settle
from mail.services.receive import receive
from mail.services.rows import storable_address

Status = Message.Status
REPORTED = (Status.BOUNCED, Status.COMPLAINED)
PEER = "127.0.0.1"  # what simulated mail seems to come from
SENT, DELIVERED = (Status.SENT, "sent", "A simulator took the mail."), (Status.DELIVERED, "delivered", "It arrived.")


def domain() -> str:
    """Return the reserved domain."""
    return f"{SIMULATOR}.{settings.AGENTPOST_SHARED_DOMAIN}"


def is_simulator(email: str) -> bool:
    """Return whether mail to this address is simulated and must never leave."""
    return simulated(email) is not None


def outcomes_of(email: str) -> list[RecipientOutcome]:
    """Return what becomes of a mail to a simulator, in order: what ``settle`` takes.

    An unknown simulator bounces hard, as an unknown mailbox does.
    """
    name = simulated(email)
    return [_outcome(email, *step) for step in _STEPS.get(name or "", _UNKNOWN)]


def play(environment: Environment, message: Message, emails: Sequence[str]) -> list[RecipientOutcome]:
    """Let happen to a message what its recipients out of ``emails`` that are simulators do; return the outcomes.

    Bounces and complaints come back as reports, to the return path, and are read like those of real servers; what no
    report told, because the inbox takes none, is settled all the same. Runs inside the environment.
    """
    simulators = [email for email in dict.fromkeys(map(storable_address, emails)) if is_simulator(email)]
    outcomes = [outcome for email in simulators for outcome in outcomes_of(email)]
    told = settle(environment, message, [outcome for outcome in outcomes if outcome.status not in REPORTED])
    _report(environment, message, [outcome for outcome in outcomes if outcome.status in REPORTED])
    return [*told, *settle(environment, message, outcomes)]


def _report(environment: Environment, message: Message, outcomes: Sequence[RecipientOutcome]) -> None:
    """Let the reports on these outcomes arrive."""
    if not outcomes or environment.inbound_paused:
        return
    rows = MessageRecipient.objects.in_environment(environment).filter(message=message, hand_over__isnull=False)
    hand_overs = {row.email: row.hand_over for row in rows.select_related("hand_over")}
    receive([_arrival(message, outcome, hand_overs.get(outcome.email)) for outcome in outcomes])


def _arrival(message: Message, outcome: RecipientOutcome, hand_over: HandOver | None) -> Arrival:
    inbox = message.inbox
    to = return_path.address_for(hand_over, inbox, has_return_path=False) if hand_over else inbox.email
    if outcome.status == Status.BOUNCED:
        raw = simulated_reports.bounce(message, outcome.email, to, outcome.diagnostic_code)
    else:
        raw = simulated_reports.complaint(message, outcome.email, to)
    where = Recipient(to, decode("env", message.environment_id), decode("inb", message.inbox_id))
    return Arrival(raw, "", (where,), PEER, domain(), False, clock.now())


def _outcome(
    email: str, status: str, reason: str, explanation: str, bounce_type: str = "", words: str = ""
) -> RecipientOutcome:
    details = {"simulated": True}
    return RecipientOutcome(
        storable_address(email), status, reason, explanation, bounce_type, words, details, may_suppress=False
    )


_Step = tuple[str, ...]
_NOBODY = "smtp; 550 5.1.1 User unknown (simulated)"
_FULL = "smtp; 452 4.2.2 Mailbox full (simulated)"
_UNKNOWN: tuple[_Step, ...] = (
    SENT,
    (Status.BOUNCED, "hard_bounce", "There is no such simulator.", "hard", "smtp; 550 5.1.1 No such simulator"),
)
_STEPS: dict[str, tuple[_Step, ...]] = {
    "delivered": (SENT, DELIVERED),
    "bounce": (SENT, (Status.BOUNCED, "hard_bounce", "The simulator says that nobody is there.", "hard", _NOBODY)),
    "soft-bounce": (SENT, (Status.BOUNCED, "soft_bounce", "The simulator's mailbox stays full.", "soft", _FULL)),
    "complaint": (SENT, DELIVERED, (Status.COMPLAINED, "complaint", "The simulated recipient complained.")),
    "deferred": (
        (Status.SENDING, "deferred", "The simulator put the mail off: 451 4.7.1 Try again later.", "", "451 4.7.1"),
        SENT,
        DELIVERED,
    ),
    "suppressed": ((Status.REJECTED, "suppressed", "This is the simulator of a suppressed address."),),
}
