"""Console pages of what drafts leave behind: their versions, and the files in them."""

from typing import ClassVar

from django.contrib import admin
from django.http import HttpResponse
from django.utils.safestring import SafeString
from unfold.decorators import display

from environments.console.admins import EnvironmentModelAdmin
from environments.console.permissions import Kind
from environments.console.reach import ConsoleRequest
from environments.console.site import site
from mail.admin.bodies import WithFiles, only_reading
from mail.admin.shown import text
from mail.models import DraftFile, DraftVersion


@admin.register(DraftVersion, site=site)
class DraftVersionAdmin(EnvironmentModelAdmin):
    """Drafts as they were after each of their edits."""

    section = "Mail"
    icon = "history"
    rights = Kind.RECORD
    shows_mail = True
    list_display = ("created_at", "draft_id", "number", "subject", "content_hash")
    list_defer = ("text_body", "html_body", "headers")
    search_fields = ("subject",)
    fields = (
        "id", "draft", "number", "created_at", "subject", "shown_text", "shown_html", "to_addresses", "cc_addresses",
        "bcc_addresses", "reply_to_addresses", "headers", "send_at", "content_hash", "author",
    )  # fmt: skip
    readonly_fields = ("id", "shown_text", "shown_html")
    ordering = ("-pk",)

    @display(description="text")
    def shown_text(self, version: DraftVersion) -> SafeString:
        """Return the text body."""
        return text(version.text_body)

    @display(description="HTML, as source")
    def shown_html(self, version: DraftVersion) -> SafeString:
        """Return the HTML body's source."""
        return text(version.html_body)


@admin.register(DraftFile, site=site)
class DraftFileAdmin(WithFiles):
    """Files of drafts."""

    section = "Mail"
    icon = "attach_file"
    rights = Kind.RECORD
    shows_mail = True
    list_display = ("filename", "content_type", "size", "id")
    search_fields = ("filename",)
    fields = ("id", "version", "filename", "content_type", "size", "content_id")
    readonly_fields = ("id",)
    ordering = ("-pk",)
    gives: ClassVar = {"download": "download"}

    @only_reading
    def download(self, request: ConsoleRequest, row: DraftFile) -> HttpResponse:
        """Give the file, under its name."""
        return self.file(request, row, row.blob, row.filename, "application/octet-stream")
