"""Console pages of the places that are offered."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin
from django.http import HttpResponse
from unfold.decorators import action, display

from environments.admin.people_forms import InvitationForm
from environments.console.admins import OrganizationModelAdmin
from environments.console.forms import ActionForm
from environments.console.permissions import Kind
from environments.console.reach import ConsoleRequest
from environments.console.site import site
from environments.console.tones import TONES
from environments.models import Invitation
from environments.relay import Relay
from environments.services import members as member_services

NO_RELAY = "This server mails nothing to its people (AGENTPOST_RELAY_URL is not set): pass the link on yourself."


def told_by_mail(invitation: Invitation) -> str:
    """Return whether the address is told by mail, as a sentence."""
    if Relay.of(settings.AGENTPOST_RELAY_URL) is None:
        return NO_RELAY
    return f"It is being mailed to {invitation.email}, unless agents of this server read mail to its domain."


@admin.register(Invitation, site=site)
class InvitationAdmin(OrganizationModelAdmin):
    """Places offered. The link is mailed to the address, and shown once to whoever invites."""

    icon = "mail_lock"
    rights = Kind.PEOPLE
    offers = frozenset({"view", "add"})
    add_form = InvitationForm
    add_fields = ("email", "role")
    list_display = ("email", "role", "state", "expires_at", "id")
    list_filter = ("status",)
    when_empty = "Invite a colleague by address: the link is mailed, and shown once to you."
    search_fields = ("email",)
    fields = ("email", "role", "state", "invited_by", "expires_at", "id", "created_at")
    readonly_fields = fields
    ordering = ("-pk",)
    actions_detail: ClassVar = ["mail_again", "new_link", "revoke"]

    @display(description="status", label=TONES, ordering="status")
    def state(self, invitation: Invitation) -> str:
        """Return the status, coloured; what has run out is expired, written down or not."""
        return invitation.status_now

    def save_model(self, request: ConsoleRequest, obj: Invitation, form: Any, change: bool) -> None:  # noqa: FBT001
        given, organization_id = form.cleaned_data, request.console.here.organization_id
        invited, token = member_services.invite(
            organization_id, given["email"], given["role"], actor=request.console.actor
        )
        obj.__dict__.update(invited.__dict__)
        obj.token = token  # type: ignore[attr-defined]

    def response_add(self, request: ConsoleRequest, obj: Any, *_: Any) -> HttpResponse:
        return self._link(request, obj, obj.token, told_by_mail(obj))

    def _link(self, request: ConsoleRequest, invitation: Invitation, token: str, how: str) -> HttpResponse:
        link = member_services.invitation_link(token)
        shown = {"title": "Invitation", "secret": link, "back": self.url(invitation), "opts": self.opts}
        explanation = f"The link for {invitation.email}, shown only now and valid for a week. {how}"
        return self.admin_site.page(request, "console/secret.html", explanation=explanation, **shown)

    def has_invite_permission(self, request: ConsoleRequest, object_id: Any = None) -> bool:
        """Return whether this person may have links made that accept invitations."""
        return request.console.may(self.rights, "add")

    @action(description="Mail again", url_path="mail-again", permissions=["invite"])
    def mail_again(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Mail the link once more, valid for a week again; an older link ends."""
        invitation = self.found(request, object_id)

        def carry_out(_: dict[str, Any]) -> str:
            member_services.renew_token(invitation, actor=request.console.actor, by_mail=True)
            return f"There is a new link, valid for a week; older ones have ended. {told_by_mail(invitation)}"

        explanation = f"{invitation.email} gets a new link, valid for a week. Links from before stop working."
        form = ActionForm(request.POST or None)
        return self.act(request, invitation, form, carry_out, title="Mail again", explanation=explanation)

    @action(description="New link", url_path="new-link", permissions=["invite"])
    def new_link(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Make a new link for a pending invitation, one that a key made for example; an older link ends."""
        invitation = self.found(request, object_id)

        def carry_out(_: dict[str, Any]) -> HttpResponse:
            token = member_services.renew_token(invitation, actor=request.console.actor)
            return self._link(request, invitation, token, "Nothing is mailed: pass it on yourself.")

        explanation = "The new link is shown once, for you to pass on. Links from before stop working."
        form = ActionForm(request.POST or None)
        return self.act(request, invitation, form, carry_out, title="Make a new link", explanation=explanation)

    def has_revoke_permission(self, request: ConsoleRequest, object_id: Any = None) -> bool:
        """Return whether this person may take invitations back."""
        return request.console.may(self.rights, "delete")

    @action(description="Revoke", url_path="revoke", permissions=["revoke"])
    def revoke(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Take the invitation back, after a yes."""
        invitation = self.found(request, object_id)

        def carry_out(_: dict[str, Any]) -> str:
            revoked = member_services.revoke_invitation(invitation, actor=request.console.actor)
            return f"The invitation is {revoked.status}."

        return self.act(request, invitation, ActionForm(request.POST or None), carry_out, title="Revoke invitation")
