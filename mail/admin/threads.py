"""Console pages of threads."""

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display

from environments.console.site import site
from mail.admin.labelled import LabelledAdmin
from mail.admin.shown import page_of, people, person
from mail.models import (
    Message,
    Thread,
)

SHOWN_MESSAGES = 200


@admin.register(Thread, site=site)
class ThreadAdmin(LabelledAdmin):
    """Conversations of an inbox."""

    icon = "forum"
    list_display = ("title", "inbox", "message_count", "last_message_at", "id")
    list_filter = ("inbox",)
    list_select_related = ("inbox",)
    search_fields = ("subject",)
    ordering = ("-last_message_at", "-pk")
    fields = ("subject", "inbox", "labels", "with_whom", "message_count", "last_message_at", "messages", "id")
    readonly_fields = ("labels", "with_whom", "messages", "id")

    @display(description="subject", ordering="subject")
    def title(self, thread: Thread) -> str:
        """Return the subject, or a word for none."""
        return thread.subject[:120] or "(no subject)"

    @display(description="participants")
    def with_whom(self, thread: Thread) -> str:
        """Return who takes part."""
        return people(thread.participants)

    @display(description="messages")
    def messages(self, thread: Thread) -> SafeString:
        """Return the thread's messages, oldest first, each with a link to its page."""
        rows = Message.objects.in_environment(thread.environment).filter(thread=thread).order_by("pk")
        lean = rows.only("id", "direction", "from_email", "from_name", "snippet", "created_at")[:SHOWN_MESSAGES]
        shown = (
            (
                page_of(row),
                row.created_at.strftime("%Y-%m-%d %H:%M"),
                person(row.from_email, row.from_name),
                row.snippet,
            )
            for row in lean
        )
        return format_html_join("", '<p><a class="console-link" href="{}">{} {}</a><br>{}</p>', shown)
