"""Judge: what the inboxes of one environment make of mails that arrive, in a constant number of queries."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from environments.encryption import server_secrets
from environments.ids import decode, encode
from environments.models import Environment
from environments.prepared import Prepared
from inboxes.matching import Decision
from inboxes.models import Domain
from inboxes.services.filter_rules import receive_decisions
from mail.automatic import loop_of
from mail.inspection import Ours, names_to_look_up
from mail.services.inbound import Delivery, Judged
from mail.services.reports import proves_itself
from mail.services.verdicts import Outcome, Verdict, verdict_on

MOST_DOMAINS = 500  # that a sender's is compared with
KNOWN = """
SELECT inbox_id, raw_sha256, id
  FROM mail_message
 WHERE environment_id = %s AND inbox_id = ANY (%s) AND raw_sha256 = ANY (%s)
"""
OURS = Prepared(
    "ours",
    """
SELECT email, display_name, NULL
  FROM inboxes_inbox
 WHERE environment_id = $1 AND (id = ANY ($2) OR email = ANY ($3::text[]))
UNION ALL
(SELECT NULL, NULL, name FROM inboxes_domain WHERE environment_id = $1 AND status = $4 ORDER BY id LIMIT $5)
""",
    5,
)


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
    loop = loop_of(reading.mail, [secret.encode() for secret in server_secrets()], [delivery.inbox_id])
    verdict = verdict_on(reading.authentication, environment, decision, findings, loop=loop)
    if verdict.outcome is Outcome.REFUSED and verdict.is_for_want_of_proof and proves_itself(delivery):
        verdict = verdict.softened()  # a bounce of a mail that this inbox sent is believed, and not shown
    return Judged(delivery, findings, verdict)


def _known(environment: Environment, deliveries: Sequence[Delivery]) -> dict[tuple[str, bytes | None], str | None]:
    """Return the messages that are there already, by inbox and key: their senders try again."""
    wanted = {(one.inbox_id, key) for one in deliveries if (key := one.retry_key)}
    if not wanted:
        return {}
    inboxes = [decode("inb", inbox) for inbox, _ in wanted]
    with connection.cursor() as cursor:
        cursor.execute(KNOWN, [decode("env", environment.pk), inboxes, [key for _, key in wanted]])
        return {(encode("inb", inbox), bytes(key)): encode("msg", pk) for inbox, key, pk in cursor.fetchall()}


def _ours(environment: Environment, deliveries: Sequence[Delivery]) -> Ours:
    """Return by what names the environment may be meant in these mails: its inboxes and its domains."""
    claimed = {name for one in deliveries for name in names_to_look_up(one.reading.mail)}
    place = decode("env", environment.pk)
    inboxes = [decode("inb", inbox) for inbox in {one.inbox_id for one in deliveries}]
    found = OURS.rows([place, inboxes, list(claimed), Domain.Status.VERIFIED.value, MOST_DOMAINS])
    return Ours(
        addresses=frozenset(email for email, _, _ in found if email),
        names=frozenset(name for _, name, _ in found if name),
        domains=frozenset(domain for _, _, domain in found if domain),
    )
