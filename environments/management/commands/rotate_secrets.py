"""Seal every stored secret with the present secret key."""

from typing import Any

from environments.provisioning import Outcome, ProvisioningCommand
from environments.services.sealing import rotate


class Command(ProvisioningCommand):
    """Runs beside a running server, and again without harm."""

    takes_turns = False
    in_one_transaction = False  # a few rows at a time, so that nobody waits

    help = (
        "Seal every secret in the database with AGENTPOST_SECRET_KEY, after which no fallback is needed to open them. "
        "What cannot be opened is named and left as it is; exits with 1 then."
    )

    def carry_out(self, **_: Any) -> Outcome:
        """Return how many secrets were sealed anew, and which were not."""
        rotation = rotate()
        refused = rotation.refused
        number = sum(rotation.resealed.values())
        line = f"sealed {number} secrets anew; {rotation.present} were sealed with the present key already"
        result = {"resealed": dict(rotation.resealed), "present": rotation.present, "refused": refused}
        failure = f"{len(refused)} cannot be opened, the first of them: {refused[0]}." if refused else ""
        return Outcome(line, result, failure=failure)
