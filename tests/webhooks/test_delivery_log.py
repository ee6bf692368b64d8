"""What the delivery log tells: what was sent, and what came back."""

from collections.abc import Callable
from typing import Any

import pytest

from apikeys.services import create_key
from environments.callers import SYSTEM
from tests.webhooks.conftest import Tenant
from tests.webhooks.receiver import Receiver
from tests.world import Api
from webhooks.signing import new_secret
from webhooks.transport import MAX_BODY_KEPT

Deliver = Callable[[], int]
MAIL = ["message.*"]  # a key that is made tells of it too


def api(tenant: Tenant, *scopes: str) -> Api:
    organization = tenant.environment.organization_id
    return Api(create_key(organization, "a key", actor=SYSTEM, scopes=scopes or ["*"]).secret)


def shown(tenant: Tenant, *scopes: str) -> dict[str, Any]:
    return api(tenant, *scopes).get(f"/webhook-deliveries/{tenant.delivery().pk}").json()


def test_an_attempt_shows_the_very_headers_that_the_receiver_got(
    acme: Tenant, receiver: Receiver, deliver: Deliver
) -> None:
    acme.endpoint(receiver.url("/hook"), events=MAIL)
    acme.publish()
    deliver()
    [attempt] = shown(acme)["attempts"]
    request, [received] = attempt["request"], receiver.of("/hook")
    assert (request["method"], request["url"]) == ("POST", receiver.url("/hook"))
    assert {name: received.headers[name] for name in request["headers"]} == request["headers"]
    assert {"webhook-id", "webhook-signature", "x-agentpost-signature", "user-agent"} <= request["headers"].keys()


def test_the_endpoints_own_headers_are_sent_and_what_they_say_is_not_shown(
    acme: Tenant, receiver: Receiver, deliver: Deliver
) -> None:
    acme.endpoint(receiver.url("/hook"), events=MAIL, headers={"Authorization": "Bearer hush", "Webhook-Id": "hush"})
    acme.publish()
    deliver()
    [received], told = receiver.of("/hook"), shown(acme)
    headers = told["attempts"][0]["request"]["headers"]
    assert received.headers["authorization"] == "Bearer hush"
    assert (headers["Authorization"], headers["webhook-id"]) == ("•••", told["event_id"])
    assert "hush" not in str(told)
    assert "hush" not in str([attempt.request_headers for attempt in acme.attempts()])


def test_each_attempt_keeps_its_own_signature_and_the_url_of_its_time(
    acme: Tenant, receiver: Receiver, deliver: Deliver
) -> None:
    receiver.answers["/old"] = [(500, {})]
    endpoint = acme.endpoint(receiver.url("/old"), events=MAIL)
    acme.publish()
    deliver()
    acme.change_endpoint(endpoint, url=receiver.url("/new"), secret=new_secret())
    acme.change_deliveries(next_attempt_at="2026-01-01T00:00Z")
    deliver()
    requests = [attempt["request"] for attempt in shown(acme)["attempts"]]
    assert [request["url"] for request in requests] == [receiver.url("/old"), receiver.url("/new")]
    assert len({request["headers"]["x-agentpost-signature"] for request in requests}) == 2


def test_an_attempt_shows_what_came_back(acme: Tenant, receiver: Receiver, deliver: Deliver) -> None:
    receiver.answers["/hook"] = [(503, {"Retry-After": "60"})]
    receiver.bodies["/hook"] = b"down for maintenance" + b"!" * 2 * MAX_BODY_KEPT
    acme.endpoint(receiver.url("/hook"), events=MAIL)
    acme.publish()
    deliver()
    [attempt] = shown(acme)["attempts"]
    assert attempt.keys() == {"attempted_at", "request", "status", "error", "duration_ms", "response_body"}
    assert (attempt["status"], attempt["error"]) == (503, None)
    assert len(attempt["response_body"]) == MAX_BODY_KEPT
    assert attempt["response_body"].startswith("down for maintenance!")


def test_an_attempt_that_nobody_answered_shows_what_was_sent_and_why_it_failed(acme: Tenant, deliver: Deliver) -> None:
    with Receiver().listening() as gone:
        url = gone.url("/hook")
    acme.endpoint(url, events=MAIL)
    acme.publish()
    deliver()
    [attempt] = shown(acme)["attempts"]
    assert (attempt["request"]["url"], attempt["status"], attempt["error"]) == (url, None, "connection")


def test_an_attempt_that_could_not_be_built_shows_no_request(
    acme: Tenant, receiver: Receiver, deliver: Deliver
) -> None:
    acme.endpoint(receiver.url("/hook"), events=MAIL, secret="no secret of ours")
    acme.publish()
    deliver()
    [attempt] = shown(acme)["attempts"]
    assert (attempt["request"], attempt["error"]) == (None, "internal error")


@pytest.mark.parametrize("size", [10, 300_000])
def test_a_delivery_shows_the_body_as_it_is_posted(
    acme: Tenant, receiver: Receiver, deliver: Deliver, size: int
) -> None:
    acme.endpoint(receiver.url("/hook"), events=MAIL)
    acme.publish(extracted_text="x" * size)
    deliver()
    [received] = receiver.of("/hook")
    assert shown(acme)["payload"] == received.event


def test_a_list_of_deliveries_shows_no_payloads(acme: Tenant, receiver: Receiver, deliver: Deliver) -> None:
    endpoint = acme.endpoint(receiver.url("/hook"), events=MAIL)
    acme.publish()
    deliver()
    for path in ("/webhook-deliveries", f"/webhook-endpoints/{endpoint.pk}/deliveries"):
        [row] = api(acme).items(path)
        assert "payload" not in row
        assert row["attempts"][0]["request"]["url"] == endpoint.url


def test_a_key_that_may_not_read_events_sees_the_attempts_and_no_payload(
    acme: Tenant, receiver: Receiver, deliver: Deliver
) -> None:
    acme.endpoint(receiver.url("/hook"), events=MAIL)
    acme.publish()
    deliver()
    told = shown(acme, "webhooks:read")
    assert (told["payload"], told["attempts"][0]["status"]) == (None, 200)
    assert shown(acme, "webhooks:read", "events:read")["payload"] is not None
