"""What the console asks about people: as what they are invited, where they belong, and to whom all is handed over."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django import forms

from environments.console.forms import ActionForm, ConfinedModelForm
from environments.models import Environment, EnvironmentMembership, Invitation, Member

BELOW_OWNER = [choice for choice in Member.Role.choices if choice[0] != Member.Role.OWNER]
NO_PLACE = ("", "no place")
ROLES_EXPLAINED = (
    "An admin reaches every environment and manages the organization; a member only what they were added to."
)


class InvitationForm(ConfinedModelForm):
    """Whom to invite, and as what."""

    role = forms.ChoiceField(choices=BELOW_OWNER, initial=Member.Role.MEMBER, help_text=ROLES_EXPLAINED)

    class Meta:
        model = Invitation
        fields: ClassVar = ["email", "role"]


class MemberForm(ConfinedModelForm):
    """As what somebody belongs to the organization; its owner stays the owner, until they hand it over."""

    role = forms.ChoiceField(choices=BELOW_OWNER, help_text=ROLES_EXPLAINED)

    class Meta:
        model = Member
        fields: ClassVar = ["role"]


class PlacesForm(ActionForm):
    """The member's role in each environment of the organization."""

    def __init__(self, environments: Sequence[Environment], roles: Mapping[str, str], *args: Any) -> None:
        super().__init__(*args)
        for environment in environments:
            self.fields[environment.pk] = forms.ChoiceField(
                label=f"{environment.name} ({environment.slug})",
                choices=[NO_PLACE, *EnvironmentMembership.Role.choices],
                initial=roles.get(environment.pk, ""),
                required=False,
            )
        self.dress(self.fields)


class HandOverForm(ActionForm):
    """The address of whoever becomes the owner, typed."""

    email = forms.EmailField(label="Type their address")

    def __init__(self, member: Member, *args: Any) -> None:
        self.member = member
        super().__init__(*args)
        self.fields["email"].widget.attrs["autocomplete"] = "off"

    def clean_email(self) -> str:
        """Return the address, which is the member's."""
        email = self.cleaned_data["email"].strip().lower()
        if email != self.member.user.email:
            raise forms.ValidationError(f"This is not the address of the member, {self.member.user.email}.")
        return email
