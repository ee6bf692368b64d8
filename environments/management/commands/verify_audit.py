"""Check the hash chain of every organization's audit log."""

from typing import Any

from environments.models import AuditEntry, Organization
from environments.provisioning import Outcome, ProvisioningCommand
from environments.services.audit import broken_links


class Command(ProvisioningCommand):
    """Reads, and changes nothing."""

    takes_turns = False
    help = "Check that no audit entry was changed or taken out; exits with 1 when one was."

    def carry_out(self, **_: Any) -> Outcome:
        """Return what was found in each organization."""
        found = [_checked(organization) for organization in Organization.objects.order_by("slug")]
        broken = sum(len(chain["broken"]) for chain in found)
        lines = [f"{chain['slug']}: {chain['entries']} entries, {_judged(chain['broken'])}" for chain in found]
        failure = f"{broken} audit entries were changed, or stand where another is missing." if broken else ""
        result = {"intact": not broken, "organizations": found}
        return Outcome("\n".join(lines) or "no organizations", result, failure=failure)


def _checked(organization: Organization) -> dict[str, Any]:
    return {
        "organization_id": organization.pk,
        "slug": organization.slug,
        "entries": AuditEntry.objects.in_organization(organization).count(),
        "broken": [entry.pk for entry in broken_links(organization)],
    }


def _judged(broken: list[str]) -> str:
    return f"broken at {', '.join(broken)}" if broken else "intact"
