"""The muzzle: who of a mail's recipients it may leave to, and where it goes instead. The one exit asks here, always.

Asked when a mail is accepted, and again at the last moment before its bytes leave, since what was allowed then may be
forbidden now. ``mail.models.sending.THE_MUZZLE`` holds the same in PostgreSQL, for the delivery mode.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from environments.encryption import CannotOpen
from environments.errors import Conflict
from environments.models import Environment
from inboxes.matching import Decision as Ruling
from inboxes.models import Domain, Inbox
from inboxes.services.filter_rules import send_decisions_of_each
from inboxes.services.suppressions import suppressed
from mail.models import Message
from mail.services.rows import storable_address
from mail.services.simulators import is_simulator
from mail.services.transports import transport_of
from mail.transports.configs import WrongConfig

CAPTURING = ("capture", "not_on_allowlist")  # reasons
PLAIN_LOCAL_PART = re.compile(r'[^\s@%!:"\\]+')
Wanted = Sequence[tuple[str, str]]  # kinds and addresses
Mode = Environment.DeliveryMode
Status = Message.Status


class TransportNotConfigured(Conflict):
    """The environment's mode lets mail out, and there is nothing to take it."""

    code = "transport_not_configured"
    message = "This environment may send for real, but no transport is configured."
    fix = "Have a person configure a transport for it, or set its delivery mode back to capture."


class DomainNotVerified(Conflict):
    """The inbox's domain is not the environment's yet."""

    code = "domain_not_verified"
    message = "The domain of this inbox is not verified, so nothing can be sent from it for real."
    fix = "Publish the DNS records of the domain, then POST /domains/{id}/verify."


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a mail at one recipient, and why.

    ``kind`` is ``to``, ``cc`` or ``bcc``; ``status`` one of a message's; ``reason`` a code and ``explanation`` a
    sentence. ``goes_to`` is the address that the mail leaves to, empty where it does not leave.
    """

    kind: str
    email: str
    status: str
    reason: str
    explanation: str
    goes_to: str = ""


@dataclass(frozen=True, slots=True)
class Hold:
    """Why mail that may leave waits."""

    reason: str
    explanation: str


def decide(environment: Environment, inbox: Inbox, wanted: Wanted) -> list[Decision]:
    """Return what becomes of a mail from this inbox at each ``(kind, address)``, in order.

    A constant number of queries, inside the environment.
    """
    [decisions] = decide_each(environment, [(inbox, wanted)])
    return decisions


def decide_each(environment: Environment, mails: Sequence[tuple[Inbox, Wanted]]) -> list[list[Decision]]:
    """Return what ``decide`` does of several mails, with the queries of one."""
    emails = [list(dict.fromkeys(storable_address(email) for _, email in wanted)) for _, wanted in mails]
    asked = [(inbox.pk, theirs) for (inbox, _), theirs in zip(mails, emails, strict=True)]
    ruled = send_decisions_of_each(environment, asked)
    refused = suppressed(environment, list(dict.fromkeys(chain.from_iterable(emails))))
    return [
        [_decision(environment, kind, email, dict(zip(theirs, rules, strict=True)), refused) for kind, email in wanted]
        for (_, wanted), theirs, rules in zip(mails, emails, ruled, strict=True)
    ]


def _decision(
    environment: Environment, kind: str, email: str, ruled: Mapping[str, Ruling], refused: Mapping[str, str]
) -> Decision:
    address = storable_address(email)
    decision = _by_mode(environment, kind, address)
    if not ruled[address].allowed:
        return _rejected(decision, "filter_rule", ruled[address].reason)
    if address in refused:
        return _rejected(decision, "suppressed", refused[address])
    return _simulated(decision) if is_simulator(address) else decision


def _rejected(decision: Decision, reason: str, explanation: str) -> Decision:
    return replace(decision, status=Status.REJECTED, reason=reason, explanation=explanation, goes_to="")


def _simulated(decision: Decision) -> Decision:
    explanation = "This is an address of the simulator: what becomes of the mail is played, and nothing leaves."
    return replace(decision, status=Status.QUEUED, reason="simulated", explanation=explanation, goes_to="")


def _by_mode(environment: Environment, kind: str, email: str) -> Decision:
    """Return what the delivery mode alone says."""
    mode = environment.delivery_mode
    if mode == Mode.LIVE:
        return Decision(kind, email, Status.QUEUED, "live", "The environment is live.", email)
    if mode == Mode.ALLOWLIST and is_listed(environment.allowlist, email):
        return Decision(kind, email, Status.QUEUED, "allowlist", "The address is on the environment's list.", email)
    if mode == Mode.ALLOWLIST:
        told = "The environment is in allowlist mode, and the address is not on its list: the mail is kept as sent."
        return Decision(kind, email, Status.CAPTURED, "not_on_allowlist", told)
    if mode == Mode.REDIRECT and environment.redirect_address:
        told = f"The environment is in redirect mode: the mail goes to {environment.redirect_address} instead."
        return Decision(kind, email, Status.QUEUED, "redirect", told, environment.redirect_address)
    told = "The environment is in capture mode: mail is stored as sent, and nothing leaves."
    return Decision(kind, email, Status.CAPTURED, "capture", told)


def is_listed(entries: Iterable[str], email: str) -> bool:
    """Return whether an address, or its domain, is among the entries of an allowlist.

    By its domain only one whose local part no relay reads another address out of; PostgreSQL asks the same.
    """
    listed, (local, _, domain) = set(entries), email.rpartition("@")
    return email in listed or (domain in listed and PLAIN_LOCAL_PART.fullmatch(local) is not None)


def hold_of(environment: Environment, inbox: Inbox) -> Hold | None:
    """Return the pause that makes mail of this inbox wait, if there is one."""
    if environment.outbound_paused:
        return Hold("environment_paused", "Outgoing mail of the environment is paused; it waits, in order.")
    if inbox.send_paused:
        return Hold("inbox_paused", "Sending of the inbox is paused; its mail waits, in order.")
    return None


def obstacle(environment: Environment, inbox: Inbox, decisions: Sequence[Decision]) -> Conflict | None:
    """Return what keeps mail from leaving that may leave: a domain without rights, or no transport."""
    if not any(decision.goes_to for decision in decisions):
        return None
    if inbox.domain_id and not _is_verified(environment, inbox.domain_id):
        return DomainNotVerified()
    return _trouble_with_transport(environment)


def _trouble_with_transport(environment: Environment) -> Conflict | None:
    try:
        return None if transport_of(environment) else TransportNotConfigured()
    except (CannotOpen, WrongConfig):
        return TransportNotConfigured(
            "The settings of this environment's transport cannot be used.", fix="Have a person configure it anew."
        )


def _is_verified(environment: Environment, domain_id: str) -> bool:
    rows = Domain.objects.in_environment(environment)
    return rows.filter(pk=domain_id, status=Domain.Status.VERIFIED).exists()


def by_destination(decisions: Sequence[Decision]) -> Mapping[str, list[Decision]]:
    """Return the decisions that let the mail leave, by where it goes: it goes there once."""
    leaving: dict[str, list[Decision]] = {}
    for decision in decisions:
        if decision.goes_to:
            leaving.setdefault(decision.goes_to, []).append(decision)
    return leaving
