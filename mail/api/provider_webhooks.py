"""Where providers post what became of mail, and mail that they took in."""

from contextlib import nullcontext
from typing import Any

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from environments.binding import inside
from environments.errors import Forbidden, MalformedRequest, NotFound, TooLarge, Unavailable
from environments.models import Environment
from environments.viewsets import BaseViewSet
from mail.services import transports
from mail.services.provider_intake import take_in
from mail.services.provider_reports import record_reports
from mail.transports.configs import Config, config_of

RETRY_SECONDS = "30"


class ProviderWebhookView(BaseViewSet):
    """What a provider posts; the token in the URL is the right, and the provider's signature where it has one."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    def transaction(self) -> Any:
        """Return no transaction: a provider may have to be asked for more, and the services open their own."""
        return nullcontext()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.is_in_transaction = False  # so that a refusal does not try to take one back

    @extend_schema(request=None, responses={200: None})
    def create(self, request: Request, token: str) -> Response:
        """Take in what the environment's provider tells: deliveries, bounces, complaints, and incoming mail."""
        from mail.transports.provider_questions import Unanswered
        from mail.transports.provider_webhooks import Unreadable, Unverified, told_by  # takes a while to import

        environment = transports.find_by_token(token)
        config = _config(environment)
        _demand_size(request)
        try:
            told = told_by(config, request._request, transports.webhook_url(token))  # noqa: SLF001 - as Django made it
        except Unverified as problem:
            raise Forbidden(str(problem), fix="Compare the secrets of the transport with the provider's.") from problem
        except Unreadable as problem:
            raise MalformedRequest(str(problem), fix="Let only the provider post to this URL.") from problem
        except Unanswered as problem:
            raise Unavailable(str(problem), headers={"Retry-After": RETRY_SECONDS}) from problem
        except SuspiciousOperation as problem:
            raise TooLarge from problem
        record_reports(environment, told.reports)
        take_in(environment, told.incoming)
        return Response({})


def _config(environment: Environment) -> Config:
    with inside(environment):
        own = transports.own_transport(environment)
        if own is None:
            raise NotFound
        return config_of(own.kind, transports.values_of(own), environment.pk)


def _demand_size(request: Request) -> None:
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        raise TooLarge
