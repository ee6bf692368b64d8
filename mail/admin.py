"""Console pages of mail. What others wrote is shown as text only: HTML is never rendered here."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import action, display

from environments.console.admins import EnvironmentModelAdmin
from environments.console.forms import ActionForm, ConfinedModelForm
from environments.console.permissions import Kind
from environments.console.reach import ConsoleRequest
from environments.console.site import site
from inboxes.models import Inbox
from inboxes.services import inboxes
from mail.models import Attachment, Blob, Message, MessageLabel, MessageRecipient, Thread, ThreadLabel
from mail.services import labels
from mail.services.deletion import delete_inbox

SHOWN_MESSAGES = 200
NOTHING = SafeString("-")
STATUS_LABELS = {
    "received": "success",
    "quarantined": "warning",
    "sent": "success",
    "delivered": "success",
    "bounced": "danger",
    "complained": "danger",
    "rejected": "danger",
    "failed": "danger",
    "captured": "info",
}


def text(content: str | None) -> SafeString:
    """Return what somebody wrote as it stands, every character of it text."""
    return format_html('<pre class="console-text">{}</pre>', content) if content else NOTHING


def people(addresses: Iterable[dict[str, str]]) -> str:
    """Return addresses on one line."""
    return ", ".join(person(address.get("email", ""), address.get("name", "")) for address in addresses)


def person(email: str, name: str) -> str:
    """Return one address as a mail program shows it."""
    return f"{name} <{email}>" if name else email


class InboxForm(ConfinedModelForm):
    """What may change in an inbox."""

    class Meta:
        model = Inbox
        fields: ClassVar = ["display_name", "send_paused"]
        help_texts: ClassVar = {"send_paused": "Saved with a tick by a person, it is lifted by people only."}


class NewInboxForm(ConfinedModelForm):
    """Which address; without one, a random name on the shared domain."""

    username = forms.CharField(max_length=64, required=False, help_text="What stands before the @.")
    domain = forms.CharField(
        max_length=253, required=False, help_text="Empty: the server's shared domain, where a suffix is added."
    )

    class Meta:
        model = Inbox
        fields: ClassVar = ["display_name"]


@admin.register(Inbox, site=site)
class InboxAdmin(EnvironmentModelAdmin):
    """Addresses and what arrives there. Deleting one deletes its mail."""

    section = "Mail"
    icon = "inbox"
    rights = Kind.RESOURCE
    offers = frozenset({"view", "add", "change", "delete"})
    form = InboxForm
    add_form = NewInboxForm
    add_fields = ("username", "domain", "display_name")
    list_display = ("email", "display_name", "send_paused", "created_at", "id")
    list_filter = ("send_paused",)
    search_fields = ("email", "display_name")
    ordering = ("email",)
    fields = ("email", "display_name", "send_paused", "domain", "client_id", "metadata", "created_at", "id")
    readonly_fields = ("email", "domain", "client_id", "metadata", "created_at", "id")

    def save_model(self, request: ConsoleRequest, obj: Inbox, form: Any, change: bool) -> None:  # noqa: FBT001
        console, given = request.console, form.cleaned_data
        if change:
            confirmed = {"send_paused": True} if given["send_paused"] else {}
            changes = {name: given[name] for name in form.changed_data} | confirmed
            inboxes.update_inbox(obj, console.here, changes, actor=console.actor)
            return
        wanted = {name: value or None for name, value in given.items() if name != "display_name"}
        made, _ = inboxes.create_inbox(console.here, actor=console.actor, display_name=given["display_name"], **wanted)
        obj.__dict__.update(made.__dict__)

    def delete_model(self, request: ConsoleRequest, obj: Inbox) -> None:
        delete_inbox(request.console.here, obj, actor=request.console.actor)


class LabelsForm(ActionForm):
    """All labels, between commas."""

    labels = forms.CharField(
        required=False, max_length=6000, help_text="Between commas. What is left out is taken off."
    )


class LabelledAdmin(EnvironmentModelAdmin):
    """Mail that can carry labels."""

    section = "Mail"
    rights = Kind.RECORD
    shows_mail = True
    actions_detail: ClassVar = ["change_labels"]

    @display(description="labels")
    def labels(self, row: Message | Thread) -> str:
        """Return the row's labels on one line."""
        return ", ".join(labels.of(row.environment, [row])[row.pk])

    def has_label_permission(self, request: ConsoleRequest, object_id: Any = None) -> bool:
        """Return whether this person may label mail."""
        return request.console.may(Kind.LABEL, "add")

    @action(description="Labels", url_path="labels", permissions=["label"])
    def change_labels(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Ask for the labels, and make them the row's."""
        row, environment = self.found(request, object_id), request.console.here

        def carry_out(given: dict[str, Any]) -> str:
            labels.replace(environment, row, [label for label in given["labels"].split(",") if label.strip()])
            return "The labels are changed."

        form = LabelsForm(request.POST or None, initial={"labels": self.labels(row)})
        return self.act(request, row, form, carry_out, title="Labels")


@admin.register(Message, site=site)
class MessageAdmin(LabelledAdmin):
    """Mail that came in or went out."""

    icon = "mail"
    list_display = ("summary", "sender", "inbox", "direction", "state", "carries", "created_at")
    list_filter = ("direction", "status", "has_attachments", "inbox")
    list_select_related = ("inbox",)
    list_defer = ("text_body", "html_body", "extracted_text", "extracted_html", "headers", "authentication", "metadata")
    search_fields = ("subject", "from_email", "message_id_header")
    ordering = ("-pk",)
    fieldsets = (
        (None, {"fields": ("subject", "sender", "to", "cc", "bcc", "inbox", "thread", "labels", "state", "date")}),
        ("Newly written", {"fields": ("new_text",)}),
        ("Attachments", {"fields": ("attachments",)}),
        ("Text", {"fields": ("whole_text",), "classes": ("collapse",)}),
        ("HTML, as source", {"fields": ("html_source",), "classes": ("collapse",)}),
        ("Headers", {"fields": ("all_headers",), "classes": ("collapse",)}),
        (
            "Particulars",
            {
                "fields": (
                    "id", "direction", "created_at", "message_id_header", "in_reply_to", "references", "flags",
                    "authentication", "metadata", "size", "envelope_sender", "envelope_recipients", "peer",
                ),
                "classes": ("collapse",),
            },
        ),
    )  # fmt: skip
    readonly_fields = (
        "id", "sender", "to", "cc", "bcc", "labels", "state", "created_at", "new_text", "whole_text", "html_source",
        "all_headers", "attachments",
    )  # fmt: skip

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


def page_of(row: Any) -> str:
    """Return the address of a row's page."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


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


class LabelForm(ConfinedModelForm):
    """A label for one row of the environment."""

    def clean_label(self) -> str:
        """Return the label as it is stored."""
        return self.cleaned_data["label"].strip().lower()


class LabelAdmin(EnvironmentModelAdmin):
    """Labels, one row for each on each message or thread."""

    section = "Mail"
    icon = "label"
    rights = Kind.LABEL
    offers = frozenset({"view", "add", "delete"})
    shows_mail = True
    form = LabelForm
    of: ClassVar[str]

    def save_model(self, request: ConsoleRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        environment = request.console.here
        labels.add(environment, [form.cleaned_data[self.of]], [obj.label])
        rows: Any = self.model.objects.in_environment(environment)
        made = rows.get(label=obj.label, **{self.of: form.cleaned_data[self.of]})
        obj.__dict__.update(made.__dict__)

    def delete_model(self, request: ConsoleRequest, obj: Any) -> None:
        labels.remove(request.console.here, [getattr(obj, self.of)], [obj.label])


@admin.register(MessageLabel, site=site)
class MessageLabelAdmin(LabelAdmin):
    """Labels on messages."""

    of = "message"
    list_display = ("label", "message")
    list_select_related = ("message",)
    list_defer = tuple(f"message__{name}" for name in MessageAdmin.list_defer)
    search_fields = ("label",)
    autocomplete_fields = ("message",)
    fields = ("label", "message")
    ordering = ("label", "-pk")


@admin.register(ThreadLabel, site=site)
class ThreadLabelAdmin(LabelAdmin):
    """Labels on threads."""

    of = "thread"
    list_display = ("label", "thread")
    list_select_related = ("thread",)
    search_fields = ("label",)
    autocomplete_fields = ("thread",)
    fields = ("label", "thread")
    ordering = ("label", "-pk")


@admin.register(Blob, site=site)
class BlobAdmin(EnvironmentModelAdmin):
    """Objects in the store; their bytes are not shown."""

    section = "Platform"
    icon = "database"
    rights = Kind.INTERNAL
    list_display = ("id", "size", "created_at")
    fields = ("id", "size", "created_at")
    ordering = ("-pk",)
