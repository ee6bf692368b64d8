"""Fields that the API's bodies and queries share."""

from datetime import UTC, datetime
from typing import Any

from rest_framework import serializers

from environments.resolution import SLUG
from environments.text import is_single_line

MOST_METADATA = 50
LONGEST_KEY = 100
LONGEST_VALUE = 4000
LARGEST_NUMBER = 2**53  # beyond it JSON readers disagree (RFC 8259 section 6)


class StrictCharField(serializers.CharField):
    """A string, and nothing that merely can be made one; no U+0000."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class SingleLineField(StrictCharField):
    """A string that can stand in a header or a heading."""

    def to_internal_value(self, data: Any) -> str:
        line = super().to_internal_value(data)
        if not is_single_line(line):
            raise serializers.ValidationError("May not contain line breaks or control characters.")
        return line


class SlugField(StrictCharField):
    """Lower-case letters, digits and hyphens, as in a host name."""

    def to_internal_value(self, data: Any) -> str:
        slug = super().to_internal_value(data)
        if not SLUG.fullmatch(slug):
            raise serializers.ValidationError("Must be 1 to 63 lower-case letters, digits and inner hyphens.")
        return slug


class MetadataField(serializers.DictField):
    """Up to 50 keys of the caller's own, with strings, numbers, booleans or null."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        metadata = super().to_internal_value(data)
        if len(metadata) > MOST_METADATA or any(len(key) > LONGEST_KEY for key in metadata):
            raise serializers.ValidationError(f"At most {MOST_METADATA} keys of at most {LONGEST_KEY} characters.")
        for value in metadata.values():
            _check_value(value)
        return metadata


def _check_value(value: Any) -> None:
    if not isinstance(value, str | int | float | bool | None):
        raise serializers.ValidationError("Values must be strings, numbers, booleans or null.")
    if isinstance(value, str) and len(value) > LONGEST_VALUE:
        raise serializers.ValidationError(f"Strings have at most {LONGEST_VALUE} characters.")
    if isinstance(value, int | float) and abs(value) > LARGEST_NUMBER:
        raise serializers.ValidationError("Numbers lie between -2**53 and 2**53.")


class MomentField(serializers.DateTimeField):
    """ISO 8601 with a time zone, or a date alone, which means its midnight in UTC."""

    def __init__(self, **options: Any) -> None:
        super().__init__(default_timezone=UTC, **options)

    def to_internal_value(self, value: Any) -> datetime:
        if isinstance(value, str) and len(value) == len("2026-01-01"):
            value += "T00:00:00Z"
        try:
            return super().to_internal_value(value).astimezone(UTC)
        except OverflowError:
            self.fail("overflow")


class Body(serializers.Serializer):
    """A body: fields only, none of Django's models behind it."""


class Query(serializers.Serializer):
    """Query parameters."""
