"""Filters beside a list that offer only what the list itself may show."""

from typing import Any

from django.contrib.admin import RelatedFieldListFilter
from django.http import HttpRequest

OFFERED = 200


class ConfinedRelatedFilter(RelatedFieldListFilter):
    """Choices out of the rows that the related model's own pages show to this person, here."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[Any, Any]]:
        rows = model_admin.admin_site.rows(request, field.remote_field.model)
        return [(row.pk, str(row)) for row in rows.order_by("pk")[:OFFERED]]
