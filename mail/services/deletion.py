"""Deleting mail: rows, what hangs on them, and the objects that nothing refers to any more."""

from environments.callers import Actor
from environments.models import Environment
from environments.services import usage
from inboxes.models import Inbox
from inboxes.services.inboxes import release_inbox
from mail.models import Attachment, Message, Thread
from mail.services import blobs, threads


def delete_messages(environment: Environment, messages: "Message.QuerySet") -> int:  # type: ignore[name-defined]
    """Delete these messages of the environment that the transaction is bound to; return how many they were."""
    found = list(messages.values_list("pk", "thread_id", "raw_id", "size"))
    ids = [pk for pk, *_ in found]
    blob_ids = {raw for _, _, raw, _ in found} | _attached(environment, ids)
    Message.objects.in_environment(environment).filter(pk__in=ids).delete()
    threads.recount(environment, {thread for _, thread, _, _ in found})
    blobs.release(environment, blob_ids)
    if found:
        usage.count(environment.pk, {"bytes_stored": -sum(size for *_, size in found)})
    return len(found)


def _attached(environment: Environment, message_ids: list[str]) -> set[str]:
    rows = Attachment.objects.in_environment(environment).filter(message__in=message_ids)
    return set(rows.values_list("blob_id", flat=True))


def delete_thread(environment: Environment, thread: Thread) -> int:
    """Delete a thread with its messages; return how many they were."""
    return delete_messages(environment, Message.objects.in_environment(environment).filter(thread=thread))


def delete_inbox(environment: Environment, inbox: Inbox, *, actor: Actor) -> int:
    """Delete an inbox with its mail, and hold its address; return how many messages went with it."""
    deleted = delete_messages(environment, Message.objects.in_environment(environment).filter(inbox=inbox))
    release_inbox(inbox, environment, actor=actor)
    return deleted
