"""A person's own account at a glance, and the sessions in which they are signed in."""

from typing import Any

from django.contrib import messages
from django.urls import reverse_lazy

from environments.console.account.addresses import described
from environments.console.account.pages import READ_ONLY, OwnPage
from environments.console.forms import ActionForm
from environments.services import accounts, second_factors

LISTED = 100
OTHERS = "others"
LONGEST_NUMBER = 18  # digits that a bigint holds for certain


class Overview(OwnPage):
    """Who I am here, how I sign in, and where I belong."""

    title = "Your account"
    template_name = "console/account/overview.html"
    http_method_names = READ_ONLY

    def get_form(self, form_class: Any = None) -> None:
        """Return nothing: there is nothing to fill in."""

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        user = self.request.user
        is_enrolled = second_factors.is_enrolled(user)
        shown = {
            "places": accounts.places_of(user)[:LISTED],
            "is_enrolled": is_enrolled,
            "codes_left": second_factors.recovery_codes_left(user) if is_enrolled else 0,
            "sessions": accounts.sessions_of(user).count(),
        }
        return super().get_context_data(**{**shown, **more})


class Sessions(OwnPage):
    """Where the person is signed in: from where, with what, since when; and the end of it, of one or of all others."""

    title = "Sessions"
    template_name = "console/account/sessions.html"
    form_class = ActionForm
    success_url = reverse_lazy("account_sessions")

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        here = self.request.session.session_key
        rows = list(accounts.sessions_of(self.request.user)[:LISTED])
        shown = [(row, described(row.user_agent), row.session_key == here) for row in rows]
        return super().get_context_data(**{"sessions": shown, "has_others": len(rows) > 1, **more})

    def carry_out(self, given: dict[str, Any]) -> None:
        which, user = self.request.POST.get("session", ""), self.request.user
        if which == OTHERS:
            ended = accounts.end_other_sessions(user, self.request.session.session_key, address=self.address)
            messages.success(self.request, f"{ended} other session{'' if ended == 1 else 's'} ended.")
        elif _is_number(which) and accounts.end_session(user, int(which), address=self.address):
            messages.success(self.request, "The session has ended.")
        else:
            messages.error(self.request, "There is no such session; it may have ended already.")


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) <= LONGEST_NUMBER
