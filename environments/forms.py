"""Fields that the API's bodies and queries share."""

from datetime import UTC, datetime
from typing import Any

from rest_framework import serializers

from environments.resolution import SLUG

LONGEST_METADATA = 50


class StrictCharField(serializers.CharField):
    """A string, and nothing that merely can be made one; no U+0000."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


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
        if len(metadata) > LONGEST_METADATA:
            raise serializers.ValidationError(f"At most {LONGEST_METADATA} keys.")
        if not all(isinstance(value, str | int | float | bool | None) for value in metadata.values()):
            raise serializers.ValidationError("Values must be strings, numbers, booleans or null.")
        return metadata


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
