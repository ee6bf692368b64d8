"""Search: what of a message is indexed, and what of an environment is found. The index is ``SearchEntry``."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef
from procrastinate.contrib.django import app

from environments.gates import ask
from environments.ids import decode, encode, first_at
from environments.models import Environment
from environments.writing import insert
from mail.gates import MOST_MATCHES
from mail.models import Attachment, Message, MessageLabel, SearchEntry
from mail.search import Indexed, Query, code_of, compiled, vector
from mail.search.entries import contents_in_order

READABLE_TYPES = (
    "text/",
    "application/pdf",
    "application/json",
    "application/rtf",
    "application/vnd.openxmlformats-",
    "application/vnd.oasis.opendocument.",
)
READABLE_ENDINGS = (
    ".txt", ".md", ".csv", ".tsv", ".json", ".html", ".htm", ".ics", ".vcf", ".log", ".pdf", ".docx", ".xlsx", ".pptx",
    ".odt", ".ods", ".odp", ".rtf",
)  # fmt: skip
LARGEST_FILE = 10_000_000  # bytes of an attachment that is read
LONGEST_TEXT = 200_000  # characters kept of an attachment
MOST_RANKED = 1000
ANEW = (
    "(environment_id, message_id)"
    " DO UPDATE SET document = excluded.document, attachment_texts = excluded.attachment_texts"
)
LOWEST, HIGHEST = UUID(int=0), UUID(int=2**128 - 1)


@dataclass(frozen=True, slots=True)
class Match:
    """A message that was found, and how well it matches: 0 when nothing tells better from worse."""

    message_id: str
    rank: float


def index(environment: Environment, messages: Sequence[Message]) -> None:
    """Make messages findable, in the transaction that stores them or changes their status; safe to repeat.

    Their attachments must be stored. Those with text in them are read by a job that the same transaction leaves.
    """
    attachments = _attachments(environment, messages)
    texts = _texts(environment, [message for message in messages if attachments.get(message.pk)])
    _store(environment, messages, attachments, texts)
    _have_read(
        message.pk
        for message in messages
        if any(is_readable(file) and file.pk not in texts.get(message.pk, {}) for file in attachments[message.pk])
    )


def first_entry(message: Message, attachments: Sequence[Attachment]) -> SearchEntry:
    """Return what makes a new message findable, to be written with it and its attachments; leave them to be read."""
    if any(map(is_readable, attachments)):
        _have_read([message.pk])
    return _entry(code_of(message.environment_id), message, attachments, {})


def _have_read(message_ids: Iterable[str]) -> None:
    """Leave a job for each message whose attachments are to be read."""
    jobs: list[Any] = [{"message_id": identifier} for identifier in message_ids]
    if jobs:
        app.configure_task("mail.tasks.index_attachments").batch_defer(*jobs)


def index_texts(environment: Environment, message: Message, texts: Mapping[str, str]) -> None:
    """Make the text of a message's attachments findable, by attachment id; what was known is replaced."""
    kept = {identifier: text.replace("\0", "")[:LONGEST_TEXT] for identifier, text in texts.items()}
    _store(environment, [message], _attachments(environment, [message]), {message.pk: kept})


def is_readable(attachment: Attachment) -> bool:
    """Return whether there may be text in an attachment that is worth looking for."""
    is_known = attachment.content_type.lower().startswith(READABLE_TYPES)
    return attachment.size <= LARGEST_FILE and (is_known or attachment.filename.lower().endswith(READABLE_ENDINGS))


def _attachments(environment: Environment, messages: Sequence[Message]) -> dict[str, list[Attachment]]:
    found: dict[str, list[Attachment]] = {message.pk: [] for message in messages}
    if holders := [message for message in messages if message.has_attachments]:
        for row in Attachment.objects.in_environment(environment).filter(message__in=holders).order_by("pk"):
            found[row.message_id].append(row)
    return found


def _texts(environment: Environment, messages: Sequence[Message]) -> dict[str, dict[str, str]]:
    if not messages:
        return {}
    entries = SearchEntry.objects.in_environment(environment).filter(message__in=messages)
    return dict(entries.values_list("message_id", "attachment_texts"))


