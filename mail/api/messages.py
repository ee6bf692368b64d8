"""Messages over the API: read, labelled, deleted. How they are sent is in ``mail.api.sending``."""

from __future__ import annotations  # a view's `list` is not the builtin

from collections.abc import Sequence
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from environments import clock
from environments.errors import field_error
from environments.ids import first_at, is_id
from environments.pages import page_by_id
from environments.viewsets import EnvironmentViewSet, takes
from inboxes.models import Inbox
from mail.api.bodies import (
    BatchGetBody,
    BatchUpdateBody,
    LabelsBody,
    MessageChanges,
    MessageQuery,
    OneMessageQuery,
)
from mail.api.listing import Listed, newest
from mail.api.present import MessageOutput, codes_json, message_json, messages_json
from mail.gates import MOST_MATCHES
from mail.models import Message, MessageLabel, MessageRecipient, Thread
from mail.search import parse_query
from mail.services import blobs, deletion, labels, quarantine, search
from mail.services.rows import storable_address


class MessagesBase(EnvironmentViewSet):
    """What the views on messages share."""

    resource = "messages"
    model = Message

    def narrowed(self, rows: QuerySet, asked: dict[str, Any]) -> QuerySet:
        """Return the messages that the query's filters let through; what is in quarantine must be asked for."""
        if "status" not in asked:
            rows = rows.exclude(status=Message.Status.QUARANTINED)
        for name in ("direction", "status"):
            if name in asked:
                rows = rows.filter(**{name: asked[name]})
        if asked["has_attachments"] is not None:
            rows = rows.filter(has_attachments=asked["has_attachments"])
        if "from" in asked:
            rows = rows.filter(from_email=storable_address(asked["from"]))
        if "subject" in asked:
            rows = rows.filter(subject__icontains=asked["subject"])
        if "q" in asked:
            found = search.find(self.environment, parse_query(asked["q"], clock.now()), most=MOST_MATCHES)
            rows = rows.filter(pk__in=[match.message_id for match in found])
        if "thread_id" in asked:
            rows = rows.filter(thread=self.found(asked["thread_id"], Thread))
        return self._with_labels_and_recipient(_within(rows, asked), asked)

    def _with_labels_and_recipient(self, rows: QuerySet, asked: dict[str, Any]) -> QuerySet:
        for label in labels.normalised(asked.get("label", [])):
            labelled = self.rows(MessageLabel).filter(label=label, message=OuterRef("pk"))
            rows = rows.filter(Exists(labelled))
        if "to" in asked:
            email = storable_address(asked["to"])
            rows = rows.filter(Exists(self.rows(MessageRecipient).filter(email=email, message=OuterRef("pk"))))
        return rows

    def answer(self, inbox: Inbox | None = None) -> Response:
        """Return one page of the messages of the environment, or of an inbox of it, narrowed by the query."""
        asked, within = self.query(), f" {inbox.pk}" if inbox else ""
        if asked == UNNARROWED:
            return Response(self._newest(inbox, within))
        with_bodies = asked.get("include") == "body"
        rows = self.narrowed(self.get_queryset().filter(inbox=inbox) if inbox else self.get_queryset(), asked)
        if not with_bodies:
            rows = rows.defer("text_body", "html_body", "extracted_text", "extracted_html")

        def present(found: Sequence[Message]) -> list[dict[str, Any]]:
            return messages_json(self.environment, found, with_bodies=with_bodies)

        return self.listed(rows, present, within=within)

    def _newest(self, inbox: Inbox | None, within: str) -> dict[str, Any]:
        def find(after: str | None, limit: int) -> list[Listed]:
            return newest(self.environment, inbox.pk if inbox else None, after, limit)

        def present(found: Sequence[Listed]) -> list[dict[str, Any]]:
            return messages_json(self.environment, found, with_bodies=False)

        return page_by_id(self.request, find, present, name=f"{type(self).__name__}{within}")


UNNARROWED = {"has_attachments": None}  # what a query comes to that says nothing


def _within(rows: QuerySet, asked: dict[str, Any]) -> QuerySet:
    """Return the messages between two moments: their ids tell the time."""
    if "before" in asked:
        rows = rows.filter(pk__lt=first_at("msg", asked["before"]))
    if "after" in asked:
        rows = rows.filter(pk__gte=first_at("msg", asked["after"]))
    return rows


