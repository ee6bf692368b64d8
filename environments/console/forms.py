"""Forms of the console."""

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from unfold.forms import AuthenticationForm
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminEmailInputWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from environments.errors import Refusal
from environments.models import Environment, User
from environments.services import limits
from environments.services.accounts import may_sign_in

LONGEST_NAME = 254  # of an account
WIDGETS = {  # the most derived class first
    forms.EmailField: UnfoldAdminEmailInputWidget,
    forms.MultipleChoiceField: UnfoldAdminCheckboxSelectMultipleWidget,
    forms.ChoiceField: UnfoldAdminSelectWidget,
    forms.BooleanField: UnfoldBooleanWidget,
    forms.IntegerField: UnfoldAdminIntegerFieldWidget,
    forms.DateTimeField: UnfoldAdminTextInputWidget,
    forms.CharField: UnfoldAdminTextInputWidget,
}


class SignInForm(AuthenticationForm):
    """Sign in with e-mail address and password; every reason to refuse is told in the same words."""

    error_messages: ClassVar = {
        "invalid_login": "This address and this password do not go together.",
        "inactive": "This address and this password do not go together.",
    }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["username"].label = "E-mail address"
        self.fields["username"].widget.input_type = "email"

    def clean_username(self) -> str:
        """Return the address as it is stored, so that all spellings of it count as one for the throttle."""
        name: str = self.cleaned_data["username"].strip().lower()
        if len(name) > LONGEST_NAME:  # nobody's, and more than the throttle keeps
            raise self.get_invalid_login_error()
        return name

    def confirm_login_allowed(self, user: User) -> None:
        if not may_sign_in(user):
            raise self.get_invalid_login_error()


class Refusable:
    """Tells, as a form, why a service refused what it asked for."""

    def refuse(self: Any, refusal: Refusal) -> None:
        """Show why a service refused, beside the field that it names."""
        for field, sentence in sentences_of(refusal):
            self.add_error(field if field in self.fields else None, sentence)


class Styled(Refusable):
    """Gives plain fields the look of the console's others."""

    def dress(self, fields: dict[str, forms.Field]) -> None:
        """Put the console's widget on every field that still has Django's."""
        for field in fields.values():
            widget = next((ours for kind, ours in WIDGETS.items() if isinstance(field, kind)), None)
            if widget and type(field.widget).__module__.startswith("django.forms"):
                field.widget = _dressed(field, widget)


def _dressed(field: forms.Field, widget: type[forms.Widget]) -> forms.Widget:
    if isinstance(field.widget, forms.Textarea):
        return UnfoldAdminTextareaWidget()
    if isinstance(field.widget, forms.PasswordInput):
        return UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password", **field.widget.attrs})
    fresh: Any = widget()
    fresh.is_required = field.required
    if isinstance(field, forms.ChoiceField):
        fresh.choices = field.choices
    return fresh


class ActionForm(Styled, forms.Form):
    """What an action asks before it is carried out; without fields, only a yes."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.dress(self.fields)


class ConfinedModelForm(Styled, forms.ModelForm):
    """A form whose row belongs to the environment of the page, whatever is posted."""

    environment: ClassVar[Environment | None] = None  # the admin class puts it on the class it makes for one request

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.dress(self.fields)
        if self.environment is not None and self.instance._state.adding:  # noqa: SLF001 - as documented
            self.instance.environment = self.environment

    def _get_validation_exclusions(self) -> set[str]:
        """Check uniqueness inside the environment too, although its field is not shown."""
        hidden = {"environment"} if self.environment is not None else set()
        return super()._get_validation_exclusions() - hidden  # type: ignore[misc]


class LimitedForm(ConfinedModelForm):
    """A form whose limits stay inside what ``limits.BOUNDS`` says, as those of the API do."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, (least, most) in limits.BOUNDS.items():
            if name in self.fields:
                self.fields[name].validators += [MinValueValidator(least), MaxValueValidator(most)]


class PasswordForm(ActionForm):
    """Choose a password, twice."""

    password = forms.CharField(
        widget=forms.PasswordInput,
        strip=False,
        label="New password",
        help_text="At least 8 characters, none of the passwords that everybody uses, and not like your address.",
    )
    again = forms.CharField(widget=forms.PasswordInput, strip=False, label="The same again")

    def __init__(self, user: User, *args: Any, **options: Any) -> None:
        self.user = user
        super().__init__(*args, **options)

    def clean_again(self) -> str:
        """Return the second password, which is the first and strong enough."""
        from django.contrib.auth.password_validation import validate_password

        password, again = self.cleaned_data.get("password"), self.cleaned_data["again"]
        if password != again:
            message = "The two passwords differ."
            raise ValidationError(message)
        validate_password(again, self.user)
        return again


def sentences_of(refusal: Refusal) -> list[tuple[str | None, str]]:
    """Return a service's refusal as (field, sentence) pairs."""
    if refusal.details:
        return [(detail["field"], detail["message"]) for detail in refusal.details]
    return [(None, f"{refusal.message} {refusal.fix}")]
