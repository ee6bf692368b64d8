"""What a conversation leaves in figures and in the log: how it went, and nothing of what was said."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import cache
from time import perf_counter

from prometheus_client import Counter
from structlog.contextvars import bind_contextvars

from environments.ids import new_id
from environments.telemetry import metrics, traces
from mail.intake import Arrival

log = logging.getLogger(__name__)

OUTCOMES = {"2": "stored", "4": "deferred", "5": "refused"}


@contextmanager
def conversation(door: str, peer: str) -> Iterator[None]:
    """Count a conversation, and give its lines in the log a name in common."""
    bind_contextvars(session=new_id("smt"), peer=peer)
    metrics.SMTP_SESSIONS.labels(door).inc()
    traced = traces.coming_from("smtp.session", door=door) if traces.is_on() else nullcontext()
    with traced, metrics.SMTP_OPEN.labels(door).track_inprogress():
        yield


def replied(door: str, reply: str) -> None:
    """Count a reply by the first digit of its code."""
    _replies(door, reply[0]).inc()


@cache
def _replies(door: str, digit: str) -> Counter:
    return metrics.SMTP_REPLIES.labels(door, f"{digit}xx")


def taken(door: str, octets: int) -> None:
    """Count the octets of a mail that was read to its end."""
    metrics.MAIL_BYTES.labels(door).inc(octets)


def mail_answered(door: str, replies: Sequence[str], began: float) -> None:
    """Count a mail, once for each answer that was due; ``began`` is when DATA was let in, of ``perf_counter``."""
    metrics.MAIL_SECONDS.labels(door).observe(perf_counter() - began)
    for reply in replies:
        metrics.MAILS.labels(door, OUTCOMES[reply[0]]).inc()


def mail_came(arrival: Arrival, replies: Iterable[str]) -> None:
    """Log a mail that came to its end: from where, how large, and what was answered."""
    domain, recipients = domain_of(arrival.envelope_sender), len(arrival.recipients)
    log.info("mail of %s, %d octets, %d recipients: %s", domain, len(arrival.raw), recipients, sorted(replies))


def domain_of(sender: str) -> str:
    """Return what the log tells of a sender: the domain; `<>` of the null sender."""
    return sender.rpartition("@")[2] or "<>"
