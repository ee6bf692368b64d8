"""Copy the configuration of one environment to another of the same organization."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from environments.provisioning import (
    Outcome,
    ProvisioningCommand,
    email_argument,
    environment_named,
    person_in_charge,
)
from environments.services.cloning import apply_clone, plan_clone


class Command(ProvisioningCommand):
    """Without ``--apply`` it changes nothing."""

    help = (
        "Copy settings, filter rules and webhook endpoints from one environment to another of the same organization. "
        "Prints the plan; --apply carries it out, on the word of a person who administers both. Nothing that lets "
        "mail out is copied, and endpoints start disabled, with secrets of their own that --json prints once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take where from, where to, and on whose word."""
        super().add_arguments(parser)
        parser.add_argument("--from", required=True, dest="source", help="its id, its slug, or organization/slug")
        parser.add_argument("--to", required=True, dest="target", help="its id, its slug, or organization/slug")
        parser.add_argument("--organization", help="id or slug; needed when several organizations use the slugs")
        parser.add_argument("--by", required=True, type=email_argument, metavar="EMAIL")
        parser.add_argument("--apply", action="store_true", help="carry it out")

    def carry_out(
        self, *, source: str, target: str, organization: str | None, by: str, apply: bool, **_: Any
    ) -> Outcome:
        """Return the plan, and what applying it made."""
        from_, to = environment_named(source, organization), environment_named(target, organization)
        if from_.organization_id != to.organization_id or from_.pk == to.pk:
            raise CommandError("Name two environments of one organization.")
        actor = person_in_charge(to, by)
        person_in_charge(from_, by)
        plan = plan_clone(from_, to)
        secrets = apply_clone(from_, to, plan.digest, actor=actor) if apply else {}
        done, many = ("copied" if apply else "would copy"), len(plan.to_do)
        lines = [f"{done} {many} things from {from_.slug} to {to.slug}"]
        lines += [f"  {item.verb} {item.kind}: {item.name}" for item in plan.to_do]
        return Outcome("\n".join(lines), {**plan.as_json(), "applied": apply, "secrets": secrets})
