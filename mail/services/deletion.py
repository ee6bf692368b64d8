"""Deleting mail: rows, what hangs on them, and the objects that nothing refers to any more.

Locks are taken in the order in which receiving takes them: messages, threads, blobs.
"""

from dataclasses import dataclass, replace

from django.db.models import QuerySet, Sum

from environments.callers import Actor
from environments.errors import NotFound
from environments.locks import lock
from environments.models import Environment
from environments.services import usage
from environments.services.audit import record
from inboxes.models import Inbox
from inboxes.services.inboxes import demand_person_to_delete, release_inbox
from mail.models import Attachment, Draft, DraftFile, Message, Thread
from mail.services import blobs, threads


@dataclass(frozen=True)
class Gone:
    """What deleted messages leave behind."""

    count: int
    size: int
    thread_ids: frozenset[str]
    blob_ids: frozenset[str]


def delete_messages(environment: Environment, messages: QuerySet[Message]) -> int:
    """Delete these messages of the environment that the transaction is bound to; return how many they were."""
    gone = _delete_rows(environment, messages)
    threads.recount(environment, gone.thread_ids)
    _free(environment, gone)
    return gone.count


def delete_message(environment: Environment, message: Message, *, actor: Actor | None = None) -> None:
    """Delete a message; its thread goes with its last one. Raises NotFound when it has gone already.

    With an ``actor`` the audit log tells who deleted it.
    """
    if not delete_messages(environment, Message.objects.in_environment(environment).filter(pk=message.pk)):
        raise NotFound
    if actor:
        before = {"inbox_id": message.inbox_id, "direction": message.direction, "status": message.status}
        record(
            environment.organization_id, actor, "message.deleted", message.pk, environment=environment, before=before
        )


def delete_thread(environment: Environment, thread: Thread) -> int:
    """Delete a thread with its messages; return how many they were. Raises NotFound when it has gone already."""
    count = delete_messages(environment, Message.objects.in_environment(environment).filter(thread=thread))
    if not count:  # there is no thread without messages
        raise NotFound
    return count


def delete_inbox(environment: Environment, inbox: Inbox, *, actor: Actor) -> int:
    """Delete an inbox with its mail, and hold its address; return how many messages went with it.

    Raises NotFound when it has gone already, and PersonRequired for a key where the inbox could be made anew without
    what holds its mail back.
    """
    lock(inbox, Inbox.objects.in_environment(environment))  # arriving mail waits
    demand_person_to_delete(inbox, environment, actor)
    gone = _delete_rows(environment, Message.objects.in_environment(environment).filter(inbox=inbox))
    drafted = _of_drafts(environment, inbox)
    release_inbox(inbox, environment, actor=actor)  # its threads and drafts go with it
    _free(environment, replace(gone, size=gone.size + drafted.size, blob_ids=gone.blob_ids | drafted.blob_ids))
    return gone.count


def _of_drafts(environment: Environment, inbox: Inbox) -> Gone:
    """Return what the drafts of an inbox leave behind, which go with it."""
    drafts = Draft.objects.in_environment(environment).filter(inbox=inbox)
    files = DraftFile.objects.in_environment(environment).filter(version__draft__inbox=inbox)
    size = drafts.aggregate(total=Sum("size"))["total"] or 0
    return Gone(0, size, frozenset(), frozenset(files.values_list("blob_id", flat=True)))


def _delete_rows(environment: Environment, messages: QuerySet[Message]) -> Gone:
    locked = messages.order_by("pk").select_for_update()  # who deletes the same at the same time finds nothing
    found = list(locked.values_list("pk", "thread_id", "raw_id", "size"))
    ids = [pk for pk, *_ in found]
    attached = Attachment.objects.in_environment(environment).filter(message__in=ids).values_list("blob_id", flat=True)
    gone = Gone(
        count=len(found),
        size=sum(size for *_, size in found),
        thread_ids=frozenset(thread for _, thread, _, _ in found),
        blob_ids=frozenset([*(raw for _, _, raw, _ in found), *attached]),
    )
    Message.objects.in_environment(environment).filter(pk__in=ids).delete()
    return gone


def _free(environment: Environment, gone: Gone) -> None:
    """Delete the bytes that nothing refers to any more, and count what is kept no longer."""
    blobs.release(environment, gone.blob_ids)
    if gone.size:
        usage.count(environment.pk, {"bytes_stored": -gone.size})
