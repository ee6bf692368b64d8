"""What a draft holds: as columns, as a mail to send, and as one hash over all that would go out."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from django.conf import settings

from environments import clock
from environments.errors import TooLarge
from environments.models import Environment
from inboxes.models import Inbox
from mail.models import Draft, DraftFile
from mail.parsing import Address
from mail.services import blobs
from mail.services.compose import File, Outgoing, compose
from mail.services.rows import people

PEOPLE = ("to", "cc", "bcc", "reply_to")
PLAIN = ("subject", "text_body", "html_body", "headers", "send_at")
NOBODY_YET = "<draft@invalid>"  # the Message-ID of a mail that is built to see whether it can be


def fields_of(outgoing: Outgoing) -> dict[str, Any]:
    """Return what ``write`` takes, out of a whole mail."""
    return {name: getattr(outgoing, name) for name in (*PEOPLE, *PLAIN)}


def write(draft: Draft, changes: Mapping[str, Any]) -> None:
    """Put these fields of a mail into the draft's columns."""
    for name, value in changes.items():
        if name in PEOPLE:
            setattr(draft, f"{name}_addresses", people(value))
        else:
            setattr(draft, name, dict(value) if name == "headers" else value)


def outgoing_of(draft: Draft, files: Sequence[File] = ()) -> Outgoing:
    """Return the mail that a draft would be sent as now."""
    return Outgoing(
        to=_addresses(draft.to_addresses),
        cc=_addresses(draft.cc_addresses),
        bcc=_addresses(draft.bcc_addresses),
        reply_to=_addresses(draft.reply_to_addresses),
        subject=draft.subject,
        text_body=draft.text_body,
        html_body=draft.html_body,
        headers=draft.headers,
        files=files,
        labels=draft.labels,
        metadata=draft.metadata,
        in_reply_to=draft.in_reply_to,
        references=draft.references,
        answers=draft.answers_id,
    )


def _addresses(given: Iterable[Mapping[str, str]]) -> list[Address]:
    return [Address(one["email"], one["name"]) for one in given]


def check(draft: Draft, inbox: Inbox, files: Sequence[File], carried: int = 0) -> None:
    """Raise what sending would: ValidationFailed for what cannot stand in a mail, TooLarge above the size limit.

    ``carried`` is the size in bytes of files that the draft has already.
    """
    sender = Address(inbox.email, inbox.display_name)
    raw = compose(outgoing_of(draft, files), sender, NOBODY_YET, clock.now())
    size = len(raw) + carried * 4 // 3
    if size > settings.AGENTPOST_MAX_MESSAGE_SIZE:
        raise TooLarge(f"The mail has about {size} bytes; the limit is {settings.AGENTPOST_MAX_MESSAGE_SIZE}.")


def fingerprint(draft: Draft, inbox: Inbox, files: Sequence[DraftFile]) -> str:
    """Return the SHA-256, in hexadecimal, of all that recipients would see, of who they are, and of when it leaves."""
    content = {
        "from": [inbox.email, inbox.display_name],
        **{name: getattr(draft, name) for name in Draft.FIELDS},
        "send_at": clock.written(draft.send_at) if draft.send_at else None,
        "answers": draft.answers_id,
        "in_reply_to": draft.in_reply_to,
        "references": draft.references,
        "files": [[f.filename, f.content_type, f.content_id, bytes(f.blob.sha256).hex()] for f in files],
    }
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def files_of(environment: Environment, draft: Draft) -> list[DraftFile]:
    """Return the files of a draft's current version, in their order."""
    rows = DraftFile.objects.in_environment(environment).select_related("blob")
    return list(rows.filter(version__draft=draft, version__number=draft.version).order_by("pk"))


def current_hash(environment: Environment, draft: Draft) -> str:
    """Return the hash over what would be sent now."""
    return fingerprint(draft, draft.inbox, files_of(environment, draft))


def kept(environment: Environment, files: Sequence[File]) -> list[DraftFile]:
    """Store files, and return rows for them that are not saved yet."""
    stored = blobs.keep(environment, [file.content for file in files])
    return [
        DraftFile(
            environment=environment,
            blob=stored[blobs.digest(file.content)],
            filename=file.filename,
            content_type=file.content_type,
            size=len(file.content),
            content_id=file.content_id or "",
        )
        for file in files
    ]


def copied(files: Sequence[DraftFile]) -> list[DraftFile]:
    """Return rows, not saved yet, for the same files in another version."""
    names = ("environment_id", "blob", "filename", "content_type", "size", "content_id")
    return [DraftFile(**{name: getattr(file, name) for name in names}) for file in files]


def loaded(files: Sequence[DraftFile]) -> list[File]:
    """Return files with their bytes."""
    return [
        File(file.filename, file.content_type, blobs.read(file.blob), content_id=file.content_id or None)
        for file in files
    ]
