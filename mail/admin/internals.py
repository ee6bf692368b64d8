"""Console pages of what only operators look at."""

from django.contrib import admin

from environments.console.admins import EnvironmentModelAdmin
from environments.console.permissions import Kind
from environments.console.site import site
from mail.models import (
    AwaitedMessage,
    Blob,
    RecipientHour,
    SearchEntry,
)


@admin.register(Blob, site=site)
class BlobAdmin(EnvironmentModelAdmin):
    """Objects in the store; their bytes are not shown."""

    section = "Platform"
    icon = "database"
    rights = Kind.INTERNAL
    list_display = ("id", "size", "created_at")
    fields = ("id", "size", "created_at")
    ordering = ("-pk",)


@admin.register(SearchEntry, site=site)
class SearchEntryAdmin(EnvironmentModelAdmin):
    """The search index, one entry for each message; what is in it is not shown."""

    section = "Platform"
    icon = "manage_search"
    rights = Kind.INTERNAL
    list_display = ("id", "message_id")
    list_defer = ("document", "attachment_texts")
    fields = ("id", "message_id")
    readonly_fields = ("message_id",)
    ordering = ("-pk",)


@admin.register(AwaitedMessage, site=site)
class AwaitedMessageAdmin(EnvironmentModelAdmin):
    """What mail to come finds its thread by."""

    section = "Platform"
    icon = "hourglass_empty"
    rights = Kind.INTERNAL
    list_display = ("id", "inbox", "thread")
    list_select_related = ("inbox", "thread")
    fields = ("id", "inbox", "thread", "digest")
    ordering = ("-pk",)


@admin.register(RecipientHour, site=site)
class RecipientHourAdmin(EnvironmentModelAdmin):
    """What the runaway brake looks at: how often an inbox wrote to one recipient in an hour."""

    section = "Platform"
    icon = "fingerprint"
    rights = Kind.INTERNAL
    shows_mail = True
    list_display = ("recipient", "inbox", "hour")
    list_select_related = ("inbox",)
    list_defer = ("fingerprints",)
    fields = ("id", "inbox", "recipient", "hour", "fingerprints")
    readonly_fields = ("id", "fingerprints")
    ordering = ("-pk",)
