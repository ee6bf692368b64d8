"""What the console asks about an environment, and what it explains."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from environments.console.forms import ActionForm, ConfinedModelForm, LimitedForm
from environments.destinations import LONGEST_ADDRESS
from environments.models import Environment
from environments.services.environments import POLICIES, RETENTION
from environments.services.limits import LIMITS
from environments.services.pauses import PAUSES

PAUSED = tuple(f"{pause}_paused" for pause in PAUSES)
Mode = Environment.DeliveryMode
REASON_ROWS = 3


class NewEnvironmentForm(ConfinedModelForm):
    """A new environment starts in capture; its slug follows from the name when none is given."""

    slug = forms.SlugField(max_length=63, required=False, help_text="Left empty, it follows from the name.")

    class Meta:
        model = Environment
        fields: ClassVar = ["name", "slug", "description"]


# --- Sections of the environment's page, each saved by itself ---------------------------------------------------------


class GeneralForm(ConfinedModelForm):
    """What an environment is called."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["description"].widget.attrs["rows"] = REASON_ROWS

    class Meta:
        model = Environment
        fields: ClassVar = ["name", "slug", "description"]
        help_texts: ClassVar = {
            "slug": "Its short name in addresses, commands and the API. Whoever uses the old one has to be told.",
            "description": "For your colleagues: what this environment is for.",
        }


class LimitsForm(LimitedForm):
    """How much may be sent, and what stops it."""

    class Meta:
        model = Environment
        fields: ClassVar = [*LIMITS]
        labels: ClassVar = {
            "hourly_sending_quota": "Mails an hour",
            "daily_sending_quota": "Mails a day",
            "recipient_domain_hourly_limit": "Mails an hour to one domain",
            "repetition_limit": "Repetitions an hour",
            "quota_warning_percent": "Warn at percent",
            "deliverability_floor": "Lowest deliverability score",
        }
        help_texts: ClassVar = {
            "hourly_sending_quota": "At the most, in an hour of UTC. Empty for no limit.",
            "daily_sending_quota": "At the most, in a day of UTC. Empty for no limit.",
            "recipient_domain_hourly_limit": "So that no provider takes the agent for a spammer. Empty for no limit.",
            "repetition_limit": "Nearly the same mail to one recipient more often than this pauses sending.",
            "quota_warning_percent": "At how much of a quota the event quota.reached is told first.",
            "deliverability_floor": "Below it, sending is paused until a person has looked. Empty for never.",
        }


class IncomingForm(ConfinedModelForm):
    """What becomes of incoming mail that is not to be trusted."""

    class Meta:
        model = Environment
        fields: ClassVar = [*POLICIES]
        labels: ClassVar = {
            "authentication_policy": "Mail that fails DMARC",
            "content_policy": "Mail with hostile content",
        }
        help_texts: ClassVar = {
            "authentication_policy": "Its sender is not who it says. Quarantine keeps it away from agents.",
            "content_policy": "Hidden text, look-alike domains, instructions to models. A flag only warns.",
        }


class RetentionForm(LimitedForm):
    """How long what happened is kept."""

    class Meta:
        model = Environment
        fields: ClassVar = [*RETENTION]
        labels: ClassVar = {
            "event_retention_days": "Days that an event stays in the log",
            "message_retention_days": "Days that mail is kept",
        }
        help_texts: ClassVar = {
            "event_retention_days": "1 to 365. Older events are deleted within the hour, and cannot be replayed.",
            "message_retention_days": (
                "1 to 3650; empty for ever. Older mail, and drafts that nobody touched, are deleted for good from the "
                "next hour on. What is still to leave, waits for a decision or is in quarantine stays."
            ),
        }


SECTION_FORMS: Mapping[str, type[ConfinedModelForm]] = {
    "general": GeneralForm,
    "limits": LimitsForm,
    "incoming": IncomingForm,
    "retention": RetentionForm,
}


# --- Acts -------------------------------------------------------------------------------------------------------------


class ReasonForm(ActionForm):
    """Why."""

    reason = forms.CharField(widget=forms.Textarea, max_length=1000, help_text="Kept in the audit log.")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["reason"].widget.attrs["rows"] = REASON_ROWS


class ConfirmedForm(ReasonForm):
    """Why, with the name of the environment typed, so that nobody means another one."""

    field_order = ("confirm", "reason")
    confirm = forms.CharField(label="Name of the environment")

    def __init__(self, *args: Any, environment: Environment, **options: Any) -> None:
        super().__init__(*args, **options)
        self.environment = environment
        self.fields["confirm"].help_text = f"Type {environment.slug} to confirm."
        self.fields["confirm"].widget.attrs.update(autocomplete="off", autocapitalize="none", spellcheck="false")

    def clean_confirm(self) -> str:
        """Return the name, which is exactly that of the environment, or its slug."""
        typed = str(self.cleaned_data["confirm"])
        if typed not in {self.environment.slug, self.environment.name}:
            raise ValidationError("This is not the name of this environment.")
        return typed


class CaptureForm(ReasonForm):
    """Back to capture."""


class AllowlistForm(ReasonForm):
    """Whom mail may leave to."""

    field_order = ("allowlist", "reason")
    allowlist = forms.CharField(
        widget=forms.Textarea,
        required=False,
        help_text="Addresses and domains, one on each line. example.com does not cover its subdomains.",
    )

    def clean_allowlist(self) -> list[str]:
        """Return the entries."""
        return str(self.cleaned_data["allowlist"]).split()


class RedirectForm(ReasonForm):
    """Where all mail goes."""

    field_order = ("redirect_address", "reason")
    redirect_address = forms.CharField(
        max_length=LONGEST_ADDRESS, required=False, help_text="Such as team@example.com."
    )


class LiveForm(ConfirmedForm):
    """Going live."""


class PauseForm(ReasonForm):
    """What is paused, or lifted, and why."""

    field_order = ("pause", "reason")
    pause = forms.ChoiceField(label="What")
    reason = forms.CharField(widget=forms.Textarea, max_length=500, help_text="Kept in the audit log.")

    def __init__(self, *args: Any, choices: list[tuple[str, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["pause"].choices = choices  # type: ignore[attr-defined]


class SourceForm(ActionForm):
    """Where configuration is copied from: an environment that this person administers too."""

    source: Any = forms.ModelChoiceField(queryset=None, label="Copy from", empty_label="Choose an environment")

    def __init__(self, *args: Any, sources: QuerySet[Environment], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["source"].queryset = sources  # type: ignore[attr-defined]


# --- Words ------------------------------------------------------------------------------------------------------------

MODE_WORDS = {
    Mode.CAPTURE: "Nothing leaves. What is sent is kept and marked captured.",
    Mode.ALLOWLIST: "Only recipients on the list get mail; the rest is captured.",
    Mode.REDIRECT: "All mail goes to one address of yours, whoever it was for.",
    Mode.LIVE: "Mail reaches anybody.",
}
PAUSE_WORDS = {
    "outbound": ("Outgoing mail", "what is sent waits, in order, until the pause is lifted."),
    "inbound": ("Incoming mail", "senders are asked to try again later; most do for days."),
    "webhooks": ("Webhooks", "events stay in the log, and their deliveries wait."),
}
LOCK_EXPLAINED = "A locked environment can never go live. Only an operator of this server unlocks it."
