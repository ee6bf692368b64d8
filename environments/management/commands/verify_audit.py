"""Check the hash chain of every organization's audit log."""

from typing import Any

from environments.models import AuditEntry, Organization
from environments.provisioning import Outcome, ProvisioningCommand
from environments.services.audit import broken_links


class Command(ProvisioningCommand):
    """Reads, and changes nothing."""

    takes_turns = False
    help = "Check that no audit entry was changed or taken out; exits with 1 when one was."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what was found; end with 1 when a chain is broken."""
        self.broken = 0
        super().handle(*args, **options)
        if self.broken:
            self.stderr.write(f"{self.broken} audit entries were changed, or stand where another is missing.")
            raise SystemExit(1)

    def carry_out(self, **_: Any) -> Outcome:
        """Return what was found in each organization."""
        found = [_checked(organization) for organization in Organization.objects.order_by("slug")]
        self.broken = sum(len(chain["broken"]) for chain in found)
        lines = [f"{chain['slug']}: {chain['entries']} entries, {_judged(chain['broken'])}" for chain in found]
        return Outcome("\n".join(lines) or "no organizations", {"intact": not self.broken, "organizations": found})


def _checked(organization: Organization) -> dict[str, Any]:
    return {
        "organization_id": organization.pk,
        "slug": organization.slug,
        "entries": AuditEntry.objects.in_organization(organization).count(),
        "broken": [entry.pk for entry in broken_links(organization)],
    }


def _judged(broken: list[str]) -> str:
    return f"broken at {', '.join(broken)}" if broken else "intact"
