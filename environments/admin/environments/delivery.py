"""Where mail may go: changed by a person, with a reason, and with a second factor where it lets more out."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from unfold.decorators import action

from environments.admin.environments.forms import (
    LOCK_EXPLAINED,
    MODE_WORDS,
    AllowlistForm,
    CaptureForm,
    LiveForm,
    ReasonForm,
    RedirectForm,
)
from environments.callers import Actor
from environments.console import second_factor
from environments.console.admins import ConsoleModelAdmin
from environments.console.reach import ConsoleRequest
from environments.models import Environment
from environments.readiness import Verdict, checks
from environments.services.environments import set_delivery_mode, set_lock

Mode = Environment.DeliveryMode
TITLES = {
    Mode.CAPTURE: "Back to capture",
    Mode.ALLOWLIST: "Deliver to an allowlist",
    Mode.REDIRECT: "Redirect all mail",
    Mode.LIVE: "Go live",
}


class DeliveryActs(ConsoleModelAdmin):
    """Delivery mode, allowlist, redirect address, and the lock."""

    @action(description="Delivery mode", url_path="delivery-mode", permissions=["mode"])
    def change_delivery_mode(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Show what each mode would mean now; ask for what the chosen one needs, then change it."""
        environment = request.console.here
        wanted = _mode(request.POST) or _mode(request.GET)
        if wanted is None:
            return self._delivery_page(request, environment)
        if wanted != Mode.CAPTURE and (elsewhere := second_factor.demanded(request)):
            return elsewhere
        form = _form(wanted, environment, request.POST or None)
        return self._change(request, environment, wanted, form)

    @action(description="Back to capture", url_path="capture", permissions=["mode"])
    def back_to_capture(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Let nothing out any more, at once; a reason is all that it takes."""
        environment = request.console.here
        return self._change(request, environment, Mode.CAPTURE, CaptureForm(request.POST or None))

    def _change(self, request: ConsoleRequest, environment: Environment, mode: Mode, form: Any) -> HttpResponse:
        def carry_out(given: dict[str, Any]) -> str:
            set_delivery_mode(
                environment,
                mode,
                actor=request.console.actor,
                reason=given["reason"],
                allowlist=given.get("allowlist"),
                redirect_address=given.get("redirect_address"),
            )
            return f"Delivery mode is {mode} now. {MODE_WORDS[mode]}"

        more = self._delivery_context(environment, mode)
        template = "console/environment/delivery.html"
        return self.act(request, environment, form, carry_out, title=TITLES[mode], template=template, more=more)

    def _delivery_page(self, request: ConsoleRequest, environment: Environment) -> HttpResponse:
        context = {"title": "Delivery mode", "subtitle": str(environment), "back": self.url(environment)}
        context |= self._delivery_context(environment, None)
        template = "console/environment/delivery.html"
        return self.admin_site.page(request, template, opts=self.opts, object=environment, **context)

    def _delivery_context(self, environment: Environment, wanted: Mode | None) -> dict[str, Any]:
        found = checks(environment)
        modes = [
            {
                "mode": mode,
                "words": MODE_WORDS[mode],
                "title": TITLES[mode],
                "is_now": mode == environment.delivery_mode,
            }
            for mode in Mode
        ]
        problems = sum(check.verdict == Verdict.PROBLEM for check in found)
        return {"row": environment, "wanted": wanted, "modes": modes, "checks": found, "problems": problems}

    @action(description="Lock", url_path="lock", permissions=["mode"])
    def lock(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Ask why, then see to it that the environment never goes live."""
        return self._change_lock(request, object_id, request.console.actor, locked=True)

    @action(description="Unlock", url_path="unlock", permissions=["unlock"])
    def unlock(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Ask why, then let the environment go live again."""
        if elsewhere := second_factor.demanded(request):
            return elsewhere
        user = request.console.user
        operator = Actor("operator", str(user.pk), user.email, request.console.address)  # type: ignore[union-attr]
        return self._change_lock(request, object_id, operator, locked=False)

    def _change_lock(self, request: ConsoleRequest, object_id: str, actor: Actor, *, locked: bool) -> HttpResponse:
        environment = request.console.here

        def carry_out(given: dict[str, Any]) -> str:
            set_lock(environment, is_locked=locked, actor=actor, reason=given["reason"])
            return f"The environment is {'locked' if locked else 'unlocked'} now."

        title, form = "Lock" if locked else "Unlock", ReasonForm(request.POST or None)
        return self.act(request, environment, form, carry_out, title=title, explanation=LOCK_EXPLAINED)


def _mode(given: Mapping[str, Any]) -> Mode | None:
    name = given.get("mode")
    return Mode(name) if name in Mode.values else None


def _form(mode: Mode, environment: Environment, posted: Any) -> ReasonForm:
    if mode == Mode.LIVE:
        return LiveForm(posted, environment=environment)
    if mode == Mode.ALLOWLIST:
        return AllowlistForm(posted, initial={"allowlist": "\n".join(environment.allowlist)})
    if mode == Mode.REDIRECT:
        return RedirectForm(posted, initial={"redirect_address": environment.redirect_address})
    return CaptureForm(posted)
