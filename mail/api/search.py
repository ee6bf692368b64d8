"""Search over the API."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from environments import clock
from environments.destinations import LONGEST_ADDRESS
from environments.forms import Body, MomentField, StrictCharField
from environments.pages import page_of_matches
from environments.viewsets import EnvironmentViewSet
from inboxes.models import Inbox
from mail.api.bodies import LabelsField
from mail.api.present import MessageOutput, messages_json
from mail.models import Message, SearchEntry
from mail.search import Highlighter, Query, Term, parse_query
from mail.services import search

DAY = "2026-01-01"


class LastMomentField(MomentField):
    """A moment up to which something is; a date alone means the whole of that day."""

    def to_internal_value(self, value: Any) -> datetime:
        moment = super().to_internal_value(value)
        try:
            return moment + timedelta(days=isinstance(value, str) and len(value) == len(DAY))
        except OverflowError:
            return moment


class FiltersBody(Body):
    """What narrows a search beside its query."""

    date_from = MomentField(required=False)
    date_to = LastMomentField(required=False)
    labels = LabelsField(default=list)
    direction = serializers.ChoiceField(Message.Direction.values, required=False)
    from_ = StrictCharField(required=False, max_length=LONGEST_ADDRESS)
    to = StrictCharField(required=False, max_length=LONGEST_ADDRESS)
    has_attachments = serializers.BooleanField(required=False, allow_null=True, default=None)

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        return {"from": fields.pop("from_"), **fields}

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (unknown := data.keys() - self.fields.keys()):
            raise serializers.ValidationError({min(unknown): ["There is no such filter."]})
        return super().to_internal_value(data)


class SearchBody(Body):
    """A search."""

    query = StrictCharField(
        allow_blank=True,
        max_length=10_000,
        help_text='Words, "phrases", -not, OR, begin*, and operators: from: to: subject: label: before: after: '
        "has:attachment in:inbox in:sent in:spam in:anywhere.",
    )
    inbox_id = StrictCharField(required=False, max_length=40)
    filters = FiltersBody(required=False)


class AttachmentHighlight(serializers.Serializer):
    """An attachment in which something was found: in its name, in its text, or in both."""

    id = serializers.CharField()
    filename = serializers.CharField()
    text = serializers.CharField(allow_null=True)


class HighlightsOutput(serializers.Serializer):
    """HTML: what was found is in ``<mark>``, everything else is escaped. Null where nothing was found."""

    subject = serializers.CharField(allow_null=True)
    text = serializers.CharField(allow_null=True)
    attachments = AttachmentHighlight(many=True)


class MatchOutput(serializers.Serializer):
    """A message that was found."""

    message = MessageOutput()
    rank = serializers.FloatField()
    highlights = HighlightsOutput()


class SearchView(EnvironmentViewSet):
    """Search in one environment."""

    resource = "messages"
    model = Message
    scopes = {"search": "messages:read"}  # noqa: RUF012 - declared in the base
    paged = frozenset({"search"})

    @extend_schema(request=SearchBody, responses={200: MatchOutput(many=True)})
    def search(self, request: Request) -> Response:
        """Find messages by what is in them, the best match first.

        Looked through are subject, addresses, names, the newly written text, and names and text of attachments. The
        newest 1,000 messages that match are ranked. Quarantined mail is left out, unless the query says ``in:spam`` or
        ``in:anywhere``.
        """
        given = self.body(SearchBody)
        inbox_id = self.found(given["inbox_id"], Inbox).pk if "inbox_id" in given else None
        query = _narrowed(parse_query(given["query"], clock.now()), given.get("filters", {}))

        def find(newest: str | None) -> list[tuple[float, str]]:
            found = search.find(self.environment, query, inbox_id=inbox_id, newest=newest)
            return [(match.rank, match.message_id) for match in found]

        def present(matches: Sequence[tuple[float, str]]) -> list[dict[str, Any]]:
            return self._present(matches, Highlighter(query))

        return Response(page_of_matches(request, find, present, name=f"search {_digest(given)}"))

    def _present(self, matches: Sequence[tuple[float, str]], highlighter: Highlighter) -> list[dict[str, Any]]:
        ids = [identifier for _, identifier in matches]
        by_id = {row.pk: row for row in self.rows(Message).defer("text_body", "html_body").filter(pk__in=ids)}
        entries = self.rows(SearchEntry).filter(message__in=ids).values_list("message_id", "attachment_texts")
        texts = dict(entries)
        shown = [by_id[identifier] for identifier in ids if identifier in by_id]
        objects = {one["id"]: one for one in messages_json(self.environment, shown, with_bodies=False)}
        return [
            {
                "message": objects[identifier],
                "rank": round(rank, 6),
                "highlights": _highlights(
                    highlighter, by_id[identifier], objects[identifier], texts.get(identifier, {})
                ),
            }
            for rank, identifier in matches
            if identifier in by_id
        ]


def _highlights(
    highlighter: Highlighter, message: Message, shown: dict[str, Any], texts: dict[str, str]
) -> dict[str, Any]:
    files = (
        (file, highlighter.whole(file["filename"]), highlighter.fragments(texts.get(file["id"], "")))
        for file in shown["attachments"]
    )
    return {
        "subject": highlighter.whole(message.subject),
        "text": highlighter.fragments(message.extracted_text),
        "attachments": [
            {"id": file["id"], "filename": name or highlighter.unmarked(file["filename"]), "text": text}
            for file, name, text in files
            if name or text
        ],
    }


def _narrowed(query: Query, filters: dict[str, Any]) -> Query:
    """Return the query with the filters as if they had been written in it."""
    terms = [Term(filters[name], name) for name in ("from", "to") if name in filters]
    if filters.get("has_attachments") is not None:
        terms.append(Term("attachment", "has", is_negated=not filters["has_attachments"]))
    if "direction" in filters:
        terms.append(Term("sent", "in", is_negated=filters["direction"] == Message.Direction.INBOUND))
    moments = (filters.get("date_from"), filters.get("date_to"))
    return replace(
        query,
        groups=(*query.groups, *((term,) for term in terms)),
        labels=(*query.labels, *filters.get("labels", ())),
        since=max(filter(None, (query.since, moments[0])), default=None),
        until=min(filter(None, (query.until, moments[1])), default=None),
    )


def _digest(given: dict[str, Any]) -> str:
    """Return what tells one search from another: a cursor goes on with its own only."""
    return sha256(orjson.dumps(given, default=str, option=orjson.OPT_SORT_KEYS)).hexdigest()
