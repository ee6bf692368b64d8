"""Writing drafts: each edit of what would be sent is a version, and takes back what was said about the one before."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from environments.callers import Actor
from environments.models import Environment
from environments.services import usage
from inboxes.models import Inbox
from mail.models import Draft, DraftFile, DraftVersion
from mail.services import blobs
from mail.services.compose import File, Outgoing
from mail.services.drafts import content
from mail.services.drafts.refusals import DraftState, TooManyVersions
from mail.services.drafts.rows import ANYTHING, Expected, lock_expected, save, who

State = Draft.State
MOST_VERSIONS = 200
GONE_OUT = (State.SENDING, State.SENT)
BESIDE_THE_MAIL = ("labels", "metadata")  # recipients never see them: they may change without anybody's yes


def create_draft(
    environment: Environment, inbox: Inbox, outgoing: Outgoing, *, actor: Actor, client_id: str | None = None
) -> tuple[Draft, bool]:
    """Create a draft of this mail, or return the one with the same ``client_id``; the second value: whether it is new.

    Runs inside the environment. Recipients may be missing yet. Raises ValidationFailed and TooLarge as sending does,
    and StorageFull for files that do not fit.
    """
    if client_id and (existing := _with_client_id(environment, client_id)):
        return existing, False
    draft = Draft(
        environment=environment,
        inbox=inbox,
        client_id=client_id,
        author=who(actor),
        labels=list(outgoing.labels),
        metadata=dict(outgoing.metadata),
        answers_id=outgoing.answers,
        in_reply_to=outgoing.in_reply_to,
        references=list(outgoing.references),
    )
    content.write(draft, content.fields_of(outgoing))
    content.check(draft, inbox, outgoing.files)
    try:
        with transaction.atomic():
            _insert(environment, draft, inbox, outgoing.files, actor)
    except IntegrityError:
        if client_id and (existing := _with_client_id(environment, client_id)):
            return existing, False
        raise
    return draft, True


def _with_client_id(environment: Environment, client_id: str) -> Draft | None:
    return Draft.objects.in_environment(environment).filter(client_id=client_id).first()


def _insert(environment: Environment, draft: Draft, inbox: Inbox, files: Sequence[File], actor: Actor) -> None:
    rows = _taken_in(environment, draft, files)
    draft.content_hash = content.fingerprint(draft, inbox, rows)
    draft.save(force_insert=True)
    _save_version(environment, draft, rows, actor)


def _taken_in(environment: Environment, draft: Draft, files: Sequence[File]) -> list[DraftFile]:
    """Store files of a draft, and count their bytes. Raises StorageFull."""
    size = sum(len(file.content) for file in files)
    draft.size += size
    if size:
        usage.refuse_if_full(environment, size)
        usage.count(environment.pk, {"bytes_stored": size})
    return content.kept(environment, files)


def update_draft(
    environment: Environment,
    draft: Draft,
    changes: Mapping[str, Any],
    *,
    actor: Actor,
    files: Sequence[File] | None = None,
    expected: Expected = ANYTHING,
) -> Draft:
    """Change a draft: ``changes`` are fields of a mail, ``files`` replace those that it has.

    What changes the mail makes a new version and takes the draft back to ``draft``, without approval and schedule.
    Raises PreconditionFailed, DraftChanged, DraftState, TooManyVersions, ValidationFailed, TooLarge and StorageFull.
    """
    lock_expected(environment, draft, expected)
    if draft.state in GONE_OUT:
        raise DraftState(draft.state, "changed")
    for name in BESIDE_THE_MAIL:
        if name in changes:
            setattr(draft, name, changes[name])
    content.write(draft, {name: value for name, value in changes.items() if name not in BESIDE_THE_MAIL})
    _change_mail(environment, draft, files, actor)
    save(draft)
    return draft


def _change_mail(environment: Environment, draft: Draft, files: Sequence[File] | None, actor: Actor) -> None:
    """Make a version of what the draft holds now, when that is another mail than before."""
    before, inbox = content.files_of(environment, draft), draft.inbox
    content.check(draft, inbox, files or (), carried=sum(row.size for row in before) if files is None else 0)
    rows = content.copied(before) if files is None else _taken_in(environment, draft, files)
    changed = content.fingerprint(draft, inbox, rows)
    if changed == draft.content_hash:
        return
    if draft.version >= MOST_VERSIONS:
        raise TooManyVersions
    draft.version += 1
    draft.content_hash = changed
    withdraw(draft)
    _save_version(environment, draft, rows, actor)


def withdraw(draft: Draft) -> None:
    """Take a draft back to ``draft``: nobody has approved what it holds, and nothing is due."""
    draft.state, draft.due_at, draft.expires_at, draft.error = State.DRAFT, None, None, None
    draft.approved_by, draft.approved_at, draft.approved_hash = None, None, ""


def _save_version(environment: Environment, draft: Draft, rows: Sequence[DraftFile], actor: Actor) -> None:
    version = DraftVersion(
        environment=environment,
        draft=draft,
        number=draft.version,
        author=who(actor),
        content_hash=draft.content_hash,
        **{name: getattr(draft, name) for name in DraftVersion.FIELDS},
    )
    version.save(force_insert=True)
    for row in rows:
        row.version = version
    DraftFile.objects.in_environment(environment).bulk_create(rows)


def delete_draft(environment: Environment, draft: Draft, *, expected: Expected = ANYTHING) -> None:
    """Delete a draft with its versions and files. Raises DraftState for one that went out: it tells who approved it."""
    lock_expected(environment, draft, expected)
    if draft.state in GONE_OUT:
        raise DraftState(draft.state, "deleted")
    delete_drafts(environment, Draft.objects.in_environment(environment).filter(pk=draft.pk))


def delete_drafts(environment: Environment, drafts: QuerySet[Draft]) -> int:
    """Delete these drafts, whatever their states, with versions and files; return how many they were."""
    sizes = dict(drafts.order_by("pk").select_for_update().values_list("pk", "size"))
    files = DraftFile.objects.in_environment(environment).filter(version__draft__in=list(sizes))
    blob_ids = set(files.values_list("blob_id", flat=True))
    Draft.objects.in_environment(environment).filter(pk__in=list(sizes)).delete()
    blobs.release(environment, blob_ids)
    if size := sum(sizes.values()):
        usage.count(environment.pk, {"bytes_stored": -size})
    return len(sizes)
