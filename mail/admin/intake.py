"""Console pages of the intake ledger: why a mail did or did not arrive."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from environments.console.admins import EnvironmentModelAdmin, PlatformModelAdmin
from environments.console.permissions import Kind
from environments.console.reach import ConsoleRequest
from environments.console.site import site
from environments.console.tones import TONES
from environments.ids import is_id
from inboxes.models import FilterRule, Inbox
from mail.admin.lines import lean_message
from mail.admin.tabs import known_of
from mail.models import Intake, IntakeEntry, StrayIntake
from mail.reasons import REASONS, explained

LISTED = ("created_at", "to", "sender", "result", "reason", "peer", "count")
STAGES = {
    "mail": "at MAIL FROM, before a recipient was named",
    "rcpt": "at RCPT TO, before the mail was sent",
    "data": "while the mail was being sent",
    "policy": "by the rules and policies of the environment, once the mail was there",
    "store": "when the mail was stored",
}
TOLD = (
    "created_at", "recipient", "envelope_sender", "result", "reason", "explanation", "reply", "stage", "count", "peer",
    "helo", "tls", "size", "id",
)  # fmt: skip


class ReasonFilter(admin.SimpleListFilter):
    """The reasons there are; the rows are not asked for those that occur."""

    title = "reason"
    parameter_name = "reason"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> list[tuple[str, str]]:
        """Return the choices."""
        return [(reason, reason) for reason in REASONS]

    def queryset(self, _request: HttpRequest, queryset: QuerySet) -> QuerySet:
        """Return the entries with the reason that is chosen."""
        return queryset.filter(reason=self.value()) if self.value() else queryset


class IntakeColumns:
    """The columns that both pages of the ledger show."""

    @display(description="recipient", ordering="recipient")
    def to(self, entry: Intake) -> str:
        """Return the recipient, or a word for none."""
        return entry.recipient or "(none named)"

    @display(description="envelope sender", ordering="envelope_sender")
    def sender(self, entry: Intake) -> str:
        """Return the envelope sender; the null sender as it is written."""
        return entry.envelope_sender or "<>"

    @display(description="outcome", ordering="outcome", label=TONES)
    def result(self, entry: Intake) -> str:
        """Return the outcome, coloured."""
        return entry.outcome


@admin.register(IntakeEntry, site=site)
class IntakeEntryAdmin(IntakeColumns, EnvironmentModelAdmin):
    """Every mail that came for this environment, and what became of it."""

    section = "Mail"
    icon = "fact_check"
    rights = Kind.RECORD
    shows_mail = True
    list_display = LISTED
    list_filter = ("outcome", ReasonFilter, "inbox")
    list_defer = ("verdicts",)
    search_fields = ("recipient", "envelope_sender", "from_email", "message_id_header")
    search_help_text = "Recipient, sender or Message-ID."
    ordering = ("-pk",)
    fields = ("recipient",)
    row_template = "console/mail/intake.html"

    def row_context(self, request: ConsoleRequest, row: IntakeEntry) -> dict[str, Any]:
        here = request.console.here
        rules = FilterRule.objects.in_environment(here).filter(pk=row.rule_id) if is_id("rul", row.rule_id) else None
        return {
            "title": f"{row.get_outcome_display()}: {row.recipient or 'no recipient named'}",
            "inbox": Inbox.objects.in_environment(here).filter(pk=row.inbox_id).first() if row.inbox_id else None,
            "message": lean_message(here, row.message_id),
            "rule": rules.first() if rules is not None else None,
            "meaning": explained(row.reason),
            "stage": STAGES.get(row.stage, row.stage),
            "verdicts": list(known_of(row.verdicts)),
        }


@admin.register(StrayIntake, site=site)
class StrayIntakeAdmin(IntakeColumns, PlatformModelAdmin):
    """What was refused for addresses that no environment holds."""

    icon = "wrong_location"
    list_display = LISTED
    list_filter = ("outcome", ReasonFilter)
    search_fields = ("recipient", "envelope_sender")
    ordering = ("-pk",)
    fields: Any = TOLD
    readonly_fields = ("result", "id")
