"""Audit entries as people read them: in words, with what changed, and the page of what they are about."""

from typing import Any

from django.urls import reverse

from environments.console.permissions import Kind
from environments.console.reach import Console
from environments.models import AuditEntry

PAGES = {
    "key": "apikeys_apikey",
    "env": "environments_environment",
    "org": "environments_organization",
    "mem": "environments_member",
    "inv": "environments_invitation",
    "dom": "inboxes_domain",
    "inb": "inboxes_inbox",
    "rul": "inboxes_filterrule",
    "sup": "inboxes_suppression",
    "whe": "webhooks_webhookendpoint",
    "msg": "mail_message",
    "thr": "mail_thread",
    "drf": "mail_draft",
    "trn": "mail_transport",
}
OF_THE_ORGANIZATION = {"key", "env", "org", "mem", "inv"}
PEOPLE = {"mem", "inv"}
NAMES = {"api_key": "API key"}
ABSENT = ""


def words_of(entry: AuditEntry) -> str:
    """Return what was done, in words: ``Webhook endpoint secret rotated``."""
    area, _, verb = entry.action.partition(".")
    name = NAMES.get(area, area.replace("_", " "))
    said = f"{name} {verb.replace('_', ' ')}".strip()
    return said[:1].upper() + said[1:]


def page_about(entry: AuditEntry, console: Console) -> str:
    """Return the address of what the entry is about; of what lies elsewhere one that goes there. Empty for none."""
    prefix = entry.target_id.partition("_")[0]
    if prefix not in PAGES or (prefix in PEOPLE and not console.may(Kind.PEOPLE, "view")):
        return ""
    address = reverse(f"admin:{PAGES[prefix]}_change", args=[entry.target_id])
    if prefix in OF_THE_ORGANIZATION or entry.environment_id in {None, console.here.pk}:
        return address
    return f"{address}?environment={entry.environment_id}"


def changes_of(entry: AuditEntry) -> list[dict[str, Any]]:
    """Return every field that the entry names, before and after, those that differ first."""
    before, after = _fields(entry.before), _fields(entry.after)
    rows = [
        {
            "field": name.replace("_", " "),
            "before": before.get(name, ABSENT),
            "after": after.get(name, ABSENT),
            "was": name in before,
            "is": name in after,
            "differs": before.get(name, ABSENT) != after.get(name, ABSENT) or (name in before) != (name in after),
        }
        for name in dict.fromkeys([*before, *after])
    ]
    return sorted(rows, key=lambda row: not row["differs"])


def _fields(told: Any) -> dict[str, Any]:
    if told is None:
        return {}
    return told if isinstance(told, dict) else {"value": told}
