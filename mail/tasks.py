"""Chores of mail, run by the worker."""

from datetime import timedelta

from django.conf import settings
from procrastinate.contrib.django import app

from environments import clock
from environments.binding import inside
from environments.gates import environment_id_of
from environments.ids import first_at
from environments.models import Environment
from mail.models import Attachment, IntakeEntry, Message, StrayIntake
from mail.services import blobs, search


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
