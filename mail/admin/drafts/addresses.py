"""Addresses as people type them into a form: several in one field, with names or without."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from environments.text import is_single_line
from mail.parsing import Address
from mail.parsing.addresses import parse_addresses
from mail.services.addresses import sendable
from mail.services.replies import MOST_RECIPIENTS

ONE = re.compile(r'(?:"[^"\n]*"|[^,;\n"])+')
NEEDS_QUOTES = re.compile(r'[,;<>()@:"\\]')
LONGEST_NAME = 200
LONGEST_TOLD = 100


def written(people: Iterable[Mapping[str, str]]) -> str:
    """Return stored addresses as this form reads them again."""
    return ", ".join(_written(one["email"], one.get("name", "")) for one in people)


def _written(email: str, name: str) -> str:
    plain = " ".join(name.replace('"', "'").replace("\\", "/").split())
    if not plain:
        return email
    return f'"{plain}" <{email}>' if NEEDS_QUOTES.search(plain) else f"{plain} <{email}>"


class AddressesField(forms.CharField):
    """Up to fifty addresses between commas, as ``ann@example.com`` or ``Ann <ann@example.com>``."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, max_length=20_000, **options)

    def clean(self, value: Any) -> list[Address]:
        """Return the addresses. Raises ValidationError that names the first one which mail cannot be sent to."""
        given = [one.strip() for one in ONE.findall(super().clean(value)) if one.strip()]
        if len(given) > MOST_RECIPIENTS:
            raise ValidationError(f"At most {MOST_RECIPIENTS} addresses.")
        return [_address(one) for one in given]


def _address(given: str) -> Address:
    found = parse_addresses([given])
    if len(found) == 1 and is_single_line(found[0].name) and len(found[0].name) <= LONGEST_NAME:
        address = sendable(found[0].email, found[0].name)
        if address is not None:
            return address
    raise ValidationError(f"“{given[:LONGEST_TOLD]}” is no address that mail can be sent to.")
