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

from django.db.models import Exists, OuterRef, Q, QuerySet

from environments.clock import written
from environments.exporting import File, Files, Table, by_the_dozen, line, lines
from environments.models import Environment, EnvironmentOwned
from inboxes.models import Inbox
from mail.api.draft_forms import draft_json
from mail.api.inboxes import inbox_json
from mail.api.present import messages_json, threads_json
from mail.models import (
    UNFINISHED,
    Attachment,
    AwaitedMessage,
    Blob,
    Draft,
    DraftFile,
    DraftVersion,
    HandOver,
    IntakeEntry,
    Message,
    MessageLabel,
    MessageRecipient,
    RecipientHour,
    SearchEntry,
    SendingWindow,
    Step,
    Thread,
    ThreadLabel,
    Transport,
    Upload,
)
from mail.services import blobs, labels

FROM_LINE = re.compile(rb"^(>*From )", re.MULTILINE)
QUOTED = re.compile(rb"^>(>*From )")
NOBODY = "MAILER-DAEMON"
QUARANTINED = Q(status=Message.Status.QUARANTINED)
AS_IT_IS = "@+=._-"  # in the name of a file
LABELS_AT_ONCE = 100
NOT_LEFT = "It had not left when its environment was exported, and an import sends nothing."


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


# --- Files ------------------------------------------------------------------------------------------------------------


def _files(environment: Environment) -> Iterator[File]:
    """Yield the files that messages came with, and those of all versions of all drafts, each content once."""
    for some in by_the_dozen(_blobs_of(environment, (Attachment, "blob"), (DraftFile, "blob"))):
        for blob in some:
            yield File(f"files/{bytes(blob.sha256).hex()}", iter([_read(blob)]))


def _blobs_of(environment: Environment, *columns: tuple[type[EnvironmentOwned], str]) -> QuerySet[Blob]:
    """Return the blobs that rows of the environment have in any of these columns."""
    is_used = Q()
    for model, name in columns:
        is_used |= Q(Exists(model.objects.in_environment(environment).filter(**{name: OuterRef("pk")})))
    return Blob.objects.in_environment(environment).filter(is_used)


# --- Tables -----------------------------------------------------------------------------------------------------------


def _used_blobs(environment: Environment) -> QuerySet[Blob]:
    """Return the blobs of messages and drafts; those of uploads go with these."""
    return _blobs_of(environment, (Message, "raw"), (Attachment, "blob"), (DraftFile, "blob"))


def _sent_no_more(row: Any) -> None:
    """Let what was still to leave have failed: the server that it is from may have sent it since."""
    if row.status in UNFINISHED:
        row.status = Message.Status.FAILED


def _recipient(row: MessageRecipient) -> None:
    if row.status in UNFINISHED:
        row.status, row.reason, row.explanation = Message.Status.FAILED, "imported", NOT_LEFT


def _withheld(row: HandOver) -> None:
    row.claim, row.next_attempt_at = None, None
    if row.state in {HandOver.State.WAITING, HandOver.State.QUEUED, HandOver.State.SENDING}:
        row.state, row.finished_at, row.last_reply = HandOver.State.WITHHELD, row.created_at, NOT_LEFT


def _at_rest(row: Draft) -> None:
    """Let what was on its way, or waited for a yes, be a draft again: a yes was given to people of elsewhere."""
    row.due_at = None
    if row.state not in {Draft.State.SENT, Draft.State.FAILED, Draft.State.REJECTED}:
        row.state, row.approved_hash, row.approved_by, row.approved_at = Draft.State.DRAFT, "", None, None
        row.submitted_by, row.submitted_at, row.expires_at = None, None, None


FILES: Sequence[Files] = (
    lines("inboxes", Inbox.objects.in_environment, _inboxes),
    lines("threads", Thread.objects.in_environment, threads_json),
    lines("messages", _with_raw, _messages),
    lines("steps", Step.objects.in_environment, _steps),
    _labels,
    lines("drafts", Draft.objects.in_environment, _drafts),
    _files,
    _mailboxes,
)
TABLES: Sequence[Table] = (
    Table(Blob, rows=_used_blobs),
    Table(Thread),
    Table(Message, arrive=_sent_no_more),
    Table(AwaitedMessage),
    Table(HandOver, arrive=_withheld),
    Table(MessageRecipient, arrive=_recipient),
    Table(Attachment),
    Table(Step),
    Table(MessageLabel),
    Table(ThreadLabel),
    Table(IntakeEntry),
    Table(Draft, arrive=_at_rest),
    Table(DraftVersion),
    Table(DraftFile),
)
LEFT_OUT = {
    Transport: "how mail leaves is told with secrets; set it anew",
    SearchEntry: "made anew from the messages",
    Upload: "gone within hours unless it is sent",
    SendingWindow: "counts of hours and days that will be over",
    RecipientHour: "the same",
}
