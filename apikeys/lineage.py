"""Which key made which: whoever holds a key may hold those that it made, so they count as one where it matters."""

from collections.abc import Iterable

from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from apikeys.models import ApiKey
from environments.ids import decode
from environments.models import AuditEntry

MOST_GENERATIONS = 8
LINE = """
WITH RECURSIVE line (id, made_by_id, generation) AS (
    SELECT id, made_by_id, 1 FROM apikeys_apikey WHERE organization_id = %s AND id = ANY (ARRAY[{asked}]::uuid[])
    UNION
    SELECT maker.id, maker.made_by_id, line.generation + 1
      FROM apikeys_apikey maker JOIN line ON maker.organization_id = %s AND maker.id = line.made_by_id
     WHERE line.generation < %s
)
SELECT id FROM line
"""


def line_of(organization_id: str, key_ids: Iterable[str]) -> QuerySet[ApiKey]:
    """Return these keys of the organization, the keys that made them, and so on upwards. One query."""
    organization = decode("org", organization_id)
    asked = [decode("key", key_id) for key_id in key_ids]
    line = LINE.format(asked=", ".join(["%s"] * len(asked)))
    line_of_them = RawSQL(line, [organization, *asked, organization, MOST_GENERATIONS])  # noqa: S611 - no input in it
    return ApiKey.objects.in_organization(organization_id).filter(pk__in=line_of_them)


def firsts_of(organization_id: str, key_ids: Iterable[str]) -> set[str]:
    """Return the ids of the keys that no key made, from which these descend; a key may be its own first."""
    return set(line_of(organization_id, key_ids).filter(made_by=None).values_list("pk", flat=True))


def shown_to(organization_id: str, key_id: str) -> set[tuple[str, str]]:
    """Return kind and id of the people who were shown the secret of a key, or of one above it, as is on record."""
    line = list(line_of(organization_id, [key_id]).values_list("pk", flat=True))
    shown = AuditEntry.objects.in_organization(organization_id).filter(
        target_id__in=line, action__in=["api_key.created", "api_key.rotated"], actor_kind__in=["member", "operator"]
    )
    return set(shown.values_list("actor_kind", "actor_id"))


def are_of_one_family(organization_id: str, key_id: str, others: Iterable[str]) -> bool:
    """Return whether a key shares its first maker with any of the others."""
    theirs = set(others)
    return bool(theirs) and not firsts_of(organization_id, [key_id]).isdisjoint(firsts_of(organization_id, theirs))
