"""What an archive tells of mail: its exact bytes as mailboxes, and everything that is known of it as lines.

A mailbox is in the form mboxrd: in front of each mail a line ``From sender date``, and in the mail itself every line
that begins with ``From``, after any number of ``>``, has one ``>`` more. Taking that off again gives the bytes as they
came, line ends included; ``size`` and ``raw_sha256`` in messages.jsonl say what they must be.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from django.db.models import Exists, OuterRef, Q

from environments.clock import written
from environments.exporting import File, Files, by_the_dozen, line, lines
from environments.models import Environment
from inboxes.models import Inbox
from mail.api.draft_forms import draft_json
from mail.api.inboxes import inbox_json
from mail.api.present import messages_json, threads_json
from mail.models import Blob, Draft, DraftFile, DraftVersion, Message, Step, Thread
from mail.services import blobs, labels

FROM_LINE = re.compile(rb"^(>*From )", re.MULTILINE)
NOBODY = "MAILER-DAEMON"
QUARANTINED = Q(status=Message.Status.QUARANTINED)
AS_IT_IS = "@+=._-"  # in the name of a file
LABELS_AT_ONCE = 100


# --- Mailboxes --------------------------------------------------------------------------------------------------------


def _mailboxes(environment: Environment) -> Iterator[File]:
    """Yield a mailbox for each inbox, and another for what it has in quarantine, if that is anything."""
    for inboxes in by_the_dozen(Inbox.objects.in_environment(environment)):
        for inbox in inboxes:
            rows = Message.objects.in_environment(environment).filter(inbox=inbox)
            name = f"{quote(inbox.email, safe=AS_IT_IS)}.mbox"
            yield File(f"mail/{name}", _mails(rows.exclude(QUARANTINED)))
            if rows.filter(QUARANTINED).exists():
                yield File(f"quarantine/{name}", _mails(rows.filter(QUARANTINED)))


def _mails(rows: Any) -> Iterator[bytes | None]:
    for some in by_the_dozen(rows.select_related("raw").only("created_at", "envelope_sender", "from_email", "raw")):
        for message in some:
            raw = _read(message.raw)
            yield None if raw is None else as_mboxrd(message, raw)


def _read(blob: Blob) -> bytes | None:
    """Return the bytes; None where they went after the moment that the archive tells of."""
    try:
        return blobs.read(blob)
    except FileNotFoundError:
        return None


def as_mboxrd(message: Message, raw: bytes) -> bytes:
    """Return a mail as it stands in a mailbox, with the line in front of it and the blank one behind it."""
    sender = "".join((message.envelope_sender or message.from_email or NOBODY).split()).encode()
    when = message.created_at.strftime("%a %b %e %H:%M:%S %Y").encode()
    ending = b"\n" if raw.endswith(b"\n") else b"\n\n"
    return b"From %b %b\n%b%b" % (sender, when, FROM_LINE.sub(rb">\1", raw), ending)


# --- Lines ------------------------------------------------------------------------------------------------------------


def _messages(environment: Environment, rows: Sequence[Message]) -> list[dict[str, Any]]:
    """Return messages as the API shows them, but for what is made anew for each asking, with the digest of the raw."""
    shown = messages_json(environment, rows)
    digests = {row.pk: bytes(row.raw.sha256).hex() for row in rows}
    return [{**_lasting(one), "raw_sha256": digests[one["id"]]} for one in shown]


def _lasting(message: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in message.items() if name != "text_for_model"}


def _with_raw(environment: Environment) -> Any:
    return Message.objects.in_environment(environment).select_related("raw")


def _inboxes(_: Environment, rows: Sequence[Inbox]) -> list[dict[str, Any]]:
    return [inbox_json(row) for row in rows]


def _steps(_: Environment, rows: Sequence[Step]) -> list[dict[str, Any]]:
    names = ("status", "email", "reason", "explanation", "details")
    return [
        {"message_id": row.message_id, "at": written(row.created_at), **{name: getattr(row, name) for name in names}}
        for row in rows
    ]


def _labels(environment: Environment) -> Iterator[File]:
    yield File("labels.jsonl", _label_lines(environment))


def _label_lines(environment: Environment) -> Iterator[bytes | None]:
    after = ""
    while some := labels.counts(environment, after, LABELS_AT_ONCE):
        yield from (line(one) for one in some)
        after = some[-1]["name"]


# --- Drafts -----------------------------------------------------------------------------------------------------------


def _drafts(environment: Environment, rows: Sequence[Draft]) -> list[dict[str, Any]]:
    files = _files_of(environment, rows)
    return [draft_json(row, files[row.pk, row.version]) for row in rows]


def _files_of(environment: Environment, rows: Sequence[Draft]) -> dict[tuple[str, int], list[DraftFile]]:
    """Return the files of the drafts' versions, in one query."""
    found: dict[tuple[str, int], list[DraftFile]] = defaultdict(list)
    versions = DraftVersion.objects.in_environment(environment).filter(draft__in=rows)
    files = DraftFile.objects.in_environment(environment).filter(version__in=versions)
    for file in files.select_related("blob", "version").order_by("pk"):
        found[file.version.draft_id, file.version.number].append(file)
    return found


def _draft_files(environment: Environment) -> Iterator[File]:
    """Yield the files of all versions of all drafts, each content once, under its SHA-256."""
    used = DraftFile.objects.in_environment(environment).filter(blob=OuterRef("pk"))
    for some in by_the_dozen(Blob.objects.in_environment(environment).filter(Exists(used))):
        for blob in some:
            yield File(f"draft-files/{bytes(blob.sha256).hex()}", iter([_read(blob)]))


FILES: Sequence[Files] = (
    lines("inboxes", Inbox.objects.in_environment, _inboxes),
    lines("threads", Thread.objects.in_environment, threads_json),
    lines("messages", _with_raw, _messages),
    lines("steps", Step.objects.in_environment, _steps),
    _labels,
    lines("drafts", Draft.objects.in_environment, _drafts),
    _draft_files,
    _mailboxes,
)
