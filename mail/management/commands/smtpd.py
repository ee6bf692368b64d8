"""``manage.py smtpd``: one process that takes mail in over SMTP, from senders and from mail clients, and over LMTP."""

import gc
from collections.abc import Callable
from functools import partial, wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import close_old_connections

from environments.telemetry.beats import loop_beating
from mail.services.attempts import Attempts
from mail.services.examine import examine
from mail.services.receive import receive
from mail.services.recipients import recipient_of
from mail.services.submission import admit, submit
from mail.smtp import SmtpOptions, serve
from mail.smtp.certificates import own_certificate

YOUNG_OBJECTS = 10_000  # that are allocated before those of them that refer to one another are looked for

Given = ParamSpec("Given")
Returned = TypeVar("Returned")


class Command(BaseCommand):
    """Run until SIGTERM; any number of these may share one port."""

    help = "Take mail in over SMTP (and LMTP), until told to stop."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default=",".join(settings.AGENTPOST_SMTP_HOST), help="Addresses, by commas.")
        parser.add_argument("--port", type=int, default=settings.AGENTPOST_SMTP_PORT)
        parser.add_argument("--lmtp-port", type=int, default=settings.AGENTPOST_LMTP_PORT)
        parser.add_argument("--submission-port", type=int, default=settings.AGENTPOST_SUBMISSION_PORT)
        parser.add_argument("--submission-tls-port", type=int, default=settings.AGENTPOST_SUBMISSION_TLS_PORT)

    def handle(self, *_: Any, **options: Any) -> None:
        gc.freeze()  # what is loaded stays: no collection is to look through it for each few mails
        gc.set_threshold(YOUNG_OBJECTS)
        serve(
            SmtpOptions(
                hostname=settings.AGENTPOST_SHARED_DOMAIN,
                hosts=tuple(options["host"].split(",")),
                port=options["port"],
                lmtp_port=options["lmtp_port"] or None,
                submission_port=options["submission_port"] or None,
                submission_tls_port=options["submission_tls_port"] or None,
                submission_certificate=_submission_certificate(options),
                max_message_size=settings.AGENTPOST_MAX_MESSAGE_SIZE,
                tls_certificate=_path(settings.AGENTPOST_TLS_CERTIFICATE),
                tls_key=_path(settings.AGENTPOST_TLS_KEY),
            ),
            on_a_live_connection(recipient_of),
            examine,
            on_a_live_connection(receive),
            note=on_a_live_connection(Attempts().note),
            submission=(on_a_live_connection(admit), on_a_live_connection(submit)),
            beside=partial(loop_beating, "smtp"),
        )


def _submission_certificate(options: dict[str, Any]) -> Path | None:
    """Return a certificate of our own where one is needed and the operator has given none."""
    if settings.AGENTPOST_TLS_CERTIFICATE or not (options["submission_port"] or options["submission_tls_port"]):
        return None
    return own_certificate(settings.AGENTPOST_DATA_DIR, settings.AGENTPOST_SHARED_DOMAIN)


def _path(name: str) -> Path | None:
    return Path(name) if name else None


def on_a_live_connection(work: Callable[Given, Returned]) -> Callable[Given, Returned]:
    """Return the work for a thread that lives long: a connection that the database closed is opened anew."""

    @wraps(work)
    def connected(*args: Given.args, **kwargs: Given.kwargs) -> Returned:
        close_old_connections()
        return work(*args, **kwargs)

    return connected
