"""What differs between two versions of a draft, field by field, as a unified diff."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from environments import clock
from mail.models import DraftFile
from mail.models.drafts import Written

MOST_COMPARED = 400_000  # products of line counts, in one answer: the time that difflib takes grows with them


@dataclass(frozen=True)
class Change:
    """A field that differs; ``diff`` is None where comparing would take too long."""

    field: str
    diff: str | None


def text_of(version: Written, files: Sequence[DraftFile]) -> dict[str, str]:
    """Return the fields of a version, or of a draft as it is, as text, in the order in which a reader wants them."""
    return {
        **{name.removesuffix("_addresses"): _people(getattr(version, name)) for name in Written.PEOPLE},
        **{name: getattr(version, name) or "" for name in Written.TEXTS},
        "headers": "\n".join(f"{name}: {value}" for name, value in version.headers.items()),
        "send_at": clock.written(version.send_at) or "" if version.send_at else "",
        "attachments": "\n".join(_file(file) for file in files),
    }


def _people(addresses: Sequence[dict[str, Any]]) -> str:
    return "\n".join(f"{one['name']} <{one['email']}>" if one["name"] else one["email"] for one in addresses)


def _file(file: DraftFile) -> str:
    return f"{file.filename} ({file.content_type}, {file.size} bytes, SHA-256 {bytes(file.blob.sha256).hex()})"


class Comparison:
    """Compares versions until it has worked enough for one answer."""

    def __init__(self, allowance: int = MOST_COMPARED) -> None:
        self.allowance = allowance

    def changes(self, before: dict[str, str], after: dict[str, str]) -> list[Change]:
        """Return what differs, out of two results of ``text_of``."""
        return [Change(name, self._diff(before[name], after[name])) for name in after if before[name] != after[name]]

    def _diff(self, before: str, after: str) -> str | None:
        old, new = before.splitlines(), after.splitlines()
        cost = max(1, len(old)) * max(1, len(new))
        if cost > self.allowance:
            return None
        self.allowance -= cost
        return "\n".join(difflib.unified_diff(old, new, "before", "after", lineterm=""))
