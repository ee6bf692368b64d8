"""How console pages show mail: what others wrote is text only, and HTML is rendered in a sandbox alone."""

from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from environments.doors import smtp_door

NOTHING = SafeString("-")
# Of a message: what lists leave in the database.
LARGE = ("text_body", "html_body", "extracted_text", "extracted_html", "headers", "authentication", "metadata")


def text(content: str | None) -> SafeString:
    """Return what somebody wrote as it stands, every character of it text."""
    return format_html('<pre class="console-text">{}</pre>', content) if content else NOTHING


def page_of(row: Any) -> str:
    """Return the address of a row's page."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def list_of(model: Any) -> str:
    """Return the address of a model's list."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def trial_mail(address: str) -> str:
    """Return a command that sends a mail to an address of this server, from this machine."""
    host, port = smtp_door()
    return f'swaks --server {host}:{port} --from you@customer.example --to {address} --header "Subject: Hello"'
