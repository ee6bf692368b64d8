"""Calls that make deliveries: a test, a retry, a replay."""

from typing import Any

import pytest

from environments.binding import inside
from tests.world import Api, World, error_of
from webhooks.models import WebhookDelivery, WebhookEndpoint

DEV = {"AgentPost-Environment": "development"}
HOOK = "https://hooks.acme.example/in"
SINCE = "2026-01-01T00:00:00Z"


@pytest.fixture
def endpoint(api: Api) -> str:
    made: str = api.post("/webhook-endpoints", {"url": HOOK, "events": ["inbox.*", "message.sent"]}, **DEV).json()["id"]
    return made


def change(world: World, model: Any, **changes: Any) -> None:
    with inside(world.development):
        model.objects.in_environment(world.development).update(**changes)


def test_a_test_is_answered_with_its_delivery(api: Api, endpoint: str) -> None:
    answer = api.post(f"/webhook-endpoints/{endpoint}/test", {"event_type": "message.bounced"})
    made = answer.json()
    assert answer.status_code == 202
    assert (made["endpoint_id"], made["event_type"], made["state"], made["attempts"]) == (
        endpoint, "message.bounced", "pending", [],
    )  # fmt: skip
    assert made["id"] in [row["id"] for row in api.items(f"/webhook-endpoints/{endpoint}/deliveries")]
    assert [event["type"] for event in api.items("/events", **DEV)] == []


def test_a_test_needs_no_body(api: Api, endpoint: str) -> None:
    assert api.post(f"/webhook-endpoints/{endpoint}/test").json()["event_type"] == "message.sent"
    assert api.call("post", f"/webhook-endpoints/{endpoint}/test").status_code == 202


def test_a_retry_is_answered_with_the_delivery_as_it_is_then(acme: World, api: Api, endpoint: str) -> None:
    api.post("/inboxes", **DEV)
    [delivery] = api.items("/webhook-deliveries", **DEV)
    change(acme, WebhookDelivery, state="failed", attempts=6, next_attempt_at=None)
    answer = api.post(f"/webhook-deliveries/{delivery['id']}/retry")
    assert (answer.status_code, answer.json()["state"]) == (202, "pending")
    assert answer.json()["next_attempt_at"]


def test_a_replay_says_how_many_events_are_sent_again(acme: World, api: Api, endpoint: str) -> None:
    change(acme, WebhookEndpoint, is_enabled=False)
    for _ in range(2):
        api.post("/inboxes", **DEV)
    api.post(f"/webhook-endpoints/{endpoint}/enable")
    answer = api.post(f"/webhook-endpoints/{endpoint}/replay", {"since": SINCE})
    assert answer.status_code == 202
    assert answer.json() == {"replayed": 2, "has_more": False, "next_since": None}
    assert api.post(f"/webhook-endpoints/{endpoint}/replay", {"since": SINCE}).json()["replayed"] == 0
    assert {row["event_type"] for row in api.items("/webhook-deliveries", **DEV)} == {"inbox.created"}


REFUSED = [
    ("test", {"event_type": "message.*"}, "event_type"),
    ("test", {"event_type": "message.eaten"}, "event_type"),
    ("replay", {}, "since"),
    ("replay", {"since": "yesterday"}, "since"),
    ("replay", {"since": "2999-01-01T00:00:00Z"}, "since"),
    ("replay", {"since": SINCE, "until": "2025-01-01T00:00:00Z"}, "since"),
    ("replay", {"since": SINCE, "events": []}, "events"),
    ("replay", {"since": SINCE, "events": ["message.eaten"]}, "events.0"),
    ("replay", {"since": SINCE, "inbox_ids": []}, "inbox_ids"),
]


@pytest.mark.parametrize(("verb", "body", "field"), REFUSED)
def test_what_makes_no_sense_is_refused_by_field(
    api: Api, endpoint: str, verb: str, body: dict[str, Any], field: str
) -> None:
    answer = api.post(f"/webhook-endpoints/{endpoint}/{verb}", body)
    assert (answer.status_code, error_of(answer)["code"]) == (422, "validation_error")
    assert error_of(answer)["details"][0]["field"].startswith(field.partition(".")[0])


def test_a_disabled_endpoint_is_named_with_the_call_that_enables_it(acme: World, api: Api, endpoint: str) -> None:
    api.post("/inboxes", **DEV)
    [delivery] = api.items("/webhook-deliveries", **DEV)
    change(acme, WebhookEndpoint, is_enabled=False)
    for path, body in (
        (f"/webhook-deliveries/{delivery['id']}/retry", {}),
        (f"/webhook-endpoints/{endpoint}/replay", {"since": SINCE}),
    ):
        answer = api.post(path, body)
        assert (answer.status_code, error_of(answer)["code"]) == (409, "conflict")
        assert f"/webhook-endpoints/{endpoint}/enable" in error_of(answer)["fix"]
    assert api.post(f"/webhook-endpoints/{endpoint}/test").status_code == 202


@pytest.mark.parametrize("since", ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "2026-01-01"])
def test_a_replay_may_begin_before_everything(api: Api, endpoint: str, since: str) -> None:
    given = {"since": since, "until": "9999-12-31T23:59:59Z"}
    assert api.post(f"/webhook-endpoints/{endpoint}/replay", given).status_code == 202
