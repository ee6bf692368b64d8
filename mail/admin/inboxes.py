"""Console pages of inboxes."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from unfold.decorators import display

from environments.console.admins import EnvironmentModelAdmin
from environments.console.forms import ConfinedModelForm, LimitedForm
from environments.console.permissions import Kind
from environments.console.reach import ConsoleRequest
from environments.console.site import site
from environments.services.limits import QUOTAS
from inboxes.models import Inbox
from inboxes.services import inboxes
from mail.services.deletion import delete_inbox


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
    fields = (
        "email", "display_name", "send_paused", "why_paused", *QUOTAS, "domain", "client_id", "metadata", "created_at",
        "id",
    )  # fmt: skip
    readonly_fields = ("email", "why_paused", "domain", "client_id", "metadata", "created_at", "id")

    @display(description="why it is paused")
    def why_paused(self, inbox: Inbox) -> str:
        """Return the reason of the pause."""
        why = inbox.pause_reason
        return f"by a {why['by']}: {why['explanation'] or why['code']}" if why else ""

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
