"""An environment's transport over the API: to be seen, not to be changed."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from environments.clock import written
from environments.errors import PersonRequired
from environments.models import Environment
from environments.viewsets import EnvironmentViewSet
from mail.models import Transport
from mail.services import transports


class TransportOutput(serializers.Serializer):
    """How mail leaves an environment. ``config`` holds no secrets."""

    id = serializers.CharField(allow_null=True)
    environment_id = serializers.CharField()
    source = serializers.ChoiceField(["environment", "server", "none"])
    kind = serializers.CharField(allow_null=True)
    config = serializers.DictField()
    created_at = serializers.DateTimeField(allow_null=True)
    updated_at = serializers.DateTimeField(allow_null=True)


def transport_json(environment: Environment) -> dict[str, Any]:
    """Return the transport object of the environment that the transaction is bound to.

    Of the server's own transport it tells the kind, and nothing else.
    """
    own = transports.own_transport(environment)
    if own is None:
        shared = transports.transport_of(environment)
        return {
            "id": None,
            "environment_id": environment.pk,
            "source": "server" if shared else "none",
            "kind": shared.kind if shared else None,
            "config": {},
            "created_at": None,
            "updated_at": None,
        }
    return {
        "id": own.pk,
        "environment_id": environment.pk,
        "source": "environment",
        "kind": own.kind,
        "config": transports.shown_values(own),
        "created_at": written(own.created_at),
        "updated_at": written(own.updated_at),
    }


class TransportView(EnvironmentViewSet):
    """The way out of an environment."""

    resource = "environments"
    model = Transport

    @extend_schema(responses=TransportOutput)
    def retrieve(self, request: Request) -> Response:
        """Return how the environment's mail leaves, without any secret."""
        return Response(transport_json(self.environment))

    @extend_schema(request=None, responses=TransportOutput)
    def update(self, request: Request) -> Response:
        """Refuse: a transport is set by a person, in the console or with ``manage.py set_transport``."""
        raise PersonRequired(fix="Do it in the console, or with manage.py set_transport.")

    @extend_schema(responses={204: None})
    def destroy(self, request: Request) -> Response:
        """Refuse: a transport is removed by a person, in the console or with ``manage.py set_transport``."""
        raise PersonRequired(fix="Do it in the console, or with manage.py set_transport.")
