"""Whether the keys that reach an environment will still reach it when it is live."""

from collections.abc import Iterator, Sequence

from django.db.models import Q

from apikeys.authentication import in_force
from apikeys.models import ApiKey, ApiKeyEnvironment
from environments import clock
from environments.models import Environment
from environments.readiness import Check, Checks, Verdict, counted, number

KEYS = "admin:apikeys_apikey_changelist"


def _keys(environment: Environment) -> Iterator[Check]:
    """Tell of dev keys only: they are what goes quiet on the day."""
    named = ApiKeyEnvironment.objects.in_organization(environment.organization_id).filter(environment=environment)
    keys = in_force(ApiKey.objects.in_organization(environment.organization_id), clock.now())
    reaching = keys.filter(Q(reaches_organization=True) | Q(pk__in=named.values("key")))
    count = counted(reaching.filter(kind=ApiKey.Kind.DEV))
    if count:
        sentence = f"Dev keys among those for it: {number(count)}. They do not reach it while it is live: make another."
        yield Check(Verdict.NOTE, sentence, KEYS, "API keys")


LOSSES: Sequence[Checks] = (_keys,)
