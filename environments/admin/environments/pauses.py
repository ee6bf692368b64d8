"""Pauses: set by anybody who may change the environment, lifted by people, each with its reason."""

from typing import Any

from django.http import HttpResponse
from unfold.decorators import action

from environments.admin.environments.forms import PAUSE_WORDS, PauseForm
from environments.admin.environments.standing import is_paused
from environments.console import second_factor
from environments.console.admins import ConsoleModelAdmin
from environments.console.reach import ConsoleRequest
from environments.models import Environment
from environments.services.environments import update_environment

PAUSE_EXPLAINED = "Nothing is lost by a pause. A pause that a person sets is lifted by people only, never by a key."
LIFT_EXPLAINED = "What waits goes on at once. Look first whether what it was paused for is over."


class PauseActs(ConsoleModelAdmin):
    """Pausing, and going on."""

    @action(description="Pause", url_path="pause", permissions=["change"])
    def pause(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Ask what and why, then pause it."""
        return self._change_pause(request, request.console.here, paused=True)

    @action(description="Lift a pause", url_path="lift", permissions=["change"])
    def lift(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Ask what and why, then let it go on."""
        environment = request.console.here
        if elsewhere := second_factor.demanded(request):
            return elsewhere
        return self._change_pause(request, environment, paused=False)

    def _change_pause(self, request: ConsoleRequest, environment: Environment, *, paused: bool) -> HttpResponse:
        def carry_out(given: dict[str, Any]) -> str:
            changes = {f"{given['pause']}_paused": paused, "pause_reason": given["reason"]}
            update_environment(environment, changes, actor=request.console.actor, reason=given["reason"])
            label = PAUSE_WORDS[given["pause"]][0]
            return f"{label}: {'paused' if paused else 'going on again'}."

        choices = [(name, label) for name, (label, _) in PAUSE_WORDS.items() if paused or is_paused(environment, name)]
        initial = {"pause": request.GET.get("pause")}
        form = PauseForm(request.POST or None, choices=choices, initial=initial)
        title, explanation = ("Pause", PAUSE_EXPLAINED) if paused else ("Lift a pause", LIFT_EXPLAINED)
        return self.act(request, environment, form, carry_out, title=title, explanation=explanation)
