"""The second factor: set up, proven again, its recovery codes made anew, taken away."""

import base64
from typing import Any

from allauth.mfa.adapter import get_adapter
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse, reverse_lazy
from django.utils.http import urlencode

from environments.console import second_factor
from environments.console.account.forms import CodeForm, EnrolForm, IdentityForm
from environments.console.account.pages import OwnPage
from environments.console.forms import ActionForm
from environments.console.second_factor import note_proof
from environments.encryption import CannotOpen
from environments.services import accounts, second_factors

OFFERED = "second_factor_offered"


def _led(request: HttpRequest, name: str) -> HttpResponse:
    """Return the answer that leads to another page of the account, and from there back to this one."""
    return HttpResponseRedirect(f"{reverse(name)}?{urlencode({REDIRECT_FIELD_NAME: request.get_full_path()})}")


class ConfirmIdentity(OwnPage):
    """Ask for the password again, before something that a person at an unattended screen must not do."""

    title, submit = "Is it you?", "Continue"
    form_class = IdentityForm
    success_url = reverse_lazy("account_overview")
    explanation = "Type your password again to go on."

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "user": self.request.user, "request": self.request}

    def carry_out(self, given: dict[str, Any]) -> None:
        second_factor.note_password(self.request)


class Enrol(OwnPage):
    """Set up the second factor; the recovery codes are shown once, in its answer.

    Needs the password once more, whenever the person signed in: whoever took the session has not got it.
    """

    title, submit = "Set up a second factor", "Turn it on"
    template_name = "console/account/enrol.html"
    form_class = EnrolForm
    success_url = reverse_lazy("account_overview")

    def dispatch(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponseBase:
        if second_factors.is_enrolled(request.user):
            return HttpResponseRedirect(self.success_url_of(request))
        if request.user.is_authenticated and not second_factor.gave_password_again(request):
            return _led(request, "account_reauthenticate")
        return super().dispatch(request, *args, **options)

    def success_url_of(self, request: HttpRequest) -> str:
        """Return where whoever needs nothing here goes on."""
        self.request = request
        return self.get_success_url()

    @property
    def secret(self) -> str:
        """Return the secret that this session was offered, the same until it is used; it lies sealed in the session."""
        adapter, session = get_adapter(), self.request.session
        try:
            return adapter.decrypt(session[OFFERED])
        except (KeyError, CannotOpen):
            secret = second_factors.new_secret()
            session[OFFERED] = adapter.encrypt(secret)
            return secret

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        secret, adapter = self.secret, get_adapter()
        url = adapter.build_totp_url(self.request.user, secret)
        qr = base64.b64encode(adapter.build_totp_svg(url).encode()).decode()
        shown = {"secret": secret, "grouped": " ".join(_groups(secret)), "url": url, "qr": qr}
        return super().get_context_data(**{**shown, **more})

    def carry_out(self, given: dict[str, Any]) -> HttpResponse:
        user = self.request.user
        factor, codes = second_factors.enrol(user, self.secret, given["code"])
        del self.request.session[OFFERED]
        note_proof(self.request, user, factor)
        accounts.note(user, "member.second_factor_enrolled", self.address)
        return show_codes(self, codes, "Your second factor is on.")


def _groups(secret: str) -> list[str]:
    return [secret[start : start + 4] for start in range(0, len(secret), 4)]


def show_codes(page: OwnPage, codes: list[str], sentence: str) -> HttpResponse:
    """Return the page that shows recovery codes, the only time that they are shown."""
    from environments.console.site import site

    shown: dict[str, Any] = {"codes": codes, "as_text": "\n".join(codes), "sentence": sentence}
    return site.page(
        page.request,
        "console/account/recovery_codes.html",
        title="Recovery codes",
        next=page.get_success_url(),
        **shown,
    )


class Prove(OwnPage):
    """Ask for the second factor again, and go back to what needs it."""

    title, submit = "Prove your second factor", "Continue"
    form_class = CodeForm
    success_url = reverse_lazy("account_overview")
    explanation = f"It is good for the next {second_factor.MINUTES} minutes."

    def dispatch(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponseBase:
        if request.user.is_authenticated and not second_factors.is_enrolled(request.user):
            return HttpResponseRedirect(reverse("mfa_activate_totp") + _query(request))
        return super().dispatch(request, *args, **options)

    def carry_out(self, given: dict[str, Any]) -> None:
        user = self.request.user
        note_proof(self.request, user, second_factors.prove(user, given["code"]))


def _query(request: HttpRequest) -> str:
    wanted = request.GET.get(REDIRECT_FIELD_NAME)
    return f"?{urlencode({REDIRECT_FIELD_NAME: wanted})}" if wanted else ""


class AfterProof(OwnPage):
    """An act on the second factor itself, which needs it to be proven lately."""

    form_class = ActionForm
    success_url = reverse_lazy("account_overview")

    def dispatch(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponseBase:
        asked = second_factor.demanded(request) if request.user.is_authenticated else None
        return asked or super().dispatch(request, *args, **options)


class RenewCodes(AfterProof):
    """Make new recovery codes; the old ones end."""

    title, submit = "New recovery codes", "Make new codes"
    explanation = "The codes that you have now stop working. The new ones are shown once."

    def carry_out(self, given: dict[str, Any]) -> HttpResponse:
        codes = second_factors.renew_recovery_codes(self.request.user)
        accounts.note(self.request.user, "member.recovery_codes_made", self.address)
        return show_codes(self, codes, "These are your new recovery codes; the old ones do not work any more.")


class Remove(AfterProof):
    """Take the second factor away."""

    title, submit = "Turn off the second factor", "Turn it off"
    explanation = (
        "Your password alone will sign you in, and you can no longer let mail out: environments that are live stay "
        "live, but to change that again you need a second factor."
    )

    def carry_out(self, given: dict[str, Any]) -> None:
        second_factors.remove(self.request.user)
        accounts.note(self.request.user, "member.second_factor_removed", self.address)
        messages.success(self.request, "Your second factor is off.")
