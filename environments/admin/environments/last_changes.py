"""Who changed what of an environment last, section by section of its page."""

from collections.abc import Iterator

from environments.admin.environments.forms import PAUSED, SECTION_FORMS
from environments.models import AuditEntry, Environment
from environments.services.environments import OUTLETS

LOOKED_AT = 200  # of the environment's newest entries, whatever they are about
FIELDS = {
    **{name: tuple(form.base_fields) for name, form in SECTION_FORMS.items()},
    "pauses": PAUSED,
    "delivery": OUTLETS,
}
OF_ACTION = {"environment.locked": "delivery", "environment.unlocked": "delivery", "environment.braked": "pauses"}


def last_changes(environment: Environment) -> dict[str, AuditEntry]:
    """Return the newest audit entry about each section, as far as it is among the environment's latest; one query."""
    rows = AuditEntry.objects.in_organization(environment.organization_id)
    newest = rows.filter(environment_id=environment.pk).order_by("-pk").values("pk")[:LOOKED_AT]
    found: dict[str, AuditEntry] = {}
    for entry in rows.filter(pk__in=newest, target_id=environment.pk).order_by("-pk"):
        for section in _sections_of(entry):
            found.setdefault(section, entry)
    return found


def _sections_of(entry: AuditEntry) -> Iterator[str]:
    if entry.action in OF_ACTION:
        yield OF_ACTION[entry.action]
    before, after = entry.before or {}, entry.after or {}
    changed = {name for name, value in after.items() if name in before and before[name] != value}
    yield from (section for section, names in FIELDS.items() if changed.intersection(names))
