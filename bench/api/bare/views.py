"""Bare views."""

import hashlib
from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from django.contrib.postgres.search import SearchVector
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Value
from django.db.models.expressions import RawSQL
from django.http import Http404
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from bench.api.bare.serializers import (
    BODIES,
    LabelsSerializer,
    MessageSerializer,
    SearchSerializer,
    SendSerializer,
    WholeMessageSerializer,
)
from environments import clock
from inboxes.models import Inbox
from mail.models import Attachment, Blob, Message, MessageLabel, MessageRecipient, SearchEntry, Step, Thread
from mail.search import Highlighter, code_of, compiled, parse_query
from mail.services.compose import new_message_id
from webhooks.models import Event

LIMIT = 50
EXPLANATION = "The environment is in capture mode: mail is stored as sent, and nothing leaves."
RANK = "ts_rank('{0.1, 0.2, 0.5, 1.0}', document, %s::tsquery, 1)"


def belongings(messages: Sequence[Message]) -> dict[str, dict[str, list[Any]]]:
    """Return what hangs on the messages, read for all of them at once."""
    found: dict[str, dict[str, list[Any]]] = {
        name: {message.pk: [] for message in messages} for name in ("labels", "attachments", "recipients")
    }
    labels = MessageLabel.everywhere.filter(message__in=messages).order_by("label")
    for owner, label in labels.values_list("message_id", "label"):
        found["labels"][owner].append(label)
    if holders := [message for message in messages if message.has_attachments]:
        for row in Attachment.everywhere.filter(message__in=holders).order_by("pk"):
            found["attachments"][row.message_id].append(row)
    if outgoing := [message for message in messages if message.direction == "outbound"]:
        for row in MessageRecipient.everywhere.filter(message__in=outgoing).order_by("pk"):
            found["recipients"][row.message_id].append(row)
    return found


def shown(message: Message) -> Any:
    """Return one message with its bodies."""
    return WholeMessageSerializer(message, context=belongings([message])).data


def message_with(pk: str) -> Message:
    """Return a message by its id."""
    found = Message.everywhere.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


class Messages(APIView):
    """A list, newest first, page by page."""

    def get(self, request: Request, environment: str) -> Response:
        """Return a page."""
        rows = Message.everywhere.filter(environment_id=environment).exclude(status="quarantined").defer(*BODIES)
        if cursor := request.query_params.get("cursor"):
            rows = rows.filter(pk__lt=cursor)
        found = list(rows.order_by("-pk")[: LIMIT + 1])
        page, has_more = found[:LIMIT], len(found) > LIMIT
        data = MessageSerializer(page, many=True, context=belongings(page)).data
        return Response({"data": data, "has_more": has_more, "next_cursor": page[-1].pk if has_more else None})


class OneMessage(APIView):
    """One message."""

    def get(self, _: Request, pk: str) -> Response:
        """Return it."""
        return Response(shown(message_with(pk)))


class Labels(generics.GenericAPIView):
    """The labels of a message."""

    serializer_class = LabelsSerializer

    def post(self, request: Request, pk: str) -> Response:
        """Add some."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        message = message_with(pk)
        MessageLabel.everywhere.bulk_create(
            [
                MessageLabel(environment_id=message.environment_id, message=message, label=label)
                for label in given.validated_data["labels"]
            ],
            ignore_conflicts=True,
        )
        return Response(shown(message))


class Send(generics.GenericAPIView):
    """Mail from an inbox, which is only kept."""

    serializer_class = SendSerializer

    @transaction.atomic
    def post(self, request: Request, inbox: str) -> Response:
        """Store a mail with its rows."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        return Response(shown(stored(Inbox.everywhere.get(pk=inbox), **given.validated_data)), 201)


def stored(inbox: Inbox, to: Sequence[str], subject: str, text_body: str) -> Message:
    """Build a mail; write its bytes, and its row with those beside it."""
    now, message_id = clock.now(), new_message_id(inbox.domain_name)
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"], mail["Message-ID"] = inbox.email, ", ".join(to), subject, message_id
    mail.set_content(text_body)
    raw = mail.as_bytes()
    place = {"environment_id": inbox.environment_id}
    blob = Blob(**place, sha256=hashlib.sha256(raw).digest(), size=len(raw))
    default_storage.save(blob.object_key, ContentFile(raw))
    blob.save(force_insert=True)
    people = [{"email": address, "name": ""} for address in to]
    told = [{"email": inbox.email, "name": inbox.display_name}, *people]
    snippet = " ".join(text_body.split())[:200]
    thread = Thread.everywhere.create(
        **place, inbox=inbox, subject=subject, snippet=snippet, message_count=1, participants=told, last_message_at=now
    )
    message = Message(
        **place,
        inbox=inbox,
        thread=thread,
        direction="outbound",
        status="captured",
        subject=subject,
        from_email=inbox.email,
        from_name=inbox.display_name,
        to_addresses=people,
        message_id_header=message_id,
        text_body=text_body,
        extracted_text=text_body,
        snippet=snippet,
        size=len(raw),
        raw=blob,
        date=now,
        envelope_sender=inbox.email,
        envelope_recipients=list(to),
    )
    message.save(force_insert=True)
    MessageRecipient.everywhere.bulk_create(
        MessageRecipient(
            **place,
            message=message,
            kind="to",
            email=address,
            status="captured",
            reason="capture",
            explanation=EXPLANATION,
        )
        for address in to
    )
    document = SearchVector(Value(subject), weight="A", config="english") + SearchVector(
        Value(text_body), config="english"
    )
    SearchEntry.everywhere.bulk_create([SearchEntry(**place, message=message, document=document)])
    Step.everywhere.bulk_create(
        Step(**place, message=message, email=one, status="captured", reason="capture", explanation=EXPLANATION)
        for one in to
    )
    data = {"message_id": message.pk, "thread_id": thread.pk, "inbox_id": inbox.pk, "subject": subject}
    Event.everywhere.create(**place, type="message.captured", inbox_id=inbox.pk, data=data)
    return message


class Search(generics.GenericAPIView):
    """Search in an environment."""

    serializer_class = SearchSerializer

    def post(self, request: Request, environment: str) -> Response:
        """Return the best matches."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        query = parse_query(given.validated_data["query"], clock.now())
        asked = compiled(code_of(environment), query)
        entries = SearchEntry.everywhere.filter(environment_id=environment)
        matches = RawSQL("document @@ %s::tsquery", [asked.match])
        rank = RawSQL(RANK, [asked.rank])  # noqa: S611
        matching = entries.annotate(matches=matches, rank=rank).filter(matches=True)
        found = list(
            matching.order_by("-rank", "-message").values_list("message_id", "rank", "attachment_texts")[: LIMIT + 1]
        )
        page, has_more = found[:LIMIT], len(found) > LIMIT
        rows = Message.everywhere.filter(pk__in=[one for one, _, _ in page]).defer("text_body", "html_body")
        by_id = {row.pk: row for row in rows}
        context, marks = belongings(list(by_id.values())), Highlighter(query)
        data = [
            {
                "message": MessageSerializer(by_id[pk], context=context).data,
                "rank": round(rank, 6),
                "highlights": {
                    "subject": marks.whole(by_id[pk].subject),
                    "text": marks.fragments(by_id[pk].extracted_text),
                    "attachments": [],
                },
            }
            for pk, rank, _ in page
        ]
        return Response({"data": data, "has_more": has_more, "next_cursor": page[-1][0] if has_more else None})
