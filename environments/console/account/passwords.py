"""Passwords: changed by whoever knows the one before, or set anew by whoever reads the person's mail."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.tokens import default_token_generator
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse, reverse_lazy
from django.utils.http import urlsafe_base64_decode

from environments.console.account import throttle
from environments.console.account.forms import AddressForm, ChangePasswordForm
from environments.console.account.pages import READ_ONLY, AccountPage, OwnPage
from environments.console.forms import PasswordForm
from environments.models import User
from environments.services import accounts

KEPT = "password_reset_kept"
IN_SESSION = "set"


class ChangePassword(OwnPage):
    """Change the password; every other session of the person ends."""

    title, submit = "Change password", "Change password"
    form_class = ChangePasswordForm
    success_url = reverse_lazy("account_overview")
    explanation = "Your other sessions end at once; this one stays."

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "user": self.request.user, "request": self.request}

    def carry_out(self, given: dict[str, Any]) -> None:
        user, session = self.request.user, self.request.session
        accounts.change_password(user, given["password"], address=self.address, session_key=session.session_key)
        before = session.session_key
        update_session_auth_hash(self.request, user)
        accounts.rename_session(before, session.session_key)
        messages.success(self.request, "Your password is changed. Other sessions have ended.")


class AskForReset(AccountPage):
    """Ask for a link; the answer is the same whether the address is anybody's."""

    title, submit = "Set a new password", "Mail me a link"
    template_name = "console/account/ask_for_reset.html"
    form_class = AddressForm
    success_url = reverse_lazy("account_reset_password_done")

    def carry_out(self, given: dict[str, Any]) -> None:
        names = [f"reset of {given['email'].lower()}", "reset of anybody"]
        if all(throttle.is_allowed(self.request, name) for name in names):
            accounts.ask_for_reset(given["email"])
            for name in names:
                throttle.count(self.request, name)


class ResetAsked(AccountPage):
    """Say what happens next, to everybody in the same words."""

    title = "Look at your mail"
    template_name = "console/account/reset_asked.html"
    http_method_names = READ_ONLY

    def get_form(self, form_class: Any = None) -> None:
        """Return nothing: there is nothing to fill in."""


class Reset(AccountPage):
    """The page behind a mailed link. The token leaves the address at once, so that no other site is told of it."""

    title, submit = "Choose a password", "Set password"
    template_name = "console/account/reset.html"
    form_class = PasswordForm
    success_url = reverse_lazy("account_login")
    person: User | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponseBase:
        uid, token = options["uidb64"], options["token"]
        kept = request.session.get(KEPT, "")
        self.person = _whose(uid, kept if token == IN_SESSION else token)
        if self.person is None:
            return self.render_to_response(self.get_context_data(form=None, is_valid=False, title="Link not valid"))
        if token != IN_SESSION:
            request.session[KEPT] = token
            return HttpResponseRedirect(
                reverse("account_reset_password_from_key", kwargs={"uidb64": uid, "token": IN_SESSION})
            )
        return super().dispatch(request, *args, **options)

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        return super().get_context_data(**{"person": self.person, "is_valid": True, **more})

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "user": self.person}

    def carry_out(self, given: dict[str, Any]) -> HttpResponse:
        assert self.person is not None  # noqa: S101 - dispatch has seen to it
        accounts.reset_password(self.person, given["password"], address=self.address)
        self.request.session.flush()
        messages.success(self.request, "Your password is set. Sign in with it.")
        return HttpResponseRedirect(str(self.success_url))


def _whose(uid: str, token: str) -> User | None:
    """Return whose link this is, while it is good."""
    try:
        user = User.objects.filter(pk=int(urlsafe_base64_decode(uid))).first()
    except (ValueError, OverflowError):
        return None
    is_good = user is not None and default_token_generator.check_token(user, token) and accounts.may_sign_in(user)
    return user if is_good else None
