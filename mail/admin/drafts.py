"""Console pages of drafts: what waits for a yes, what would go out, and what became of it."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpResponse
from django.utils.safestring import SafeString
from unfold.decorators import action, display

from environments.console.admins import EnvironmentModelAdmin
from environments.console.forms import ActionForm
from environments.console.permissions import Kind
from environments.console.reach import ConsoleRequest
from environments.console.site import site
from mail.admin.messages import header_lines
from mail.admin.shown import people, text
from mail.models import Draft, DraftFile, DraftVersion
from mail.services.drafts import approval, content, dispatch
from mail.services.drafts.differences import Comparison, text_of
from mail.services.drafts.rows import Expected

BODIES = ("text_body", "html_body", "headers")
STATE_LABELS = {
    "pending_approval": "warning",
    "approved": "success",
    "rejected": "danger",
    "scheduled": "info",
    "sending": "info",
    "sent": "success",
    "failed": "danger",
}


class SeenForm(ActionForm):
    """A yes, to the version that was on the page when it was opened."""

    version = forms.IntegerField(widget=forms.HiddenInput)


class RejectForm(SeenForm):
    """Why not."""

    reason = forms.CharField(widget=forms.Textarea, max_length=2000, help_text="Its author is told.")


@admin.register(Draft, site=site)
class DraftAdmin(EnvironmentModelAdmin):
    """Mail that is not sent yet, or was sent after somebody's yes."""

    section = "Mail"
    icon = "edit_note"
    rights = Kind.DRAFT
    shows_mail = True
    list_display = ("summary", "to", "inbox", "shown_state", "written_by", "expires_at", "created_at")
    list_filter = ("state", "inbox")
    list_select_related = ("inbox",)
    list_defer = BODIES
    search_fields = ("subject",)
    ordering = ("-pk",)
    fieldsets = (
        (None, {"fields": ("shown_state", "inbox", "to", "cc", "bcc", "reply_to", "subject", "send_at", "files")}),
        ("Text", {"fields": ("whole_text",)}),
        ("HTML, as source", {"fields": ("html_source",), "classes": ("collapse",)}),
        ("Headers", {"fields": ("own_headers",), "classes": ("collapse",)}),
        ("What changed", {"fields": ("version", "differences")}),
        (
            "Approval",
            {
                "fields": (
                    "written_by", "asked_by", "submitted_at", "expires_at", "yes_by", "approved_at", "no_by",
                    "rejection_reason", "dispatched_by", "message", "why_not_sent",
                )
            },
        ),
        (
            "Particulars",
            {
                "fields": ("id", "answers", "labels", "metadata", "content_hash", "client_id", "created_at"),
                "classes": ("collapse",),
            },
        ),
    )  # fmt: skip
    readonly_fields = (
        "id", "shown_state", "to", "cc", "bcc", "reply_to", "files", "whole_text", "html_source", "own_headers",
        "differences", "written_by", "asked_by", "yes_by", "no_by", "dispatched_by", "why_not_sent", "created_at",
    )  # fmt: skip
    actions_detail: ClassVar = ["approve", "reject", "send"]

    def has_review_permission(self, request: ConsoleRequest, object_id: Any = None) -> bool:
        """Return whether this person may let drafts out, or keep them in."""
        return request.console.may(Kind.DRAFT, "change")

    @action(description="Approve", url_path="approve", permissions=["review"])
    def approve(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Ask once more, and approve."""
        draft, console = self.found(request, object_id), request.console

        def carry_out(given: dict[str, Any]) -> str:
            approval.approve(console.here, draft, actor=console.actor, expected=Expected(version=given["version"]))
            return "The draft is approved; whoever wrote it may send it now."

        return self.act(request, draft, self._form(SeenForm, request, draft), carry_out, title="Approve draft")

    @action(description="Reject", url_path="reject", permissions=["review"])
    def reject(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Ask for the reason, and reject."""
        draft, console = self.found(request, object_id), request.console

        def carry_out(given: dict[str, Any]) -> str:
            seen = Expected(version=given["version"])
            approval.reject(console.here, draft, given["reason"], actor=console.actor, expected=seen)
            return "The draft is rejected; whoever wrote it is told why."

        return self.act(request, draft, self._form(RejectForm, request, draft), carry_out, title="Reject draft")

    @action(description="Send", url_path="send", permissions=["review"])
    def send(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Ask once more, and send; sending is approving."""
        draft, console = self.found(request, object_id), request.console

        def carry_out(given: dict[str, Any]) -> str:
            seen = Expected(version=given["version"])
            dispatch.send_draft(console.here, draft, actor=console.actor, may_send=True, expected=seen)
            return "The draft is scheduled." if draft.state == Draft.State.SCHEDULED else "The draft is sent."

        explanation = "Where nobody has approved it yet, you approve it by sending it."
        form = self._form(SeenForm, request, draft)
        return self.act(request, draft, form, carry_out, title="Send draft", explanation=explanation)

    def _form(self, kind: type[SeenForm], request: ConsoleRequest, draft: Draft) -> SeenForm:
        return kind(request.POST or None, initial={"version": draft.version})

    @display(description="subject", ordering="subject")
    def summary(self, draft: Draft) -> str:
        """Return the subject, or a word for none."""
        return draft.subject[:120] or "(no subject)"

    @display(description="state", ordering="state", label=STATE_LABELS)
    def shown_state(self, draft: Draft) -> str:
        """Return the state, coloured."""
        return draft.state

    @display(description="to")
    def to(self, draft: Draft) -> str:
        """Return the recipients."""
        return people(draft.to_addresses)

    @display(description="cc")
    def cc(self, draft: Draft) -> str:
        """Return the recipients of copies."""
        return people(draft.cc_addresses)

    @display(description="bcc")
    def bcc(self, draft: Draft) -> str:
        """Return the hidden recipients."""
        return people(draft.bcc_addresses)

    @display(description="reply to")
    def reply_to(self, draft: Draft) -> str:
        """Return where answers go."""
        return people(draft.reply_to_addresses)

    @display(description="files")
    def files(self, draft: Draft) -> SafeString:
        """Return the files that would go out."""
        rows = content.files_of(draft.environment, draft)
        return text("\n".join(f"{file.filename} ({file.content_type}, {file.size} bytes)" for file in rows))

    @display(description="")
    def whole_text(self, draft: Draft) -> SafeString:
        """Return the text body."""
        return text(draft.text_body)

    @display(description="")
    def html_source(self, draft: Draft) -> SafeString:
        """Return the HTML body's source."""
        return text(draft.html_body)

    @display(description="")
    def own_headers(self, draft: Draft) -> SafeString:
        """Return the headers, one a line."""
        return text("\n".join(f"{name}: {value}" for name, value in header_lines(draft.headers)))

    @display(description="since the version before")
    def differences(self, draft: Draft) -> SafeString:
        """Return what the last edit changed."""
        rows = DraftVersion.objects.in_environment(draft.environment).filter(draft=draft)
        found = list(rows.filter(number__gte=draft.version - 1).order_by("number"))
        return text(_difference(*found) if len(found) > 1 else "")

    @display(description="written by")
    def written_by(self, draft: Draft) -> str:
        """Return the author."""
        return _named(draft.author)

    @display(description="submitted by")
    def asked_by(self, draft: Draft) -> str:
        """Return who asked for approval."""
        return _named(draft.submitted_by)

    @display(description="approved by")
    def yes_by(self, draft: Draft) -> str:
        """Return who approved it."""
        return _named(draft.approved_by)

    @display(description="rejected by")
    def no_by(self, draft: Draft) -> str:
        """Return who rejected it."""
        return _named(draft.rejected_by)

    @display(description="sent by")
    def dispatched_by(self, draft: Draft) -> str:
        """Return who sent or scheduled it."""
        return _named(draft.sent_by)

    @display(description="not sent because")
    def why_not_sent(self, draft: Draft) -> str:
        """Return why it could not be sent."""
        return draft.error["message"] if draft.error else ""


def _named(who: dict[str, str] | None) -> str:
    return f"{who['name']} ({' '.join(filter(None, (who['kind'], who['id'])))})" if who else ""


def _difference(before: DraftVersion, after: DraftVersion) -> str:
    """Return what differs between two versions, for a person to read."""
    texts = [text_of(version, _files(version)) for version in (before, after)]
    changes = Comparison().changes(*texts)
    return "\n\n".join(f"{one.field}\n{one.diff or '(too long to compare)'}" for one in changes)


def _files(version: DraftVersion) -> list[DraftFile]:
    rows = DraftFile.objects.in_environment(version.environment).filter(version=version)
    return list(rows.select_related("blob").order_by("pk"))


@admin.register(DraftVersion, site=site)
class DraftVersionAdmin(EnvironmentModelAdmin):
    """Drafts as they were after each of their edits."""

    section = "Mail"
    icon = "history"
    rights = Kind.RECORD
    shows_mail = True
    list_display = ("created_at", "draft_id", "number", "subject", "content_hash")
    list_defer = BODIES
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
class DraftFileAdmin(EnvironmentModelAdmin):
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
