"""Messages: mail that was received or sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Optional, Union, overload

from typing_extensions import Unpack

from agentpost._calls import Call, path_of
from agentpost._inputs import Moment, as_body
from agentpost._sync.resource import Resource
from agentpost._sync.waiting import arrival
from agentpost.bodies import ForwardBody, MessageQuery, ReplyBody, SendBody
from agentpost.models import Arrival, Batch, BatchSend, Message, Plan, Timeline
from agentpost.pages import Page


class Messages(Resource):
    """``client.messages``.

    What sends takes an ``idempotency_key`` and makes one up where none is given, so that trying again, here or by you,
    never sends twice. With ``dry_run`` it returns what would happen, and does nothing. Raises ConflictError for a key
    that another mail was sent under, ConfigurationError for a file that cannot be read.
    """

    @overload
    def send(
        self, inbox_id: str, *, dry_run: Literal[True], idempotency_key: Optional[str] = ..., **mail: Unpack[SendBody]
    ) -> Plan: ...

    @overload
    def send(
        self,
        inbox_id: str,
        *,
        dry_run: Literal[False] = ...,
        idempotency_key: Optional[str] = ...,
        **mail: Unpack[SendBody],
    ) -> Message: ...

    def send(
        self, inbox_id: str, *, dry_run: bool = False, idempotency_key: Optional[str] = None, **mail: Unpack[SendBody]
    ) -> Union[Message, Plan]:
        """Send a mail from an inbox. ``attachments`` are paths, ``att_`` ids, uploads, or dicts with ``content``."""
        path = path_of("inboxes", inbox_id, "messages")
        if dry_run:
            return self._plan(path, Plan, mail)
        return self._send(path, Message, mail, idempotency_key)

    def send_batch(
        self,
        inbox_id: str,
        messages: Sequence[SendBody],
        *,
        idempotency_key: Optional[str] = None,
        dry_run: bool = False,
    ) -> BatchSend:
        """Send up to 100 mails; each item of ``data`` has a ``message``, a ``plan``, or an ``error``."""
        path, body = path_of("inboxes", inbox_id, "messages", "batch"), {"messages": messages}
        if dry_run:
            return self._plan(path, BatchSend, body)
        return self._send(path, BatchSend, body, idempotency_key)

    @overload
    def reply(
        self,
        message_id: str,
        *,
        dry_run: Literal[True],
        idempotency_key: Optional[str] = ...,
        **mail: Unpack[ReplyBody],
    ) -> Plan: ...

    @overload
    def reply(
        self,
        message_id: str,
        *,
        dry_run: Literal[False] = ...,
        idempotency_key: Optional[str] = ...,
        **mail: Unpack[ReplyBody],
    ) -> Message: ...

    def reply(
        self,
        message_id: str,
        *,
        dry_run: bool = False,
        idempotency_key: Optional[str] = None,
        **mail: Unpack[ReplyBody],
    ) -> Union[Message, Plan]:
        """Reply to the sender of a message."""
        path = path_of("messages", message_id, "reply")
        if dry_run:
            return self._plan(path, Plan, mail)
        return self._send(path, Message, mail, idempotency_key)

    @overload
    def reply_all(
        self,
        message_id: str,
        *,
        dry_run: Literal[True],
        idempotency_key: Optional[str] = ...,
        **mail: Unpack[ReplyBody],
    ) -> Plan: ...

    @overload
    def reply_all(
        self,
        message_id: str,
        *,
        dry_run: Literal[False] = ...,
        idempotency_key: Optional[str] = ...,
        **mail: Unpack[ReplyBody],
    ) -> Message: ...

    def reply_all(
        self,
        message_id: str,
        *,
        dry_run: bool = False,
        idempotency_key: Optional[str] = None,
        **mail: Unpack[ReplyBody],
    ) -> Union[Message, Plan]:
        """Reply to everybody who has a message."""
        path = path_of("messages", message_id, "reply-all")
        if dry_run:
            return self._plan(path, Plan, mail)
        return self._send(path, Message, mail, idempotency_key)

    @overload
    def forward(
        self,
        message_id: str,
        *,
        dry_run: Literal[True],
        idempotency_key: Optional[str] = ...,
        **mail: Unpack[ForwardBody],
    ) -> Plan: ...

    @overload
    def forward(
        self,
        message_id: str,
        *,
        dry_run: Literal[False] = ...,
        idempotency_key: Optional[str] = ...,
        **mail: Unpack[ForwardBody],
    ) -> Message: ...

    def forward(
        self,
        message_id: str,
        *,
        dry_run: bool = False,
        idempotency_key: Optional[str] = None,
        **mail: Unpack[ForwardBody],
    ) -> Union[Message, Plan]:
        """Send a message on to others."""
        path = path_of("messages", message_id, "forward")
        if dry_run:
            return self._plan(path, Plan, mail)
        return self._send(path, Message, mail, idempotency_key)

    def list(self, inbox_id: Optional[str] = None, **query: Unpack[MessageQuery]) -> Page[Message]:
        """List messages, the newest first: of an inbox, or of the whole environment. ``include="body"`` adds bodies."""
        path = "/messages" if inbox_id is None else path_of("inboxes", inbox_id, "messages")
        return self._list(path, Message, query)

    def get(self, message_id: str, *, include: Optional[str] = None) -> Message:
        """Return a message; ``include="codes"`` adds the one-time codes and links in it."""
        return self._get(path_of("messages", message_id), Message, {"include": include})

    def raw(self, message_id: str) -> bytes:
        """Return a message as it was received or sent, byte for byte (RFC 5322)."""
        return (self._connection.answer(Call("GET", path_of("messages", message_id, "raw")))).content

    def timeline(self, message_id: str) -> Timeline:
        """Return every step that a message took, with its reason."""
        return self._get(path_of("messages", message_id, "timeline"), Timeline)

    def update(self, message_id: str, *, labels: Sequence[str]) -> Message:
        """Give a message these labels in place of those it has."""
        return self._patch(path_of("messages", message_id), Message, {"labels": labels})

    def add_labels(self, message_id: str, labels: Sequence[str]) -> Message:
        """Add labels to a message."""
        path = path_of("messages", message_id, "labels")
        return self._post(path, Message, {"labels": labels}, is_harmless=True)

    def remove_labels(self, message_id: str, labels: Sequence[str]) -> Message:
        """Take labels off a message."""
        call = Call("DELETE", path_of("messages", message_id, "labels"), body=as_body({"labels": labels}))
        return self._made(call, Message)

    def delete(self, message_id: str) -> None:
        """Delete a message."""
        self._delete(path_of("messages", message_id))

    def cancel(self, message_id: str) -> Message:
        """Keep a message from leaving that is still queued or scheduled."""
        return self._post(path_of("messages", message_id, "cancel"), Message)

    def release(self, message_id: str) -> Message:
        """Take a message out of quarantine."""
        return self._post(path_of("messages", message_id, "release"), Message)

    def batch_get(self, ids: Sequence[str]) -> Batch:
        """Return up to 100 messages, and which ids were not found."""
        return self._post("/messages/batch-get", Batch, {"ids": ids}, is_harmless=True)

    def batch_update(
        self, ids: Sequence[str], *, add_labels: Sequence[str] = (), remove_labels: Sequence[str] = ()
    ) -> Batch:
        """Add labels to, and take labels off, up to 100 messages."""
        body = {"ids": ids, "add_labels": add_labels, "remove_labels": remove_labels}
        return self._post("/messages/batch-update", Batch, body, is_harmless=True)

    def wait(
        self,
        inbox_id: str,
        *,
        timeout: float = 60.0,
        since: Optional[Moment] = None,
        after: Optional[str] = None,
        from_: Optional[str] = None,
        subject: Optional[str] = None,
    ) -> Arrival:
        """Wait for mail, and return the oldest that matches, with the one-time codes and links in it.

        ``since`` is a moment by the server's clock, as in ``now`` of an earlier answer, ``after`` the id of a message;
        without either, mail is waited for that comes from now on. After ``timeout`` seconds, which may be any number,
        ``message`` is None and ``timed_out`` true.
        """
        wanted: dict[str, Any] = {"since": since, "after": after, "from_": from_, "subject": subject}
        return arrival(self._connection, path_of("inboxes", inbox_id, "messages", "wait"), wanted, timeout)