def _store(
    environment: Environment,
    messages: Sequence[Message],
    attachments: Mapping[str, Sequence[Attachment]],
    texts: Mapping[str, Mapping[str, str]],
) -> None:
    code = code_of(environment.pk)
    entries = [
        _entry(code, message, attachments[message.pk], texts.get(message.pk, {}))
        for message in sorted(messages, key=lambda message: message.pk)
    ]
    insert(environment, entries, on_conflict=ANEW)


def _entry(code: str, message: Message, attachments: Sequence[Attachment], texts: Mapping[str, str]) -> SearchEntry:
    return SearchEntry(
        environment_id=message.environment_id,
        message=message,
        document=vector(code, _indexed(message, attachments, texts)),
        attachment_texts=dict(texts),
    )


def _indexed(message: Message, attachments: Sequence[Attachment], texts: Mapping[str, str]) -> Indexed:
    recipients = chain(message.to_addresses, message.cc_addresses, message.bcc_addresses)
    return Indexed(
        subject=message.subject,
        senders=[f"{message.from_email} {message.from_name}"],
        recipients=[f"{person['email']} {person['name']}" for person in recipients],
        text=message.extracted_text,
        filenames=[attachment.filename for attachment in attachments],
        contents=contents_in_order(texts),
        markers=list(_markers(message)),
    )


def _markers(message: Message) -> Iterable[str]:
    """Yield what operators ask for that is no word."""
    yield f"i{code_of(message.inbox_id)}"
    if message.direction == Message.Direction.OUTBOUND:
        yield "sent"
    elif message.status == Message.Status.QUARANTINED:
        yield "spam"
    else:
        yield "received"
    if message.has_attachments:
        yield "attachment"


def find(
    environment: Environment,
    query: Query,
    *,
    inbox_id: str | None = None,
    newest: str | None = None,
    most: int = MOST_RANKED,
) -> list[Match]:
    """Return what matches in the environment that the transaction is bound to, the best first, then the newest.

    No more than the ``most`` newest matches are looked at, up to ``newest``, the id of a message.
    """
    asked = compiled(code_of(environment.pk), query, [f"i{code_of(inbox_id)}"] if inbox_id else [])
    bounds = _bounds(query, newest)
    found = [
        Match(encode("msg", identifier), rank)
        for identifier, rank in ask(
            "search_messages", asked.match, asked.rank, *bounds, _labelled(environment, query), most
        )
    ]
    known = _confirmed(environment, query, inbox_id, [match.message_id for match in found])
    return sorted(
        (match for match in found if match.message_id in known),
        key=lambda match: (match.rank, match.message_id),
        reverse=True,
    )


def _bounds(query: Query, newest: str | None) -> tuple[UUID, UUID]:
    """Return the lowest and the highest id in question: ids tell the time."""
    lowest = decode("msg", first_at("msg", query.since)) if query.since else LOWEST
    highest = decode("msg", first_at("msg", query.until)) if query.until else HIGHEST
    return lowest, min(highest, decode("msg", newest)) if newest else highest


def _labelled(environment: Environment, query: Query) -> list[UUID] | None:
    """Return the newest messages with all of the query's labels, or None when it names none."""
    if not query.labels:
        return None
    first, *others = query.labels
    rows = MessageLabel.objects.in_environment(environment)
    labelled = rows.filter(label=first)
    for label in others:
        labelled = labelled.filter(Exists(rows.filter(label=label, message=OuterRef("message"))))
    found = labelled.order_by("-message").values_list("message_id", flat=True)[:MOST_MATCHES]
    return [decode("msg", identifier) for identifier in found]


def _confirmed(environment: Environment, query: Query, inbox_id: str | None, ids: Sequence[str]) -> set[str]:
    """Return those of the messages that are in the inbox, and have none of the labels that must not be there."""
    rows = Message.objects.in_environment(environment).filter(pk__in=ids)
    if inbox_id:
        rows = rows.filter(inbox=inbox_id)
    if query.no_labels:
        unwanted = MessageLabel.objects.in_environment(environment).filter(label__in=query.no_labels)
        rows = rows.filter(~Exists(unwanted.filter(message=OuterRef("pk"))))
    return set(rows.values_list("pk", flat=True))
