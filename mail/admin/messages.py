"""Console pages of messages and what hangs on them."""

import json
from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import action, display

from environments import clock
from environments.console.admins import EnvironmentModelAdmin
from environments.console.forms import ActionForm
from environments.console.permissions import Kind
from environments.console.reach import ConsoleRequest
from environments.console.site import site
from mail.admin.labelled import LabelledAdmin
from mail.admin.shown import NOTHING, STATUS_LABELS, page_of, people, person, text
from mail.gates import MOST_MATCHES
from mail.models import (
    Attachment,
    Message,
    MessageRecipient,
)
from mail.search import parse_query
from mail.services import quarantine, search
from mail.services.threads import message_id_digest


@admin.register(Message, site=site)
class MessageAdmin(LabelledAdmin):
    """Mail that came in or went out."""

    icon = "mail"
    list_display = ("summary", "sender", "inbox", "direction", "state", "carries", "created_at")
    list_filter = ("direction", "status", "has_attachments", "inbox")
    list_select_related = ("inbox",)
    list_defer = ("text_body", "html_body", "extracted_text", "extracted_html", "headers", "authentication", "metadata")
    search_fields = ("subject",)  # says that there is a search; ``get_search_results`` says what it finds
    search_help_text = 'Words, "phrases", -not, OR, from: to: subject: label: before: after: has:attachment in:spam'
    ordering = ("-pk",)
    fieldsets = (
        (None, {"fields": ("subject", "sender", "to", "cc", "bcc", "inbox", "thread", "labels", "state", "date")}),
        ("Newly written", {"fields": ("new_text",)}),
        ("Trust", {"fields": ("quarantined", "verdicts", "evidence", "automatic", "reported")}),
        ("Attachments", {"fields": ("attachments",)}),
        ("Text", {"fields": ("whole_text",), "classes": ("collapse",)}),
        ("HTML, as source", {"fields": ("html_source",), "classes": ("collapse",)}),
        ("Headers", {"fields": ("all_headers",), "classes": ("collapse",)}),
        (
            "Particulars",
            {
                "fields": (
                    "id", "direction", "created_at", "message_id_header", "in_reply_to", "references", "metadata",
                    "size", "envelope_sender", "envelope_recipients", "peer",
                ),
                "classes": ("collapse",),
            },
        ),
    )  # fmt: skip
    readonly_fields = (
        "id", "sender", "to", "cc", "bcc", "labels", "state", "created_at", "new_text", "whole_text", "html_source",
        "all_headers", "attachments", "quarantined", "verdicts", "evidence", "reported",
    )  # fmt: skip
    actions_detail: ClassVar = ["change_labels", "release"]

    def has_release_permission(self, request: ConsoleRequest, object_id: Any = None) -> bool:
        """Return whether this person may let mail out of quarantine."""
        return request.console.may(Kind.RESOURCE, "change")

    @action(description="Release from quarantine", url_path="release", permissions=["release"])
    def release(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Ask once more, and let a message through."""
        message, console = self.found(request, object_id), request.console

        def carry_out(_: dict[str, Any]) -> str:
            quarantine.release(console.here, message, actor=console.actor)
            return "The message is released: it is in its thread, and endpoints are told."

        return self.act(request, message, ActionForm(request.POST or None), carry_out, title="Release from quarantine")

    @display(description="quarantined because")
    def quarantined(self, message: Message) -> SafeString:
        """Return why the message is, or was, in quarantine."""
        return text("\n".join(f"{why['code']}: {why['explanation']}" for why in message.quarantine_reasons))

    @display(description="sender checked")
    def verdicts(self, message: Message) -> SafeString:
        """Return what SPF, DKIM, DMARC and ARC came to, each with its reason."""
        return text("\n".join(verdict_lines(message.authentication)))

    @display(description="flags")
    def evidence(self, message: Message) -> SafeString:
        """Return the flags, each with what was found."""
        found = message.flag_evidence
        return text("\n".join(": ".join([flag, *["; ".join(found[flag])] * (flag in found)]) for flag in message.flags))

    @display(description="report")
    def reported(self, message: Message) -> SafeString:
        """Return what a delivery, feedback or disposition report tells."""
        return text(json.dumps(message.report, indent=2, ensure_ascii=False) if message.report else "")

    def get_search_results(
        self, request: ConsoleRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        """Return the messages that the API's search finds too, or the one with this Message-ID."""
        if not search_term.strip():
            return queryset, False
        found = search.find(request.console.here, parse_query(search_term, clock.now()), most=MOST_MATCHES)
        named = Q(message_id_digest=message_id_digest(search_term.strip()))
        return queryset.filter(Q(pk__in=[match.message_id for match in found]) | named), False

    @display(description="subject", ordering="subject")
    def summary(self, message: Message) -> str:
        """Return the subject, or a word for none."""
        return message.subject[:120] or "(no subject)"

    @display(description="from", ordering="from_email")
    def sender(self, message: Message) -> str:
        """Return who wrote it."""
        return person(message.from_email, message.from_name)

    @display(description="status", ordering="status", label=STATUS_LABELS)
    def state(self, message: Message) -> str:
        """Return the status, coloured."""
        return message.status

    @display(description="files", ordering="has_attachments")
    def carries(self, message: Message) -> str:
        """Return whether files came with it."""
        return "yes" if message.has_attachments else ""

    @display(description="to")
    def to(self, message: Message) -> str:
        """Return the recipients."""
        return people(message.to_addresses)

    @display(description="cc")
    def cc(self, message: Message) -> str:
        """Return the recipients of copies."""
        return people(message.cc_addresses)

    @display(description="bcc")
    def bcc(self, message: Message) -> str:
        """Return the hidden recipients."""
        return people(message.bcc_addresses)

    @display(description="")
    def new_text(self, message: Message) -> SafeString:
        """Return what the person newly wrote."""
        return text(message.extracted_text)

    @display(description="")
    def whole_text(self, message: Message) -> SafeString:
        """Return the text body."""
        return text(message.text_body)

    @display(description="")
    def html_source(self, message: Message) -> SafeString:
        """Return the HTML body's source."""
        return text(message.html_body)

    @display(description="")
    def all_headers(self, message: Message) -> SafeString:
        """Return the headers, one a line."""
        return text("\n".join(f"{name}: {value}" for name, value in header_lines(message.headers)))

    @display(description="")
    def attachments(self, message: Message) -> SafeString:
        """Return links to the attachments' pages."""
        files = Attachment.objects.in_environment(message.environment).filter(message=message).order_by("pk")
        rows = ((page_of(file), file.filename, file.content_type, file.size) for file in files)
        return (
            format_html_join(SafeString("<br>"), '<a class="console-link" href="{}">{}</a> {}, {} bytes', rows)
            or NOTHING
        )


def header_lines(headers: Any) -> Iterable[tuple[str, str]]:
    """Yield (name, value) of headers kept as a mapping to one or several values, or as a list of pairs."""
    for name, value in headers.items() if isinstance(headers, dict) else headers:
        for one in value if isinstance(value, list) else [value]:
            yield name, one


def verdict_lines(authentication: dict[str, Any]) -> Iterable[str]:
    """Yield a line for each mechanism that was checked, and one for each particular that is known of it."""
    for mechanism in ("spf", "dkim", "dmarc", "arc"):
        if result := authentication.get(mechanism):
            details = authentication.get("details", {}).get(mechanism) or []
            yield f"{mechanism}: {result}"
            for one in details if isinstance(details, list) else [details]:
                yield "    " + ", ".join(f"{name} {value}" for name, value in one.items())


@admin.register(MessageRecipient, site=site)
class MessageRecipientAdmin(EnvironmentModelAdmin):
    """What became of a message at each of its recipients."""

    section = "Mail"
    icon = "alternate_email"
    rights = Kind.RECORD
    shows_mail = True
    list_display = ("email", "kind", "status", "message")
    list_filter = ("kind", "status")
    list_select_related = ("message",)
    list_defer = tuple(f"message__{name}" for name in MessageAdmin.list_defer)
    search_fields = ("email",)
    fields = ("message", "kind", "email", "status", "id")
    ordering = ("-pk",)


@admin.register(Attachment, site=site)
class AttachmentAdmin(EnvironmentModelAdmin):
    """Files that came with messages."""

    section = "Mail"
    icon = "attach_file"
    rights = Kind.RECORD
    shows_mail = True
    list_display = ("filename", "content_type", "size", "is_inline", "created_at", "id")
    list_filter = ("is_inline",)
    search_fields = ("filename",)
    fields = ("filename", "content_type", "size", "is_inline", "content_id", "message", "created_at", "id")
    ordering = ("-pk",)
