"""Console pages of the files that came with messages, and of the recipients of messages."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpResponse

from environments.console.admins import EnvironmentModelAdmin
from environments.console.permissions import Kind
from environments.console.reach import ConsoleRequest
from environments.console.site import site
from mail.admin.bodies import WithFiles, only_reading
from mail.admin.lines import lean_message
from mail.admin.shown import LARGE
from mail.models import Attachment, MessageRecipient
from mail.services import search


@admin.register(MessageRecipient, site=site)
class MessageRecipientAdmin(EnvironmentModelAdmin):
    """What became of a message at each of its recipients."""

    section = "Mail"
    icon = "alternate_email"
    rights = Kind.RECORD
    shows_mail = True
    list_display = ("email", "kind", "status", "reason", "message")
    list_filter = ("kind", "status")
    list_select_related = ("message",)
    list_defer = tuple(f"message__{name}" for name in LARGE)
    search_fields = ("email",)
    fields = ("message", "kind", "email", "status", "reason", "explanation", "id")
    ordering = ("-pk",)


@admin.register(Attachment, site=site)
class AttachmentAdmin(WithFiles):
    """Files that came with messages. They are given to be kept, and never shown."""

    section = "Mail"
    icon = "attach_file"
    rights = Kind.RECORD
    shows_mail = True
    list_display = ("filename", "content_type", "size", "is_inline", "created_at", "id")
    list_filter = ("is_inline",)
    search_fields = ("filename",)
    ordering = ("-pk",)
    row_template = "console/mail/attachment.html"
    gives: ClassVar = {"download": "download"}

    def row_context(self, request: ConsoleRequest, row: Attachment) -> dict[str, Any]:
        return {
            **super().row_context(request, row),
            "message": lean_message(request.console.here, row.message_id),
            "is_searched": search.is_readable(row),
        }

    @only_reading
    def download(self, request: ConsoleRequest, row: Attachment) -> HttpResponse:
        """Give the file, under its name."""
        return self.file(request, row, row.blob, row.filename or row.pk, "application/octet-stream")
