"""Which environments a key reaches, asked along with the key itself."""

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import ExpressionWrapper, F, OuterRef, QuerySet

from apikeys.models import ApiKeyEnvironment
from environments.ids import PrefixedIDField


def reached(rows: QuerySet[ApiKeyEnvironment]) -> ArraySubquery:
    """Return, for a query of keys, the ids of the environments that each of them reaches by these rows."""
    public_id = ExpressionWrapper(F("environment_id"), PrefixedIDField("env"))  # the foreign key's own value is a uuid
    return ArraySubquery(rows.filter(key=OuterRef("pk")).values(reached=public_id))
