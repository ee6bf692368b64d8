"""Console pages of messages: the list, the page of one, and what may be done with them."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.postgres.fields import ArrayField
from django.db.models import F, Func, IntegerField, Q, QuerySet, UUIDField, Value
from django.db.models.functions import Left
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.decorators import action

from environments import clock
from environments.console.admins import refusable
from environments.console.forms import ActionForm
from environments.console.permissions import Kind
from environments.console.reach import ConsoleRequest
from environments.console.site import site
from environments.ids import decode
from inboxes.models import Inbox
from mail.admin.bodies import WithFiles, as_frame, framed_body, only_reading
from mail.admin.fates import fates
from mail.admin.labelled import LabelledAdmin
from mail.admin.lines import Line, lines
from mail.admin.lists import MailList
from mail.admin.shown import LARGE, list_of
from mail.admin.tabs import tabs_of
from mail.models import Message, MessageLabel
from mail.search import mistakes, parse_query
from mail.search.highlighting import READ
from mail.services import deletion, labels, quarantine, search
from mail.services.threads import message_id_digest

MOST_AT_ONCE = 100
INBOXES_OFFERED = 200
Status = Message.Status


class MessageList(MailList):
    """The messages of an environment; those in quarantine where they are asked for."""

    def get_queryset(self, request: ConsoleRequest, exclude_parameters: Any = None) -> QuerySet:
        rows = super().get_queryset(request, exclude_parameters)
        is_named = any(name.startswith(("status", "id", "thread")) for name in self.get_filters_params())
        return rows if self.query or is_named else rows.exclude(status=Status.QUARANTINED)

    @property
    def is_quarantine(self) -> bool:
        """Return whether the list shows what is in quarantine."""
        return self.params.get("status__exact") == Status.QUARANTINED

    @property
    def mistakes(self) -> list[str]:
        """Return what of the query was not understood."""
        return mistakes(self.query, clock.now())


@admin.register(Message, site=site)
class MessageAdmin(WithFiles, LabelledAdmin):
    """Mail that came in or went out."""

    icon = "mail"
    change_list_template = "console/mail/messages.html"
    row_template = "console/mail/message.html"
    list_select_related = ("inbox",)
    list_defer = (*LARGE, "flag_evidence", "report", "references")
    search_fields = ("subject",)  # says that there is a search; ``get_search_results`` says what it finds
    narrowing = ("inbox", "thread", "direction", "status", "has_attachments")
    ordering = ("-pk",)
    fields = ("subject",)
    actions_detail: ClassVar = ["change_labels", "release", "discard"]
    actions: ClassVar = ["add_labels", "remove_labels", "release_selected", "discard_selected"]
    gives: ClassVar = {"frame": "frame", "raw": "raw"}
    views = (
        ("All", {}),
        ("Received", {"direction__exact": "inbound"}),
        ("Sent", {"direction__exact": "outbound"}),
        ("Captured", {"status__exact": "captured"}),
        ("Bounced", {"status__exact": "bounced"}),
        ("Quarantine", {"status__exact": "quarantined"}),
    )

    # --- the list ---

    def get_changelist(self, request: ConsoleRequest, **_: Any) -> type[MailList]:
        return MessageList

    def label_rows(self, request: ConsoleRequest) -> QuerySet:
        return MessageLabel.objects.in_environment(request.console.here)

    def lines(self, request: ConsoleRequest, shown: MailList) -> Sequence[Line]:
        return lines(request.console.here, shown.result_list, shown.query)

    @refusable
    def changelist_view(self, request: ConsoleRequest, extra_context: Any = None) -> HttpResponse:
        inboxes = self.admin_site.rows(request, Inbox).order_by("email")[:INBOXES_OFFERED]
        context = {
            "inboxes": inboxes,
            "statuses": Status.choices,
            "may_label": self.has_label_permission(request),
            "may_release": self.has_release_permission(request),
            "may_discard": self.has_discard_permission(request),
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def get_search_results(
        self, request: ConsoleRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        """Return the messages that the API's search finds too, or the one with this Message-ID; the best first."""
        if not search_term.strip():
            return queryset, False
        found = search.find(request.console.here, parse_query(search_term, clock.now()))
        named = Q(message_id_digest=message_id_digest(search_term.strip()))
        ids = [match.message_id for match in found]
        ranking = Value([decode("msg", pk) for pk in ids], ArrayField(UUIDField()))
        place = Func(ranking, F("pk"), function="array_position", output_field=IntegerField())
        matching = queryset.filter(Q(pk__in=ids) | named).annotate(beginning=Left("extracted_text", READ))
        return matching.order_by(place.asc(nulls_first=True), "-pk"), False

    # --- many at once ---

    @admin.action(description="Add labels", permissions=["label"])
    def add_labels(self, request: ConsoleRequest, queryset: QuerySet) -> None:
        """Put labels on the selected messages."""
        rows = self._selected(queryset)
        labels.add(request.console.here, rows, _given_labels(request))
        messages.success(request, f"{_counted(rows)} labelled.")

    @admin.action(description="Remove labels", permissions=["label"])
    def remove_labels(self, request: ConsoleRequest, queryset: QuerySet) -> None:
        """Take labels off the selected messages."""
        rows = self._selected(queryset)
        labels.remove(request.console.here, rows, _given_labels(request))
        messages.success(request, f"Labels taken off {_counted(rows)}.")

    @admin.action(description="Release from quarantine", permissions=["release"])
    def release_selected(self, request: ConsoleRequest, queryset: QuerySet) -> None:
        """Let those of the selected messages through that are in quarantine."""
        console = request.console
        rows = self._selected(queryset.filter(status=Status.QUARANTINED), whole=True)
        for message in rows:
            quarantine.release(console.here, message, actor=console.actor)
        messages.success(request, f"{_counted(rows)} released: in their threads, and endpoints are told.")

    @admin.action(description="Delete", permissions=["discard"])
    def discard_selected(self, request: ConsoleRequest, queryset: QuerySet) -> None:
        """Delete those of the selected messages that are in quarantine."""
        console = request.console
        rows = self._selected(queryset.filter(status=Status.QUARANTINED))
        for message in rows:
            deletion.delete_message(console.here, message, actor=console.actor)
        messages.success(request, f"{_counted(rows)} deleted.")

    def _selected(self, queryset: QuerySet, *, whole: bool = False) -> list[Message]:
        """Return the selected rows, however many a form claims to have selected."""
        return list((queryset.defer(None) if whole else queryset)[:MOST_AT_ONCE])

    # --- one ---

    def has_release_permission(self, request: ConsoleRequest, object_id: Any = None) -> bool:
        """Return whether this person may let mail out of quarantine."""
        return request.console.may(Kind.RESOURCE, "change")

    def has_discard_permission(self, request: ConsoleRequest, object_id: Any = None) -> bool:
        """Return whether this person may delete mail."""
        return request.console.may(Kind.RESOURCE, "delete")

    @action(description="Release from quarantine", url_path="release", permissions=["release"])
    def release(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Ask once more, and let a message through."""
        message, console = self.found(request, object_id), request.console

        def carry_out(_: dict[str, Any]) -> str:
            quarantine.release(console.here, message, actor=console.actor)
            return "The message is released: it is in its thread, and endpoints are told."

        explanation = (
            f"From {message.from_email}, put aside because: {reasons_of(message)} Releasing it puts it into its "
            "thread, and tells the webhook endpoints that it was received: agents will read it."
        )
        return self.act(
            request,
            message,
            ActionForm(request.POST or None),
            carry_out,
            title="Release from quarantine",
            explanation=explanation,
        )

    @action(description="Delete", url_path="discard", permissions=["discard"])
    def discard(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Ask once more, and delete a message."""
        message, console = self.found(request, object_id), request.console

        def carry_out(_: dict[str, Any]) -> HttpResponse:
            deletion.delete_message(console.here, message, actor=console.actor)
            messages.success(request, "The message is deleted.")
            return HttpResponseRedirect(list_of(Message))

        explanation = (
            "The message, its attachments and its raw bytes are deleted for good. The audit log keeps who did."
        )
        form = ActionForm(request.POST or None)
        return self.act(request, message, form, carry_out, title="Delete", explanation=explanation)

    def row_context(self, request: ConsoleRequest, row: Message) -> dict[str, Any]:
        here = request.console.here
        context: dict[str, Any] = {
            "title": row.subject or "(no subject)",
            "labels": labels.of(here, [row])[row.pk],
            "fates": fates(here, row) if row.direction == Message.Direction.OUTBOUND else [],
            "reply_url": self.reply_url(request, row),
            "may_label": self.has_label_permission(request),
            "may_release": self.has_release_permission(request) and row.status == Status.QUARANTINED,
            "may_discard": self.has_discard_permission(request),
        }
        return {**context, **tabs_of(here, row, request.GET)}

    def reply_url(self, request: ConsoleRequest, message: Message) -> str:
        """Return where a reply to this message is drafted; empty where nobody replies, or not in this role."""
        is_answerable = message.direction == Message.Direction.INBOUND and message.status != Status.QUARANTINED
        if not is_answerable or not request.console.may(Kind.DRAFT, "change"):
            return ""
        return reverse("admin:mail_message_reply", args=[message.pk])

    @only_reading
    def frame(self, request: ConsoleRequest, row: Message) -> HttpResponse:
        """Give the HTML as a page that can do nothing; pictures on other servers only if they are asked for."""
        with_remote = request.GET.get("remote") == "1"
        return as_frame(framed_body(request.console.here, row, with_remote=with_remote).page, with_remote=with_remote)

    @only_reading
    def raw(self, request: ConsoleRequest, row: Message) -> HttpResponse:
        """Give the message byte for byte as it was received, or as it was built to be sent."""
        return self.file(request, row, row.raw, f"{row.pk}.eml", "message/rfc822")


def reasons_of(message: Message) -> str:
    """Return why a message is, or was, in quarantine, in sentences."""
    return " ".join(str(why.get("explanation") or why.get("code")) for why in message.quarantine_reasons)


def _given_labels(request: ConsoleRequest) -> list[str]:
    return [label for label in request.POST.get("labels", "").split(",") if label.strip()]


def _counted(rows: Sequence[Message]) -> str:
    return "1 message" if len(rows) == 1 else f"{len(rows)} messages"
