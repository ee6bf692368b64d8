"""How many endpoints an environment may have."""

import threading
import time

import pytest
from django.db import connection, transaction

from environments.binding import inside
from environments.callers import SYSTEM
from environments.errors import Conflict
from tests.webhooks.conftest import Tenant
from webhooks.models import WebhookEndpoint
from webhooks.services.endpoints import MOST_ENDPOINTS, create_endpoint, delete_endpoint

URL = "https://acme.example/hook"
WAITING = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def create(tenant: Tenant, client_id: str | None = None) -> tuple[WebhookEndpoint, bool]:
    with inside(tenant.environment):
        return create_endpoint(tenant.environment, actor=SYSTEM, url=URL, client_id=client_id, events=["*"])


@pytest.fixture
def full(acme: Tenant) -> Tenant:
    for number in range(MOST_ENDPOINTS):
        create(acme, f"endpoint {number}")
    return acme


def test_a_full_environment_gets_no_further_endpoint(full: Tenant) -> None:
    with pytest.raises(Conflict) as refused:
        create(full)
    assert "Delete one" in refused.value.fix


def test_a_full_environment_still_answers_who_creates_the_same_again(full: Tenant) -> None:
    endpoint, is_new = create(full, "endpoint 0")
    assert (endpoint.client_id, is_new) == ("endpoint 0", False)


def test_a_deleted_endpoint_makes_room(full: Tenant) -> None:
    endpoint, _ = create(full, "endpoint 0")
    with inside(full.environment):
        delete_endpoint(endpoint, full.environment, actor=SYSTEM)
    assert create(full)[1]


def test_a_full_environment_is_no_concern_of_another(full: Tenant, globex: Tenant) -> None:
    assert create(globex)[1]


def test_the_last_place_is_given_once_when_two_ask_at_the_same_time(full: Tenant) -> None:
    endpoint, _ = create(full, "endpoint 0")
    with inside(full.environment):
        delete_endpoint(endpoint, full.environment, actor=SYSTEM)
    refusals: list[Conflict] = []

    def rival() -> None:
        try:
            create(full, "theirs")
        except Conflict as refusal:
            refusals.append(refusal)
        finally:
            connection.close()

    thread = threading.Thread(target=rival)
    with transaction.atomic():
        create(full, "ours")
        thread.start()
        wait_until_it_waits(thread)
    thread.join()
    assert len(refusals) == 1


def wait_until_it_waits(thread: threading.Thread) -> None:
    with connection.cursor() as cursor:
        while thread.is_alive():
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(WAITING)
            if cursor.fetchone() is not None:
                return
            time.sleep(0.01)
