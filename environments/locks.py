"""Rows read anew and locked, so that nothing is decided on what another call has changed meanwhile."""

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Model, QuerySet

from environments.errors import NotFound


def lock(row: Model, rows: QuerySet, *, no_key: bool = False) -> None:
    """Lock the row until the transaction ends, and give it the values that it has now.

    ``rows`` are those that it is looked for in. Whoever else locks it waits; with ``no_key`` others may still write
    rows that refer to it. Raises NotFound when it has gone.
    """
    try:
        row.refresh_from_db(from_queryset=rows.select_for_update(no_key=no_key))
    except ObjectDoesNotExist:
        raise NotFound from None
