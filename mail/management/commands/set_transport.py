"""Set how an environment's mail leaves, as an act of a person."""

import sys
from typing import Any

import orjson
from django.core.management.base import CommandError, CommandParser

from environments.binding import inside
from environments.callers import Actor
from environments.models import Environment
from environments.provisioning import (
    Outcome,
    ProvisioningCommand,
    add_environment_arguments,
    email_argument,
    environment_named,
    person_in_charge,
)
from mail.api.transports import transport_json
from mail.services import transports
from mail.transports.configs import KINDS

NONE = "none"


class Command(ProvisioningCommand):
    """Set again with the same words, it stays as it is."""

    help = (
        "Set how an environment's mail leaves, on the word of a person: owner or admin of the organization, or admin "
        "of the environment. The kind none takes it away, so that mail leaves by AGENTPOST_RELAY_URL. Who and why are "
        "kept in the audit log."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take which environment, which transport, what it must be told, why, and on whose word."""
        super().add_arguments(parser)
        add_environment_arguments(parser)
        parser.add_argument("--kind", required=True, choices=[*KINDS, NONE])
        parser.add_argument("--config", default="{}", metavar="JSON", help="a JSON object, or - to read it from stdin")
        parser.add_argument("--reason", required=True)
        parser.add_argument("--by", required=True, type=email_argument, metavar="EMAIL")

    def carry_out(
        self, *, environment: str, organization: str | None, kind: str, config: str, reason: str, by: str, **_: Any
    ) -> Outcome:
        """Return the transport, and where a provider's webhooks go if that is new."""
        where = environment_named(environment, organization)
        actor = person_in_charge(where, by)
        with inside(where):
            if kind == NONE:
                transports.remove(where, actor=actor, reason=reason)
                return Outcome(f"{where.slug} has no transport of its own", transport_json(where))
            return self._configured(where, kind, _read(config), actor, reason)

    def _configured(self, where: Environment, kind: str, config: dict[str, Any], actor: Actor, reason: str) -> Outcome:
        made, token = transports.configure(where, kind, config, actor=actor, reason=reason)
        told = {"webhook_url": transports.webhook_url(token)} if token else {}
        line = " ".join([f"{where.slug} sends by {kind} {made.pk}", *told.values()])
        remark = "The webhook URL is shown only now." if token else ""
        return Outcome(line, {**transport_json(where), **told}, remark)


def _read(config: str) -> dict[str, Any]:
    try:
        found = orjson.loads(sys.stdin.read() if config == "-" else config)
    except orjson.JSONDecodeError:
        raise CommandError("--config must be a JSON object.") from None
    if not isinstance(found, dict):
        raise CommandError("--config must be a JSON object.")
    return found
