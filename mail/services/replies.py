"""Replies and forwards: a stored message turned into one that goes out, with what mail clients expect of it.

RFC 5322 sections 3.6.3 (who gets a reply), 3.6.4 (In-Reply-To and References) and 3.6.5 (the subject).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from environments.errors import Conflict, field_error
from environments.models import Environment
from environments.text import is_single_line
from inboxes.models import Inbox
from inboxes.services.addresses import without_tag
from mail import extraction
from mail.automatic import carried
from mail.extraction.languages import FORWARD_PREFIXES, REPLY_PREFIXES
from mail.models import NEVER_LEFT, Attachment, Message
from mail.parsing import Address, parse
from mail.parsing.identifiers import message_ids
from mail.services import blobs, quoting
from mail.services.addresses import sendable
from mail.services.compose import File, Outgoing

MOST_REFERENCES = 20
MOST_RECIPIENTS = 50
LONGEST_SUBJECT = 998  # RFC 5322 section 2.1.1
PREFIX = re.compile(r"\s*+([^\s:\uff1a\[\](){}<>]{1,20}+)\s*+(?:\[\d{1,3}\]|\(\d{1,3}\))?+\s*+[:\uff1a]\s*+")
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
USABLE_ID = re.compile(r"[!-~]{1,250}")
USABLE_CONTENT_ID = re.compile(r"[!-;=?-~]{1,250}")
HEAD_END = re.compile(rb"\r?\n\r?\n")


class Quarantined(Conflict):
    """Mail in quarantine is answered by nobody."""

    code = "message_quarantined"
    message = "This message is in quarantine; it cannot be replied to or forwarded."
    fix = "Release it with POST /messages/{id}/release first."


class AlreadyReplied(Conflict):
    """The message has an answer."""

    code = "already_replied"
    fix = "Read that answer. To reply once more, send if_not_replied: false."

    def __init__(self, answer_id: str) -> None:
        super().__init__(
            f"This message has been replied to already, by {answer_id}.",
            details=[{"field": "message_id", "message": answer_id}],
        )


class Originals(StrEnum):
    """How the attachments of a forwarded message go along: as they were, inside of the whole original, or not."""

    INLINE = "inline"
    EML = "eml"
    NONE = "none"


@dataclass(frozen=True)
class Manner:
    """How to reply: to everybody or to the sender, and with or without the original below."""

    to_all: bool = False
    quotes: bool = True


def answer_once(environment: Environment, message: Message) -> None:
    """Let one reply to this message be on its way at a time; raise AlreadyReplied when it has one.

    Takes the message's row until the transaction ends, so that of replies made at the same time one wins. Mail of
    one's own may be followed up as often as one likes.
    """
    if message.direction != Message.Direction.INBOUND:
        return
    rows = Message.objects.in_environment(environment)
    rows.select_for_update(no_key=True).filter(pk=message.pk).first()
    answers = rows.filter(answers=message.pk, direction=Message.Direction.OUTBOUND).exclude(status__in=NEVER_LEFT)
    if (answer := answers.order_by("pk").values_list("pk", flat=True).first()) is not None:
        raise AlreadyReplied(answer)


def reply(environment: Environment, inbox: Inbox, message: Message, written: Outgoing, manner: Manner) -> Outgoing:
    """Return what is written as a reply to a message of the inbox.

    Recipients and subject that are written stand; others follow from the message. Raises Quarantined, and
    ValidationFailed where the message names nobody who could be replied to.
    """
    _refuse_quarantined(message)
    answer = replace(
        written,
        subject=written.subject or prefixed("Re: ", message.subject, REPLY_PREFIXES),
        in_reply_to=next(iter(_usable_ids([message.message_id_header])), ""),
        references=references_to(message),
        answers=message.pk,
    )
    answer = _addressed(answer, inbox, message, to_all=manner.to_all)
    return _with_quote(environment, answer, message) if manner.quotes else answer


def forward(environment: Environment, message: Message, written: Outgoing, originals: Originals) -> Outgoing:
    """Return what is written with a message below it, for others to read.

    Raises Quarantined. The traces of the message go along, so that a mail which is sent in circles is noticed.
    """
    _refuse_quarantined(message)
    raw = blobs.read(message.raw)
    sent_on = replace(
        written,
        subject=written.subject or prefixed("Fwd: ", message.subject, FORWARD_PREFIXES),
        references=references_to(message),
        traces=carried(parse(HEAD_END.split(raw, maxsplit=1)[0] + b"\r\n\r\n")),
    )
    if originals is Originals.EML:
        files = [*written.files, File(f"{message.pk}.eml", "message/rfc822", raw)]
        return replace(sent_on, files=files, text_body=written.text_body or _text_of(written))
    return _with_original(environment, sent_on, message, originals)


def _refuse_quarantined(message: Message) -> None:
    if message.status == Message.Status.QUARANTINED:
        raise Quarantined


def prefixed(prefix: str, subject: str, alike: Iterable[str]) -> str:
    """Return a subject behind this prefix, which takes the place of all that mean the same in any language."""
    rest = " ".join(UNPRINTABLE.sub(" ", subject).split())
    while (found := PREFIX.match(rest)) and found[1].casefold() in alike:
        rest = rest[found.end() :]
    return f"{prefix}{rest}"[:LONGEST_SUBJECT].rstrip()


def references_to(message: Message) -> list[str]:
    """Return References for what belongs to a message: the first ancestor, then the newest (RFC 5322 section 3.6.4)."""
    parents = message.references or message_ids(message.in_reply_to)[:1]
    chain = list(dict.fromkeys(_usable_ids([*parents, message.message_id_header])))
    return chain if len(chain) <= MOST_REFERENCES else [chain[0], *chain[1 - MOST_REFERENCES :]]


def _usable_ids(identifiers: Iterable[str]) -> list[str]:
    """Return those of the Message-IDs that can stand in a header."""
    return [one for one in identifiers if USABLE_ID.fullmatch(one)]


def _addressed(answer: Outgoing, inbox: Inbox, message: Message, *, to_all: bool) -> Outgoing:
    """Return the reply with the recipients that follow from the message, where none are written."""
    to, cc = _recipients(inbox, message)
    to = list(answer.to) or to
    if to_all:
        known = {one.email.lower() for one in (*to, *answer.cc, *answer.bcc)}
        cc = [*answer.cc, *(one for one in cc if one.email.lower() not in known)]
    else:
        cc = list(answer.cc)
    if not to:
        to, cc = cc, []
    if not to and not answer.bcc:
        raise field_error("to", "This message names nobody who could be replied to. Name a recipient.")
    if max(len(to), len(cc)) > MOST_RECIPIENTS:
        raise field_error("to", f"This message has more than {MOST_RECIPIENTS} recipients. Name those who are meant.")
    return replace(answer, to=to, cc=cc)


def _recipients(inbox: Inbox, message: Message) -> tuple[list[Address], list[Address]]:
    """Return who gets a reply, and who else gets one to all; never the inbox itself, under whatever tag."""
    others = [*message.to_addresses, *message.cc_addresses]
    sender = [{"email": message.from_email, "name": message.from_name}]
    to = _others(inbox, message.reply_to_addresses) or _others(inbox, sender)
    if message.direction == Message.Direction.OUTBOUND or not to:
        return _others(inbox, message.to_addresses), _others(inbox, message.cc_addresses)
    return to, _others(inbox, others)


def _others(inbox: Inbox, people: Sequence[dict[str, str]]) -> list[Address]:
    found: dict[str, Address] = {}
    for person in people:
        address = sendable(person["email"], person["name"] if is_single_line(person["name"]) else "")
        if address and without_tag(address.email.lower()) != inbox.email.lower():
            found.setdefault(address.email.lower(), address)
    return list(found.values())


def _text_of(written: Outgoing) -> str:
    if written.text_body is not None:
        return written.text_body
    return extraction.to_text(written.html_body) if written.html_body else ""


def _with_quote(environment: Environment, answer: Outgoing, message: Message) -> Outgoing:
    """Return the reply with the original below: as text, and as HTML where the reply has any."""
    new = _text_of(answer)
    text = f"{new.rstrip()}\n\n{quoting.quoted_text(message)}".lstrip("\n")
    answer = replace(answer, text_body=text, new_text=new, new_html=answer.html_body)
    if answer.html_body is None:
        return answer
    quote = quoting.quoted_html(message)
    images = _files(environment, message, only_shown_in=quote)
    html = quoting.below(answer.html_body, quote)
    return replace(answer, html_body=html, files=[*answer.files, *images])


def _with_original(environment: Environment, sent_on: Outgoing, message: Message, originals: Originals) -> Outgoing:
    """Return the forward with the original in it, HTML if either has any, and the files that go along."""
    text = f"{_text_of(sent_on).rstrip()}\n\n{quoting.forwarded_text(message)}".lstrip("\n")
    html = sent_on.html_body
    if html is None and message.html_body:
        html = quoting.as_html(sent_on.text_body) if sent_on.text_body else ""
    if html is not None:
        html = quoting.below(html, quoting.forwarded_html(message))
    shown = (html or "") if originals is Originals.NONE else None
    files = [*sent_on.files, *_files(environment, message, only_shown_in=shown)]
    return replace(sent_on, text_body=text, html_body=html, files=files)


def _files(environment: Environment, message: Message, *, only_shown_in: str | None = None) -> list[File]:
    """Return the files of a message: all, or the images that this HTML shows."""
    if not message.has_attachments:
        return []
    rows = Attachment.objects.in_environment(environment).filter(message=message).select_related("blob").order_by("pk")
    if only_shown_in is not None:
        rows = rows.filter(content_id__in=quoting.shown_images(only_shown_in))
    return [file_of(row) for row in rows]


def file_of(attachment: Attachment) -> File:
    """Return an attachment as a file to attach again."""
    return File(
        " ".join(UNPRINTABLE.sub(" ", attachment.filename).split()) or "attachment",
        attachment.content_type or "application/octet-stream",
        blobs.read(attachment.blob),
        attachment.content_id if USABLE_CONTENT_ID.fullmatch(attachment.content_id) else None,
    )
