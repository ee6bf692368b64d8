"""Judge: what the inboxes of one environment make of mails that arrive, in a constant number of queries."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.db.models import Q

from environments.models import Environment
from inboxes.matching import Decision
from inboxes.models import Domain, Inbox
from inboxes.services.filter_rules import receive_decisions
from mail.automatic import loop_of
from mail.inspection import Ours, names_to_look_up
from mail.models import Message
from mail.services.inbound import Delivery, Judged
from mail.services.reports import proves_itself
from mail.services.verdicts import Outcome, Verdict, verdict_on

MOST_DOMAINS = 500  # that a sender's is compared with


def judge(environment: Environment, deliveries: Sequence[Delivery]) -> list[Judged]:
    """Return what becomes of each delivery, in order; the transaction is bound to the environment."""
    known = _known(environment, deliveries)
    asked = [(one.inbox_id, one.senders, one.reading.authentication.aligned) for one in deliveries]
    decisions = receive_decisions(environment, asked)
    ours = _ours(environment, deliveries)
    judged = []
    for delivery, decision in zip(deliveries, decisions, strict=True):
        place = delivery.inbox_id, delivery.retry_key
        if place in known:
            judged.append(Judged(delivery, (), Verdict(Outcome.REPEATED, message_id=known[place])))
            continue
        judged.append(_judged(delivery, environment, decision, ours))
        if delivery.retry_key and judged[-1].verdict.outcome is not Outcome.REFUSED:
            known[place] = None  # its twin in this very batch
    return judged


def _judged(delivery: Delivery, environment: Environment, decision: Decision, ours: Ours) -> Judged:
    reading = delivery.reading
    findings = reading.inspection.against(ours)
    loop = loop_of(reading.mail, settings.SECRET_KEY.encode(), [delivery.inbox_id])
    verdict = verdict_on(reading.authentication, environment, decision, findings, loop=loop)
    if verdict.outcome is Outcome.REFUSED and verdict.is_for_want_of_proof and proves_itself(delivery):
        verdict = verdict.softened()  # a bounce of a mail that this inbox sent is believed, and not shown
    return Judged(delivery, findings, verdict)


def _known(environment: Environment, deliveries: Sequence[Delivery]) -> dict[tuple[str, bytes | None], str | None]:
    """Return the messages that are there already, by inbox and key: their senders try again."""
    wanted = {(one.inbox_id, key) for one in deliveries if (key := one.retry_key)}
    rows = Message.objects.in_environment(environment).filter(
        inbox__in={inbox for inbox, _ in wanted}, raw_sha256__in={key for _, key in wanted}
    )
    found = rows.values_list("inbox", "raw_sha256", "pk") if wanted else []
    return {(inbox, bytes(key)): message for inbox, key, message in found if key}


def _ours(environment: Environment, deliveries: Sequence[Delivery]) -> Ours:
    """Return by what names the environment may be meant in these mails: its inboxes and its domains."""
    claimed = {name for one in deliveries for name in names_to_look_up(one.reading.mail)}
    meant = Q(pk__in={one.inbox_id for one in deliveries}) | Q(email__in=claimed)
    inboxes = list(Inbox.objects.in_environment(environment).filter(meant).values_list("email", "display_name"))
    domains = Domain.objects.in_environment(environment).filter(status=Domain.Status.VERIFIED).order_by("pk")
    return Ours(
        addresses=frozenset(email for email, _ in inboxes),
        names=frozenset(name for _, name in inboxes if name),
        domains=frozenset(domains.values_list("name", flat=True)[:MOST_DOMAINS]),
    )
