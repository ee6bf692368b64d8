"""What the pages of a person's account ask."""

from typing import Any

from django import forms
from django.contrib.auth import authenticate

from environments.console.forms import ActionForm, PasswordForm
from environments.models import User

CODE = {"autocomplete": "one-time-code", "autocapitalize": "off", "spellcheck": "false", "autofocus": True}


def current_password() -> forms.CharField:
    """Return a field for the password that a person has."""
    return forms.CharField(strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}))


class CodeForm(ActionForm):
    """A code of the app, or a recovery code."""

    code = forms.CharField(max_length=40, help_text="Six digits from your app, or one of your recovery codes.")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["code"].widget.attrs.update(CODE)


class EnrolForm(CodeForm):
    """The first code of an app that was just told the secret."""

    code = forms.CharField(max_length=40, help_text="The six digits that the app shows now.")


class IdentityForm(ActionForm):
    """The person's password once more; wrong ones count as at sign-in."""

    current = current_password()

    def __init__(self, user: User, request: Any, *args: Any, **options: Any) -> None:
        self.user, self.request = user, request
        super().__init__(*args, **options)
        self.fields["current"].label = "Your password"
        self.fields["current"].widget.attrs["autofocus"] = True

    def clean_current(self) -> str:
        """Return the password, which is the person's."""
        current = self.cleaned_data["current"]
        if authenticate(self.request, username=self.user.email, password=current) != self.user:
            raise forms.ValidationError("That is not your password.")
        return current


class ChangePasswordForm(IdentityForm, PasswordForm):
    """The password now, and the one from now on, twice."""

    field_order = ("current", "password", "again")

    def __init__(self, user: User, request: Any, *args: Any, **options: Any) -> None:
        self.request = request
        PasswordForm.__init__(self, user, *args, **options)
        self.fields["current"].label = "Your password now"


class AddressForm(ActionForm):
    """An e-mail address."""

    email = forms.EmailField(max_length=254, label="E-mail address")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["email"].widget.attrs.update(autocomplete="username", autofocus=True)
