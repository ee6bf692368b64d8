"""What the console asks about an environment, and what it explains."""

from typing import ClassVar

from django import forms

from environments.console.forms import ActionForm, ConfinedModelForm, LimitedForm
from environments.destinations import LONGEST_ADDRESS
from environments.models import Environment
from environments.services.environments import POLICIES, RETENTION
from environments.services.limits import LIMITS
from environments.services.pauses import PAUSES

PAUSED = tuple(f"{pause}_paused" for pause in PAUSES)


class EnvironmentForm(LimitedForm):
    """What may be said of an environment; its delivery mode is changed on a page of its own."""

    class Meta:
        model = Environment
        fields: ClassVar = ["name", "slug", "description", *PAUSED, *POLICIES, RETENTION, *LIMITS]
        help_texts: ClassVar = dict.fromkeys(PAUSED, "Saved with a tick by a person, it is lifted by people only.")


class NewEnvironmentForm(ConfinedModelForm):
    """A new environment starts in capture; its slug follows from the name when none is given."""

    slug = forms.SlugField(max_length=63, required=False, help_text="Left empty, it follows from the name.")

    class Meta:
        model = Environment
        fields: ClassVar = ["name", "slug", "description"]


class ReasonForm(ActionForm):
    """Why."""

    reason = forms.CharField(widget=forms.Textarea, help_text="Kept in the audit log.")


class DeliveryModeForm(ActionForm):
    """The new mode, whom it lets mail out to, and why."""

    mode = forms.ChoiceField(choices=Environment.DeliveryMode.choices)
    allowlist = forms.CharField(
        widget=forms.Textarea, required=False, help_text="Addresses and domains, one on each line; for allowlist."
    )
    redirect_address = forms.CharField(
        max_length=LONGEST_ADDRESS, required=False, help_text="Where all mail goes; for redirect."
    )
    reason = forms.CharField(widget=forms.Textarea, help_text="Kept in the audit log.")


MODES_EXPLAINED = (
    "capture: nothing leaves. allowlist: only recipients on the environment's list, the rest is captured. "
    "redirect: everything goes to one named address. live: mail reaches anybody."
)
LOCK_EXPLAINED = "A locked environment can never go live. Only an operator of this server unlocks it."
