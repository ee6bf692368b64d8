"""What calls on drafts take, and how drafts look.

Each ``…Output`` describes to the schema what its ``…_json`` builds.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework import serializers

from environments.clock import written
from environments.forms import Body, MomentField, Query, StrictCharField
from mail.api.bodies import MOST_RECIPIENTS, RecipientsField, WrittenBody
from mail.api.present import AddressOutput
from mail.models import Draft, DraftFile, DraftVersion
from mail.services.drafts.differences import Comparison, text_of

LONGEST_REASON = 2000


class ExpectedVersion(Body):
    """Which version of the draft the caller has read; without it, any."""

    version = serializers.IntegerField(min_value=1, required=False)


class DraftBody(WrittenBody):
    """A mail that is not sent yet. Recipients may be missing until it is submitted or sent."""

    to = RecipientsField(max_length=MOST_RECIPIENTS, default=list)
    send_at = MomentField(required=False, allow_null=True)
    in_reply_to_message_id = StrictCharField(max_length=40, required=False, allow_null=True)
    reply_all = serializers.BooleanField(default=False)
    client_id = StrictCharField(max_length=200, required=False)


class DraftChanges(WrittenBody, ExpectedVersion):
    """What to change; ``attachments`` replace those that it has."""

    to = RecipientsField(max_length=MOST_RECIPIENTS, default=list)
    send_at = MomentField(required=False, allow_null=True)


class SubmitBody(ExpectedVersion):
    """How long to wait for a yes or no."""

    expires_at = MomentField(required=False)


class RejectBody(ExpectedVersion):
    """Why not."""

    reason = StrictCharField(max_length=LONGEST_REASON)


class DraftQuery(Query):
    """Which drafts of the list."""

    state = serializers.ChoiceField(Draft.State.values, required=False)
    inbox_id = StrictCharField(max_length=40, required=False)
    include = serializers.ChoiceField(["body"], required=False)


class VersionQuery(Query):
    """What to compare each version with; without it, the one before."""

    against = serializers.IntegerField(min_value=1, required=False)


class WhoOutput(serializers.Serializer):
    """A key or a person."""

    kind = serializers.ChoiceField(["key", "member", "operator", "system"])
    id = serializers.CharField()
    name = serializers.CharField()


class DraftFileOutput(serializers.Serializer):
    """A file of a draft."""

    id = serializers.CharField()
    filename = serializers.CharField()
    content_type = serializers.CharField()
    size = serializers.IntegerField()
    content_id = serializers.CharField(allow_null=True)
    sha256 = serializers.CharField()


class DraftErrorOutput(serializers.Serializer):
    """Why a draft could not be sent, or not yet."""

    code = serializers.CharField()
    message = serializers.CharField()


class WrittenOutput(serializers.Serializer):
    """What somebody wrote."""

    to_addresses = AddressOutput(many=True)
    cc_addresses = AddressOutput(many=True)
    bcc_addresses = AddressOutput(many=True)
    reply_to_addresses = AddressOutput(many=True)
    subject = serializers.CharField()
    text_body = serializers.CharField(required=False, allow_null=True)
    html_body = serializers.CharField(required=False, allow_null=True)
    headers = serializers.DictField(child=serializers.CharField())
    send_at = serializers.DateTimeField(allow_null=True)
    attachments = DraftFileOutput(many=True)
    content_hash = serializers.CharField(help_text="SHA-256 over all that would be sent.")


class DraftOutput(WrittenOutput):
    """A draft. Lists leave the bodies out unless ``include=body``."""

    id = serializers.CharField()
    environment_id = serializers.CharField()
    inbox_id = serializers.CharField()
    state = serializers.ChoiceField(Draft.State.values)
    version = serializers.IntegerField()
    labels = serializers.ListField(child=serializers.CharField())
    metadata = serializers.DictField()
    in_reply_to_message_id = serializers.CharField(allow_null=True)
    client_id = serializers.CharField(allow_null=True)
    author = WhoOutput()
    submitted_by = WhoOutput(allow_null=True)
    submitted_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    approved_by = WhoOutput(allow_null=True)
    approved_at = serializers.DateTimeField(allow_null=True)
    approved_hash = serializers.CharField(allow_null=True)
    rejected_by = WhoOutput(allow_null=True)
    rejected_at = serializers.DateTimeField(allow_null=True)
    rejection_reason = serializers.CharField(allow_null=True)
    sent_by = WhoOutput(allow_null=True)
    message_id = serializers.CharField(allow_null=True)
    error = DraftErrorOutput(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class ChangeOutput(serializers.Serializer):
    """A field that differs, with a unified diff; null where comparing would take too long."""

    field = serializers.CharField()
    diff = serializers.CharField(allow_null=True)


class VersionOutput(WrittenOutput):
    """A draft as it was after one of its edits, and what differs from the version compared with."""

    number = serializers.IntegerField()
    author = WhoOutput()
    compared_with = serializers.IntegerField(allow_null=True)
    changes = ChangeOutput(many=True)
    created_at = serializers.DateTimeField()


def draft_json(draft: Draft, files: Sequence[DraftFile], *, with_bodies: bool = True) -> dict[str, Any]:
    """Return the draft object."""
    return {
        "id": draft.pk,
        "environment_id": draft.environment_id,
        "inbox_id": draft.inbox_id,
        "state": draft.state,
        "version": draft.version,
        **_written_json(draft, files, with_bodies=with_bodies),
        "labels": draft.labels,
        "metadata": draft.metadata,
        "in_reply_to_message_id": draft.answers_id,
        "client_id": draft.client_id,
        "author": draft.author,
        "submitted_by": draft.submitted_by,
        "submitted_at": written(draft.submitted_at),
        "expires_at": written(draft.expires_at),
        "approved_by": draft.approved_by,
        "approved_at": written(draft.approved_at),
        "approved_hash": draft.approved_hash or None,
        "rejected_by": draft.rejected_by,
        "rejected_at": written(draft.rejected_at),
        "rejection_reason": draft.rejection_reason or None,
        "sent_by": draft.sent_by,
        "message_id": draft.message_id,
        "error": draft.error,
        "created_at": written(draft.created_at),
        "updated_at": written(draft.updated_at),
    }


def _written_json(row: Draft | DraftVersion, files: Sequence[DraftFile], *, with_bodies: bool = True) -> dict[str, Any]:
    return {
        "to_addresses": row.to_addresses,
        "cc_addresses": row.cc_addresses,
        "bcc_addresses": row.bcc_addresses,
        "reply_to_addresses": row.reply_to_addresses,
        "subject": row.subject,
        **({"text_body": row.text_body, "html_body": row.html_body} if with_bodies else {}),
        "headers": row.headers,
        "send_at": written(row.send_at),
        "attachments": [_file_json(file) for file in files],
        "content_hash": row.content_hash,
    }


def _file_json(file: DraftFile) -> dict[str, Any]:
    return {
        "id": file.pk,
        "filename": file.filename,
        "content_type": file.content_type,
        "size": file.size,
        "content_id": file.content_id or None,
        "sha256": bytes(file.blob.sha256).hex(),
    }


def versions_json(
    versions: Sequence[DraftVersion],
    others: Mapping[int, DraftVersion],
    files: Mapping[str, Sequence[DraftFile]],
    against: int | None,
) -> list[dict[str, Any]]:
    """Return version objects, each compared with the version ``against``, or the one before it.

    ``others`` holds by number what is compared with, ``files`` the files of all of them by version id.
    """
    comparison = Comparison()
    return [_version_json(row, others.get(against or row.number - 1), files, comparison) for row in versions]


def _version_json(
    version: DraftVersion,
    other: DraftVersion | None,
    files: Mapping[str, Sequence[DraftFile]],
    comparison: Comparison,
) -> dict[str, Any]:
    found = []
    if other is not None:
        found = comparison.changes(text_of(other, files[other.pk]), text_of(version, files[version.pk]))
    return {
        "number": version.number,
        "author": version.author,
        **_written_json(version, files[version.pk]),
        "compared_with": other.number if other else None,
        "changes": [{"field": one.field, "diff": one.diff} for one in found],
        "created_at": written(version.created_at),
    }
