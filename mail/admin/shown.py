"""How console pages show mail: what others wrote is text only, and HTML is never rendered."""

from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

NOTHING = SafeString("-")
STATUS_LABELS = {
    "received": "success",
    "quarantined": "warning",
    "sent": "success",
    "delivered": "success",
    "bounced": "danger",
    "complained": "danger",
    "rejected": "danger",
    "failed": "danger",
    "captured": "info",
}


def text(content: str | None) -> SafeString:
    """Return what somebody wrote as it stands, every character of it text."""
    return format_html('<pre class="console-text">{}</pre>', content) if content else NOTHING


def people(addresses: Iterable[dict[str, str]]) -> str:
    """Return addresses on one line."""
    return ", ".join(person(address.get("email", ""), address.get("name", "")) for address in addresses)


def person(email: str, name: str) -> str:
    """Return one address as a mail program shows it."""
    return f"{name} <{email}>" if name else email


def page_of(row: Any) -> str:
    """Return the address of a row's page."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
