"""Quarantine: mail that was taken in and kept aside, until somebody lets it through or deletes it."""

from environments.callers import Actor
from environments.locks import lock
from environments.models import Environment
from environments.services.audit import record
from mail.models import Message
from mail.services import search
from mail.services.arrivals import announce_arrivals
from mail.services.inbound import happening
from mail.services.threads import Threads, clues_of, recount
from webhooks.services.events import publish


def release(environment: Environment, message: Message, *, actor: Actor) -> Message:
    """Let a quarantined message through, as if it had just been received: it joins its thread and is told of.

    The transaction is bound to the environment. A message that is not in quarantine, or no more, stays as it is. Raises
    NotFound when it has gone already.
    """
    lock(message, Message.objects.in_environment(environment))
    if message.status != Message.Status.QUARANTINED:
        return message
    _join(environment, message)
    search.index(environment, [message])
    record(
        environment.organization_id,
        actor,
        "message.released",
        message.pk,
        environment=environment,
        before={"quarantine_reasons": message.quarantine_reasons},
    )
    publish(environment.pk, [happening(message)])
    announce_arrivals([message.inbox_id])
    return message


def _join(environment: Environment, message: Message) -> None:
    """Take the message out of the thread in which it was kept aside, and into the one it belongs to."""
    aside, clues = message.thread_id, clues_of(message)
    threads = Threads(environment, [(message, clues)])
    message.status = Message.Status.RECEIVED
    threads.join(message, clues)
    threads.save()
    message.save(update_fields=["status", "thread"])
    recount(environment, {aside, message.thread_id})  # older than what its thread has had since, it is not its latest