class MessageView(MessagesBase):
    """The messages of an environment."""

    @takes(MessageQuery)
    @extend_schema(responses=MessageOutput(many=True))
    def list(self, request: Request) -> Response:
        """List the messages of the whole environment; those in quarantine with ``status=quarantined``."""
        return self.answer()

    @takes(OneMessageQuery)
    @extend_schema(responses=MessageOutput)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Return one message, bodies included; the codes and links in it with ``include=codes``."""
        message = self.found(pk)
        found = codes_json(message) if "include" in self.query() else {}
        return Response({**message_json(self.environment, message), **found})

    @extend_schema(request=None, responses=MessageOutput)
    def release(self, request: Request, pk: str) -> Response:
        """Let a message out of quarantine: it joins its thread, and ``message.received`` tells of it."""
        released = quarantine.release(self.environment, self.found(pk), actor=self.caller.actor)
        return Response(message_json(self.environment, released))

    @extend_schema(responses={(200, "message/rfc822"): OpenApiTypes.BINARY})
    def raw(self, request: Request, pk: str) -> HttpResponse:
        """Return the message byte for byte as it was received, or as it would have been sent."""
        message = self.found(pk)
        response = HttpResponse(blobs.read(message.raw), content_type="message/rfc822")
        response["Content-Disposition"] = f'attachment; filename="{message.pk}.eml"'
        return as_download(response)

    @extend_schema(request=MessageChanges, responses=MessageOutput)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Replace the labels of a message."""
        message = self.found(pk)
        labels.replace(self.environment, message, self.body(MessageChanges)["labels"])
        return Response(message_json(self.environment, message))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a message; its thread goes with its last one."""
        deletion.delete_message(self.environment, self.found(pk))
        return Response(status=204)

    @extend_schema(request=LabelsBody, responses=MessageOutput)
    def add_labels(self, request: Request, pk: str) -> Response:
        """Add labels to a message."""
        message = self.found(pk)
        labels.add(self.environment, [message], self.body(LabelsBody)["labels"])
        return Response(message_json(self.environment, message))

    @extend_schema(request=LabelsBody, responses={200: MessageOutput})
    def remove_labels(self, request: Request, pk: str) -> Response:
        """Remove labels from a message."""
        message = self.found(pk)
        labels.remove(self.environment, [message], self.body(LabelsBody)["labels"])
        return Response(message_json(self.environment, message))


class BatchOutput(serializers.Serializer):
    """The messages found, in the order asked for, and the ids that are not there."""

    data = MessageOutput(many=True)
    not_found = serializers.ListField(child=serializers.CharField())


class MessageBatchView(MessagesBase):
    """Many messages at once."""

    scopes = {"batch_get": "messages:read"}  # noqa: RUF012 - declared in the base

    def _asked(self, ids: list[str]) -> tuple[list[Message], list[str]]:
        valid = {identifier for identifier in ids if is_id("msg", identifier)}
        by_id = {row.pk: row for row in self.get_queryset().filter(pk__in=valid)}
        return [by_id[key] for key in dict.fromkeys(ids) if key in by_id], [key for key in ids if key not in by_id]

    def _answer(self, found: list[Message], missing: list[str]) -> Response:
        return Response({"data": messages_json(self.environment, found), "not_found": missing})

    @extend_schema(request=BatchGetBody, responses=BatchOutput)
    def batch_get(self, request: Request) -> Response:
        """Return up to 100 messages by id."""
        return self._answer(*self._asked(self.body(BatchGetBody)["ids"]))

    @extend_schema(request=BatchUpdateBody, responses=BatchOutput)
    def batch_update(self, request: Request) -> Response:
        """Add and remove labels on up to 100 messages."""
        given = self.body(BatchUpdateBody)
        if not given["add_labels"] and not given["remove_labels"]:
            raise field_error("add_labels", "Name labels to add or to remove.")
        found, missing = self._asked(given["ids"])
        if found:
            labels.add(self.environment, found, given["add_labels"])
            labels.remove(self.environment, found, given["remove_labels"])
        return self._answer(found, missing)


def as_download(response: HttpResponse) -> HttpResponse:
    """Return the answer in a form that no browser runs."""
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response
