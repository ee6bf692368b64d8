"""Addresses as a mail program shows them."""

from collections.abc import Iterable


def people(addresses: Iterable[dict[str, str]]) -> str:
    """Return addresses on one line."""
    return ", ".join(person(address.get("email", ""), address.get("name", "")) for address in addresses)


def person(email: str, name: str) -> str:
    """Return one address as a mail program shows it."""
    return f"{name} <{email}>" if name else email
