"""Uploads: bytes that come ahead of the mail they are sent with, over a signed link that is good for one file."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner
from django.db.models import Sum

from environments import clock
from environments.errors import Conflict, NotFound, TooLarge, ValidationFailed
from environments.ids import decode, is_id
from environments.models import Environment
from environments.object_store import removed_on_failure
from environments.services import usage
from mail.models import Attachment, Message, Upload
from mail.services import blobs
from mail.services.compose import File
from mail.services.replies import file_of

LIFE_OF_LINK = timedelta(minutes=15)
LIFE = timedelta(hours=24)
SIGNER = TimestampSigner(salt="upload")


class AlreadyUploaded(Conflict):
    """Other bytes came under the same key."""

    code = "already_uploaded"
    message = "Other bytes have been uploaded under this key already."
    fix = "Ask for another upload URL."


@dataclass(frozen=True)
class Announced:
    """A file that may be uploaded: its row, the token that its link carries, and when that runs out."""

    upload: Upload
    token: str
    until: datetime


def announce(environment: Environment, *, filename: str, content_type: str, size: int) -> Announced:
    """Return a place for a file of exactly this many bytes.

    Raises TooLarge for what no mail could hold, and StorageFull for what does not fit beside what is there.
    """
    if size > settings.AGENTPOST_MAX_MESSAGE_SIZE:
        raise TooLarge(f"The file has {size} bytes; the limit is {settings.AGENTPOST_MAX_MESSAGE_SIZE}.")
    now = clock.now()
    if environment.storage_quota is not None:
        usage.refuse_if_full(environment, size + _announced(environment, now))
    upload = Upload(
        environment_id=environment.pk,
        filename=filename,
        content_type=content_type,
        size=size,
        created_at=now,
        expires_at=now + LIFE,
    )
    upload.save(force_insert=True)
    token = SIGNER.sign(f"{environment.pk}.{upload.pk}.{size}").replace(":", "~")
    return Announced(upload, token, now + LIFE_OF_LINK)


def _announced(environment: Environment, now: datetime) -> int:
    """Return the bytes of uploads that have not expired: they count as kept only once they are sent."""
    rows = Upload.objects.in_environment(environment).filter(expires_at__gt=now)
    return rows.aggregate(total=Sum("size"))["total"] or 0


def opened_by(token: str, upload_id: str) -> tuple[str, int]:
    """Return the environment, and the size, that a token is good for; raise NotFound for any other token."""
    try:
        environment_id, signed_id, size = SIGNER.unsign(token.replace("~", ":"), max_age=LIFE_OF_LINK).split(".")
        decode("env", environment_id)
    except (BadSignature, ValueError) as problem:
        raise NotFound from problem
    if signed_id != upload_id:
        raise NotFound
    return environment_id, int(size)


def store(environment: Environment, upload_id: str, content: bytes) -> Upload:
    """Keep the bytes of an upload, inside its environment. The same bytes may come twice.

    Raises NotFound for an upload that is gone, TooLarge and ValidationFailed for another size than was announced, and
    AlreadyUploaded for other bytes than came before.
    """
    rows = Upload.objects.in_environment(environment).filter(pk=upload_id, expires_at__gt=clock.now())
    upload = rows.select_for_update(of=("self",)).first()
    if upload is None:
        raise NotFound
    refuse_size(upload.size, len(content))
    with removed_on_failure():
        blob = blobs.keep(environment, [content])[blobs.digest(content)]
        if upload.blob_id not in {None, blob.pk}:
            raise AlreadyUploaded
        upload.blob = blob
        upload.save(update_fields=["blob"])
    return upload


def refuse_size(announced: int, size: int) -> None:
    """Raise TooLarge or ValidationFailed when there are more or fewer bytes than announced."""
    if size > announced:
        raise TooLarge(f"The file was announced with {announced} bytes; there are more.", fix="Ask for a new URL.")
    if size < announced:
        raise ValidationFailed(
            f"The file was announced with {announced} bytes; {size} came.",
            fix="Send the whole file, or ask for a new upload URL.",
        )


def uploaded_files(environment: Environment, keys: Collection[str]) -> dict[str, File]:
    """Return the files behind keys of this environment whose bytes have come; what is not there is left out."""
    rows = Upload.objects.in_environment(environment).filter(
        pk__in=[key for key in keys if is_id("upl", key)], blob__isnull=False, expires_at__gt=clock.now()
    )
    found = list(rows.select_related("blob")) if keys else []
    _refuse_sum(sum(row.size for row in found))
    return {row.pk: File(row.filename, row.content_type, blobs.read(row.blob)) for row in found if row.blob}


def attached_files(environment: Environment, ids: Collection[str]) -> dict[str, File]:
    """Return attachments of this environment's messages as files to attach again; none that is in quarantine."""
    rows = Attachment.objects.in_environment(environment).filter(pk__in=[one for one in ids if is_id("att", one)])
    rows = rows.exclude(message__status=Message.Status.QUARANTINED)
    found = list(rows.select_related("blob")) if ids else []
    _refuse_sum(sum(row.size for row in found))
    return {row.pk: file_of(row) for row in found}


def _refuse_sum(size: int) -> None:
    """Raise TooLarge before so much is read that no mail can hold it."""
    if size > settings.AGENTPOST_MAX_MESSAGE_SIZE:
        raise TooLarge(f"The attachments have {size} bytes; the limit is {settings.AGENTPOST_MAX_MESSAGE_SIZE}.")


def forget_expired(environment: Environment) -> int:
    """Delete the uploads that have expired, and the bytes that no message holds; return how many they were."""
    rows = Upload.objects.in_environment(environment).filter(expires_at__lte=clock.now())
    found = list(rows.select_for_update(of=("self",)).order_by("pk").values_list("pk", "blob_id"))
    rows.filter(pk__in=[pk for pk, _ in found]).delete()
    blobs.release(environment, [blob_id for _, blob_id in found if blob_id])
    return len(found)
