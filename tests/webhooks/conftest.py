"""Tenants with endpoints, and a real receiver for them to stand on."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from environments.binding import inside
from environments.models import Environment, Organization
from tests.webhooks.receiver import Receiver
from webhooks.delivery.deliverer import deliver_due_once
from webhooks.models import DeliveryAttempt, Event, WebhookDelivery, WebhookEndpoint
from webhooks.services.events import Happening, publish
from webhooks.signing import new_secret


@dataclass(frozen=True)
class Tenant:
    """An environment, and what a test does and reads in it."""

    environment: Environment

    def endpoint(self, url: str, **fields: Any) -> WebhookEndpoint:
        with inside(self.environment):
            endpoint = WebhookEndpoint(
                environment=self.environment, url=url, **{"events": ["*"], "secret": new_secret(), **fields}
            )
            endpoint.save(force_insert=True)
        return endpoint

    def publish(self, how_many: int = 1, **fields: Any) -> list[Event]:
        data = {"subject": "Grüße", **fields}
        with inside(self.environment):
            return publish(self.environment.pk, [Happening("message.captured", data) for _ in range(how_many)])

    def deliveries(self) -> list[WebhookDelivery]:
        with inside(self.environment):
            return list(WebhookDelivery.objects.in_environment(self.environment).order_by("pk"))

    def delivery(self) -> WebhookDelivery:
        [delivery] = self.deliveries()
        return delivery

    def change_deliveries(self, **changes: Any) -> None:
        with inside(self.environment):
            WebhookDelivery.objects.in_environment(self.environment).update(**changes)

    def change_delivery(self, delivery: WebhookDelivery, **changes: Any) -> None:
        with inside(self.environment):
            WebhookDelivery.objects.in_environment(self.environment).filter(pk=delivery.pk).update(**changes)

    def attempts(self) -> list[DeliveryAttempt]:
        with inside(self.environment):
            return list(DeliveryAttempt.objects.in_environment(self.environment).order_by("pk"))

    def change_endpoint(self, endpoint: WebhookEndpoint, **changes: Any) -> None:
        row = self.reread(endpoint)
        for name, value in changes.items():
            setattr(row, name, value)
        with inside(self.environment):
            row.save(update_fields=list(changes))

    def reread(self, endpoint: WebhookEndpoint) -> WebhookEndpoint:
        with inside(self.environment):
            return WebhookEndpoint.objects.in_environment(self.environment).get(pk=endpoint.pk)


@pytest.fixture
def tenant_named(transactional_db: None) -> Callable[[str], Tenant]:
    def make(name: str) -> Tenant:
        organization = Organization.objects.create(name=name, slug=name)
        environment = Environment(organization=organization, name="Production", slug="production", is_default=True)
        environment.save(force_insert=True)
        return Tenant(environment)

    return make


@pytest.fixture
def acme(tenant_named: Callable[[str], Tenant]) -> Tenant:
    return tenant_named("acme")


@pytest.fixture
def globex(tenant_named: Callable[[str], Tenant]) -> Tenant:
    return tenant_named("globex")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver().listening() as receiver:
        yield receiver


@pytest.fixture
def deliver() -> Callable[[], int]:
    return lambda: asyncio.run(deliver_due_once(development=True))
