"""Fields that the API's bodies and queries share."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.apps import apps
from rest_framework import serializers

from environments.ids import is_id
from environments.resolution import SLUG
from environments.services import limits
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


class ShortListField(serializers.ListField):
    """A list whose length is looked at before what is in it; ``most`` is for one without a ``max_length``."""

    most = 1000

    def run_child_validation(self, data: list[Any]) -> list[Any]:
        most = self.most if self.max_length is None else self.max_length
        if len(data) > most:
            self.fail("max_length", max_length=most)
        return super().run_child_validation(data)


class ShortDictField(serializers.DictField):
    """An object whose number of keys is looked at before what they hold."""

    most = 1000
    too_many = f"At most {most} keys."

    def run_child_validation(self, data: Mapping[str, Any]) -> dict[str, Any]:
        if len(data) > self.most:
            raise serializers.ValidationError(self.too_many)
        return super().run_child_validation(data)


class MetadataField(ShortDictField):
    """Up to 50 keys of the caller's own, with strings, numbers, booleans or null."""

    most = MOST_METADATA
    too_many = f"At most {MOST_METADATA} keys of at most {LONGEST_KEY} characters."

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        metadata = super().to_internal_value(data)
        if any(len(key) > LONGEST_KEY for key in metadata):
            raise serializers.ValidationError(self.too_many)
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


class QuotaField(serializers.IntegerField):
    """A limit named in ``limits.BOUNDS``; null for none."""

    def __init__(self, limit: str, *, allow_null: bool = True, **options: Any) -> None:
        least, most = limits.BOUNDS[limit]
        super().__init__(min_value=least, max_value=most, allow_null=allow_null, **options)

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return super().to_internal_value(data)


class QuotasBody(serializers.Serializer):
    """How many mails may be sent in an hour, and in a day."""

    hourly_sending_quota = QuotaField("hourly_sending_quota", required=False)
    daily_sending_quota = QuotaField("daily_sending_quota", required=False)


class LimitsBody(QuotasBody):
    """How much may be sent, and what stops it; null is no limit."""

    recipient_domain_hourly_limit = QuotaField("recipient_domain_hourly_limit", required=False)
    repetition_limit = QuotaField("repetition_limit", required=False)
    quota_warning_percent = QuotaField("quota_warning_percent", required=False, allow_null=False)
    deliverability_floor = QuotaField("deliverability_floor", required=False)


class EnvironmentRelatedField(ShortListField):
    """Ids in a body that name rows of the same environment; any other id does not exist. One query for all of them.

    ``model_label`` is the model, as in a foreign key: ``inboxes.Inbox``.
    """

    child = StrictCharField(max_length=40)

    def __init__(self, model_label: str, **options: Any) -> None:
        self.model_label = model_label
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> list[str]:
        given = list(dict.fromkeys(super().to_internal_value(data)))
        model = apps.get_model(self.model_label)
        rows = model.objects.in_environment(self.context["environment"])
        ids = [identifier for identifier in given if is_id(model._meta.pk.prefix, identifier)]
        known = set(rows.filter(pk__in=ids).values_list("pk", flat=True))
        if missing := [identifier for identifier in given if identifier not in known]:
            raise serializers.ValidationError(f"There is no {model._meta.verbose_name} {missing[0]}.")
        return given


class Body(serializers.Serializer):
    """A body: fields only, none of Django's models behind it."""


class Query(serializers.Serializer):
    """Query parameters."""
