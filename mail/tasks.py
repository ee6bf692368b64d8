"""Chores of mail, run by the worker."""

import logging
from datetime import timedelta

from django.conf import settings
from procrastinate.contrib.django import app

from environments import clock
from environments.binding import inside
from environments.gates import ask, environment_id_of
from environments.ids import encode, first_at
from environments.models import Environment
from mail.models import Attachment, Draft, IntakeEntry, Message, RecipientHour, SendingWindow, StrayIntake
from mail.services import blobs, search, uploads
from mail.services.drafts.dispatch import attend, put_off
from mail.services.retention import Forgetting

logger = logging.getLogger(__name__)


@app.task(name="mail.tasks.index_attachments")
def index_attachments(message_id: str) -> int:
    """Read a message's attachments and make their text findable; return how many had any.

    The message says whose it is, and nobody else does. Safe to run twice, and on a message that is gone.
    """
    environment_id = environment_id_of(Message, message_id)
    if environment_id is None:
        return 0
    environment = Environment(pk=environment_id)
    texts = {file.pk: text for file in _files(environment, message_id) if (text := _read(file))}
    with inside(environment):
        rows = Message.objects.in_environment(environment).filter(pk=message_id)
        message = rows.select_for_update().first()  # so that nobody deletes or releases it meanwhile
        if message is None:
            return 0
        search.index_texts(environment, message, texts)
    return len(texts)


def _files(environment: Environment, message_id: str) -> list[Attachment]:
    with inside(environment):
        rows = Attachment.objects.in_environment(environment).filter(message=message_id).select_related("blob")
        return [file for file in rows.order_by("pk") if search.is_readable(file)]


def _read(file: Attachment) -> str:
    """Return the text of a file, outside of any transaction: it takes its time."""
    try:
        content = blobs.read(file.blob)
    except FileNotFoundError:  # deleted meanwhile
        return ""
    return text_of(file.filename, file.content_type, content)


def text_of(filename: str, content_type: str, content: bytes) -> str:
    """Return the text in a file, read in a process of its own."""
    from mail.documents import text_of as read  # the worker alone pays for the readers

    return read(filename, content_type, content).text


@app.periodic(cron="23 * * * *")
@app.task(queueing_lock="forget_intake")
def forget_intake(timestamp: int) -> int:  # noqa: ARG001 - procrastinate tells when it was due
    """Delete what the intake ledger has kept for AGENTPOST_INTAKE_DAYS, environment by environment; return how much."""
    until = clock.now() - timedelta(days=settings.AGENTPOST_INTAKE_DAYS)
    forgotten = StrayIntake.objects.filter(pk__lt=first_at("sit", until)).delete()[0]
    for environment_id in Environment.everywhere.values_list("pk", flat=True).iterator():
        with inside(environment_id):
            rows = IntakeEntry.objects.in_environment(Environment(pk=environment_id))
            forgotten += rows.filter(pk__lt=first_at("itk", until)).delete()[0]
    return forgotten


@app.periodic(cron="53 * * * *")
@app.task(queueing_lock="forget_mail", lock="forget_mail")  # one may take longer than an hour
def forget_mail(timestamp: int) -> int:  # noqa: ARG001 - procrastinate tells when it was due
    """Delete the mail and the drafts that environments keep no longer; return how many.

    A batch of each environment in turn, so that one with much to delete holds up no other.
    """
    rows = Environment.everywhere.filter(message_retention_days__isnull=False).order_by("pk")
    runs = [Forgetting(environment) for environment in rows]
    under_way = runs
    while under_way:
        under_way = [run for run in under_way if _goes_on(run)]
    return sum(run.messages + run.drafts for run in runs)


def _goes_on(run: Forgetting) -> bool:
    """Do one batch of a run; one that breaks ends, and holds up no other."""
    try:
        return run.step()
    except Exception:
        logger.exception("Mail of environment %s is not forgotten", run.environment.pk)
        run.conclude()
        return False


@app.periodic(cron="41 * * * *")
@app.task(queueing_lock="forget_uploads")
def forget_uploads(timestamp: int) -> int:  # noqa: ARG001 - procrastinate tells when it was due
    """Delete the uploads that nobody sent in time, environment by environment; return how many."""
    forgotten = 0
    for environment_id in Environment.everywhere.values_list("pk", flat=True).iterator():
        with inside(environment_id):
            forgotten += uploads.forget_expired(Environment(pk=environment_id))
    return forgotten


@app.periodic(cron="37 * * * *")
@app.task(queueing_lock="forget_sending_windows")
def forget_sending_windows(timestamp: int) -> int:  # noqa: ARG001 - procrastinate tells when it was due
    """Delete what was counted in hours and days that are over, environment by environment; return how much."""
    until, forgotten = clock.now() - timedelta(days=2), 0
    for environment_id in Environment.everywhere.values_list("pk", flat=True).iterator():
        with inside(environment_id):
            here = Environment(pk=environment_id)
            windows = SendingWindow.objects.in_environment(here).filter(pk__lt=first_at("swn", until))
            hours = RecipientHour.objects.in_environment(here).filter(pk__lt=first_at("rch", until))
            forgotten += windows.delete()[0] + hours.delete()[0]
    return forgotten


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="attend_to_drafts", priority=10)
def attend_to_drafts(timestamp: int) -> int:  # noqa: ARG001 - procrastinate tells when it was due
    """Send the drafts that are due, and give up on approvals that ran out; return how many there were of both."""
    now = clock.now()
    due = [encode("env", environment_id) for (environment_id,) in ask("environments_with_due_drafts", now)]
    return sum(_attend_in(environment) for environment in Environment.everywhere.filter(pk__in=due))


def _attend_in(environment: Environment) -> int:
    """Attend to an environment's drafts, each in a transaction of its own: an answer may take its time.

    One that breaks is put off, so that the others are attended to, of this environment and of all.
    """
    with inside(environment):
        rows = Draft.objects.in_environment(environment).filter(due_at__lte=clock.now()).order_by("due_at", "pk")
        ids = list(rows.values_list("pk", flat=True))
    done = 0
    for identifier in ids:
        try:
            with inside(environment):
                done += attend(environment, identifier)
        except Exception:
            logger.exception("Draft %s is put off", identifier)
            with inside(environment):
                put_off(environment, identifier)
    return done
