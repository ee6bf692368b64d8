"""Threads, labels and attachments over the API."""

from __future__ import annotations  # a view's `list` is not the builtin

from functools import partial
from typing import Any
from urllib.parse import quote

from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from environments.binding import inside
from environments.forms import Query, ShortListField, StrictCharField
from environments.models import Environment
from environments.pages import page, page_by_name
from environments.viewsets import BaseViewSet, EnvironmentViewSet, row_with_id, takes
from inboxes.models import Inbox
from mail.api.bodies import LabelsBody, MessageChanges
from mail.api.messages import as_download
from mail.api.present import (
    AttachmentOutput,
    ThreadOutput,
    ThreadWithMessagesOutput,
    attachment_json,
    messages_json,
    threads_json,
)
from mail.models import Attachment, Message, MessageLabel, Thread, ThreadLabel
from mail.services import blobs, deletion, labels
from mail.services.links import environment_of

LATEST_FIRST = ("last_message_at", "pk")


class ThreadQuery(Query):
    """Which threads of the list."""

    label = ShortListField(child=StrictCharField(max_length=100), required=False)


class ThreadsBase(EnvironmentViewSet):
    """What the views on threads share."""

    resource = "threads"
    model = Thread

    def answer(self, rows: QuerySet, *, within: str = "") -> Response:
        """Return one page of these threads, the one with the latest message first; none of mail in quarantine."""
        rows = rows.filter(message_count__gt=0)
        for label in labels.normalised(self.query().get("label", [])):
            rows = rows.filter(Exists(self.rows(ThreadLabel).filter(label=label, thread=OuterRef("pk"))))
        return self.listed(rows, self.present, order=LATEST_FIRST, within=within)

    def present(self, rows: list[Thread]) -> list[dict[str, Any]]:
        """Return thread objects."""
        return threads_json(self.environment, rows)


class InboxThreadView(ThreadsBase):
    """The threads of one inbox."""

    item_model = Inbox
    lookup_url_kwarg = "inbox_id"

    @takes(ThreadQuery)
    @extend_schema(responses=ThreadOutput(many=True))
    def list(self, request: Request, inbox_id: str) -> Response:
        """List the threads of an inbox."""
        inbox = self.found(inbox_id, Inbox)
        return self.answer(self.get_queryset().filter(inbox=inbox), within=f" {inbox_id}")


class ThreadView(ThreadsBase):
    """The threads of an environment."""

    paged = frozenset({"list", "retrieve"})

    @takes(ThreadQuery)
    @extend_schema(responses=ThreadOutput(many=True))
    def list(self, request: Request) -> Response:
        """List the threads of the whole environment."""
        return self.answer(self.get_queryset())

    @extend_schema(responses=ThreadWithMessagesOutput)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Return a thread with a page of its messages, bodies included, the newest first."""
        thread = self.found(pk)
        rows = self.rows(Message).filter(thread=thread)
        if thread.message_count:  # else it holds a message in quarantine, and who asks for it by id knows
            rows = rows.exclude(status=Message.Status.QUARANTINED)

        def present(found: list[Message]) -> list[dict[str, Any]]:
            return messages_json(self.environment, found)

        messages = page(request, rows, present, order=("pk",), name=f"thread {pk}")
        return Response({**self.present([thread])[0], "messages": messages})

    @extend_schema(request=MessageChanges, responses=ThreadOutput)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Replace the labels of a thread."""
        thread = self.found(pk)
        labels.replace(self.environment, thread, self.body(MessageChanges)["labels"])
        return Response(self.present([thread])[0])

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a thread with its messages."""
        deletion.delete_thread(self.environment, self.found(pk))
        return Response(status=204)

    @extend_schema(request=LabelsBody, responses=ThreadOutput)
    def add_labels(self, request: Request, pk: str) -> Response:
        """Add labels to a thread; those of its messages stay as they are."""
        thread = self.found(pk)
        labels.add(self.environment, [thread], self.body(LabelsBody)["labels"])
        return Response(self.present([thread])[0])

    @extend_schema(request=LabelsBody, responses={200: ThreadOutput})
    def remove_labels(self, request: Request, pk: str) -> Response:
        """Remove labels from a thread."""
        thread = self.found(pk)
        labels.remove(self.environment, [thread], self.body(LabelsBody)["labels"])
        return Response(self.present([thread])[0])


class LabelCount(serializers.Serializer):
    """A label and how many messages and threads carry it."""

    name = serializers.CharField()
    message_count = serializers.IntegerField()
    thread_count = serializers.IntegerField()


class LabelView(EnvironmentViewSet):
    """The labels in use."""

    resource = "labels"
    model = MessageLabel

    @extend_schema(responses=LabelCount(many=True))
    def list(self, request: Request) -> Response:
        """List the labels of the environment with their counts, by name."""
        return Response(page_by_name(request, partial(labels.counts, self.environment), name="labels"))


class AttachmentView(EnvironmentViewSet):
    """Attachments of messages."""

    resource = "messages"
    model = Attachment

    @extend_schema(responses=AttachmentOutput)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Return an attachment with a short-lived ``download_url``, which needs no key."""
        return Response(attachment_json(self.found(pk), with_link=True))


class DownloadQuery(Query):
    """The signature of a download link."""

    token = StrictCharField(max_length=300)


class DownloadView(BaseViewSet):
    """What a signed link opens; the signature is the right, so no key is asked for."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    @takes(DownloadQuery)
    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def retrieve(self, request: Request, pk: str) -> HttpResponse:
        """Return the bytes of an attachment, to whoever holds a link to it that has not run out."""
        environment = Environment(pk=environment_of(self.query()["token"], pk))
        with inside(environment):
            attachment = row_with_id(Attachment.objects.in_environment(environment), pk)
            content = blobs.read(attachment.blob)
        response = HttpResponse(content, content_type="application/octet-stream")
        name = quote(attachment.filename, safe="")
        response["Content-Disposition"] = f"attachment; filename*=UTF-8''{name}"
        return as_download(response)
