"""Console page of files that were uploaded to be sent."""

from django.contrib import admin

from environments.console.admins import EnvironmentModelAdmin
from environments.console.permissions import Kind
from environments.console.site import site
from mail.models import Upload


@admin.register(Upload, site=site)
class UploadAdmin(EnvironmentModelAdmin):
    """Files that wait for a message; their bytes are not shown."""

    section = "Mail"
    icon = "upload_file"
    rights = Kind.RECORD
    shows_mail = True
    list_display = ("created_at", "filename", "content_type", "size", "expires_at")
    search_fields = ("filename",)
    fields = ("id", "created_at", "filename", "content_type", "size", "expires_at")
    readonly_fields = ("id",)
    ordering = ("-pk",)
