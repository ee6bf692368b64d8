"""One dead endpoint, one slow, twenty healthy: no healthy one waits for the others, in one environment or in several.

Nothing here is timed. The dead one and the slow one hang until all the rest has been delivered, and are seen to hang.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.webhooks.conftest import Tenant
from tests.webhooks.receiver import Receiver
from tests.webhooks.test_deliverer import eventually, running
from webhooks.models import WebhookEndpoint

HEALTHY = 20
EVENTS = 15  # more than one endpoint is posted at once
BURSTS = 2


@contextmanager
def unreachable() -> Iterator[str]:
    """Yield a URL whose host takes no connection and refuses none: its queue is full, so that connecting hangs."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(server.getsockname())
        yield f"http://127.0.0.1:{server.getsockname()[1]}/hook"


def states_of(tenant: Tenant, endpoint: WebhookEndpoint) -> list[str]:
    return [delivery.state for delivery in tenant.deliveries() if delivery.endpoint_id == endpoint.pk]


@pytest.fixture(params=["one environment", "several environments"])
def tenants(request: pytest.FixtureRequest, tenant_named: Callable[[str], Tenant]) -> list[Tenant]:
    """Return where the dead endpoint, the slow one and each healthy one stand."""
    if request.param == "one environment":
        return [tenant_named("acme")] * (HEALTHY + 2)
    dead, slow, *others = [tenant_named(f"tenant-{number}") for number in range(6)]
    return [dead, slow, *(others[number % len(others)] for number in range(HEALTHY))]


def test_a_dead_endpoint_and_a_slow_one_delay_none_of_twenty(tenants: list[Tenant], receiver: Receiver) -> None:
    places = list(dict.fromkeys(tenants))
    with unreachable() as nowhere:
        dead = tenants[0].endpoint(nowhere)
        slow = tenants[1].endpoint(receiver.url("/slow"))
        for number, tenant in enumerate(tenants[2:]):
            tenant.endpoint(receiver.url(f"/hook/{number}"))
        with running():
            for burst in range(1, BURSTS + 1):
                for tenant in places:
                    tenant.publish(EVENTS)
                receiver.wait_for("/slow", 1)
                for number in range(HEALTHY):
                    receiver.wait_for(f"/hook/{number}", burst * EVENTS)
            assert set(states_of(tenants[0], dead)) == {"pending"}
            assert set(states_of(tenants[1], slow)) == {"pending"}
            assert not [attempt for tenant in places for attempt in tenant.attempts() if attempt.status != 200]
            receiver.released.set()
            eventually(lambda: set(states_of(tenants[1], slow)) == {"delivered"})
    for number in range(HEALTHY):
        assert len({received.event["id"] for received in receiver.of(f"/hook/{number}")}) == BURSTS * EVENTS
