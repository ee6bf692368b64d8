"""Console pages of inboxes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Subquery
from unfold.decorators import display

from environments.console import second_factor
from environments.console.admins import note_look
from environments.console.forms import ConfinedModelForm, LimitedForm
from environments.console.permissions import Kind
from environments.console.reach import ConsoleRequest
from environments.console.site import site
from environments.doors import smtp_door
from environments.models import Environment
from environments.services.limits import QUOTAS, loosened_by
from inboxes.models import Inbox
from inboxes.services import inboxes
from mail.admin.lists import MailList, MailListAdmin
from mail.admin.shown import page_of, trial_mail
from mail.admin.threads import Line as ThreadLine
from mail.admin.threads import who_takes_part
from mail.models import Thread
from mail.services import labels
from mail.services.deletion import delete_inbox

MOST_COUNTED = 100  # threads of an inbox; from there on it is "100+"
SHOWN_THREADS = 20


@dataclass(frozen=True)
class Line:
    """What a list shows of an inbox."""

    inbox: Inbox
    url: str
    threads: str
    last_message_at: datetime | None


class InboxForm(LimitedForm):
    """What may change in an inbox."""

    class Meta:
        model = Inbox
        fields: ClassVar = ["display_name", "send_paused", *QUOTAS]
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
class InboxAdmin(MailListAdmin):
    """Addresses and what arrives there. Deleting one deletes its mail."""

    section = "Mail"
    icon = "inbox"
    rights = Kind.RESOURCE
    offers = frozenset({"view", "add", "change", "delete"})
    form = InboxForm
    add_form = NewInboxForm
    add_fields = ("username", "domain", "display_name")
    change_list_template = "console/mail/inboxes.html"
    row_template = "console/mail/inbox.html"
    change_form_outer_before_template = "console/mail/inbox_mail.html"
    search_fields = ("email", "display_name")
    ordering = ("email",)
    fields = (
        "email", "display_name", "send_paused", "why_paused", *QUOTAS, "domain", "client_id", "metadata", "created_at",
        "id",
    )  # fmt: skip
    readonly_fields = ("email", "why_paused", "domain", "client_id", "metadata", "created_at", "id")

    def lines(self, request: ConsoleRequest, shown: MailList) -> Sequence[Line]:
        here = request.console.here
        threads = Thread.objects.in_environment(here).filter(inbox=OuterRef("pk"), message_count__gt=0)
        latest = threads.order_by("-last_message_at", "-pk")
        rows = Inbox.objects.in_environment(here).filter(pk__in=[inbox.pk for inbox in shown.result_list])
        told = rows.annotate(
            last=Subquery(latest.values("last_message_at")[:1]),
            some=ArraySubquery(latest.values("pk")[:MOST_COUNTED]),
        )
        known = {pk: (len(some), last) for pk, some, last in told.values_list("pk", "some", "last")}
        return [
            Line(inbox, page_of(inbox), _counted(known[inbox.pk][0]), known[inbox.pk][1]) for inbox in shown.result_list
        ]

    def row_context(self, request: ConsoleRequest, row: Inbox) -> dict[str, Any]:
        """Return how to use the inbox, and its newest conversations: mail, so an operator's look is noted."""
        if request.console.is_visiting:
            note_look(request, Inbox)
        return {
            "title": row.email,
            "inbox": row,
            "why_paused": self.why_paused(row),
            "thread_lines": _threads(request.console.here, row),
            "trial_mail": trial_mail(row.email),
            "smtp_host": smtp_door()[0],
            "quotas": [(name.replace("_", " "), getattr(row, name)) for name in QUOTAS],
        }

    @display(description="why it is paused")
    def why_paused(self, inbox: Inbox) -> str:
        """Return the reason of the pause."""
        why = inbox.pause_reason
        return f"by a {why['by']}: {why['explanation'] or why['code']}" if why else ""

    def save_model(self, request: ConsoleRequest, obj: Inbox, form: Any, change: bool) -> None:  # noqa: FBT001
        console, given = request.console, form.cleaned_data
        if change:
            before = Inbox.objects.in_environment(console.here).get(pk=obj.pk)
            if (before.send_paused and not given["send_paused"]) or loosened_by(before, given):
                second_factor.demand(request)
            confirmed = {"send_paused": True} if given["send_paused"] else {}
            changes = {name: given[name] for name in form.changed_data} | confirmed
            inboxes.update_inbox(obj, console.here, changes, actor=console.actor)
            return
        wanted = {name: value or None for name, value in given.items() if name != "display_name"}
        made, _ = inboxes.create_inbox(console.here, actor=console.actor, display_name=given["display_name"], **wanted)
        obj.__dict__.update(made.__dict__)

    def delete_model(self, request: ConsoleRequest, obj: Inbox) -> None:
        delete_inbox(request.console.here, obj, actor=request.console.actor)


def _threads(here: Environment, inbox: Inbox) -> list[ThreadLine]:
    """Return the newest conversations of an inbox."""
    rows = Thread.objects.in_environment(here).filter(inbox=inbox, message_count__gt=0)
    found = list(rows.order_by("-last_message_at", "-pk")[:SHOWN_THREADS])
    labelled = labels.of(here, found)
    return [ThreadLine(thread, page_of(thread), who_takes_part(thread), labelled[thread.pk]) for thread in found]


def _counted(count: int) -> str:
    return str(count) if count < MOST_COUNTED else f"{MOST_COUNTED}+"
