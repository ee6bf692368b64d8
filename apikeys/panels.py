"""What keys tell on the overview: that an environment needs one."""

from collections.abc import Iterable, Mapping
from typing import ClassVar

from django.db.models import Exists, OuterRef, Q
from django.db.models.expressions import Combinable
from django.urls import reverse

from apikeys.models import ApiKey, ApiKeyEnvironment
from environments.console.panels import Figures, Panel, Period, Step
from environments.console.permissions import Kind
from environments.console.reach import ConsoleRequest
from environments.console.site import site
from environments.models import Environment


class KeyPanel(Panel):
    """Whether any key reaches the environment."""

    order: ClassVar[int] = 50

    def expressions(self, environment: Environment, period: Period) -> Mapping[str, Combinable]:
        named = ApiKeyEnvironment.objects.in_organization(environment.organization_id).filter(
            environment=environment, key=OuterRef("pk")
        )
        keys = ApiKey.objects.in_organization(environment.organization_id).filter(revoked_at__isnull=True)
        return {"has_key": Exists(keys.filter(Q(reaches_organization=True) | Q(Exists(named))))}

    def steps(self, request: ConsoleRequest, figures: Figures) -> Iterable[Step]:
        may_add = request.console.may(Kind.KEY, "add")
        who = "" if may_add else " An admin of this environment makes one."
        yield Step(
            "Create an API key",
            f"What your agent calls the API with. It can do what its scopes say, and no more.{who}",
            figures["has_key"],
            reverse("admin:apikeys_apikey_add") if may_add else "",
            "New key",
            order=2,
        )


site.panels += [KeyPanel()]
