"""What is posted verifies with the libraries that receivers use, as they are published."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
import standardwebhooks
import svix.webhooks
import time_machine

from environments import clock
from environments.binding import inside
from environments.callers import SYSTEM
from tests.webhooks.conftest import Tenant
from tests.webhooks.receiver import Received, Receiver
from webhooks.services.endpoints import OVERLAP, rotate_secret
from webhooks.signing import new_secret

LIBRARIES = {"standardwebhooks": standardwebhooks.Webhook, "svix": svix.webhooks.Webhook}
EACH_LIBRARY = pytest.mark.parametrize("library", LIBRARIES)
Deliver = Callable[[], int]


@dataclass(frozen=True)
class Posted:
    """What a receiver got over its socket, and the secrets that its owner holds or has held."""

    received: Received
    old: str
    new: str


@pytest.fixture
def post(acme: Tenant, receiver: Receiver, deliver: Deliver) -> Callable[..., Posted]:
    """Return what posts an event to an endpoint whose secret was rotated so long before."""

    def act(since: timedelta = timedelta(hours=1)) -> Posted:
        endpoint = acme.endpoint(receiver.url("/hook"))
        old = endpoint.secret
        with time_machine.travel(clock.now() - since), inside(acme.environment):
            rotate_secret(endpoint, acme.environment, actor=SYSTEM)
        acme.publish(subject="Grüße, 你好")
        deliver()
        [received] = receiver.of("/hook")
        return Posted(received, old, acme.reread(endpoint).secret)

    return act


def verifies(library: str, secret: str, received: Received) -> bool:
    try:
        LIBRARIES[library](secret).verify(received.body, received.headers)
    except standardwebhooks.WebhookVerificationError:
        return False
    return True


@EACH_LIBRARY
def test_a_post_verifies_with_the_old_and_the_new_secret_while_they_overlap(
    library: str, post: Callable[..., Posted]
) -> None:
    posted = post()
    assert verifies(library, posted.new, posted.received)
    assert verifies(library, posted.old, posted.received)
    assert not verifies(library, new_secret(), posted.received)


@EACH_LIBRARY
def test_after_the_overlap_the_new_secret_alone_verifies(library: str, post: Callable[..., Posted]) -> None:
    posted = post(OVERLAP + timedelta(minutes=1))
    assert verifies(library, posted.new, posted.received)
    assert not verifies(library, posted.old, posted.received)


def test_no_byte_of_the_body_changes_unnoticed(post: Callable[..., Posted]) -> None:
    posted = post()
    body = posted.received.body
    for place in range(len(body)):
        changed = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        forged = replace(posted.received, body=changed)
        assert not any(verifies(library, posted.new, forged) for library in LIBRARIES), place


def _other(character: str) -> str:
    """Return another character; of a digit its neighbour, so that a timestamp stays a recent one."""
    return chr(ord(character) ^ 1) if character.isdigit() else "A" if character != "A" else "B"


@EACH_LIBRARY
@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_no_header_that_is_signed_changes_or_goes_unnoticed(
    library: str, name: str, post: Callable[..., Posted]
) -> None:
    posted = post()
    headers = posted.received.headers
    spoilt = " ".join(f"{part[:-3]}{_other(part[-3])}{part[-2:]}" for part in headers[name].split())
    others: dict[str, Any] = {key: value for key, value in headers.items() if key != name}
    assert not verifies(library, posted.new, replace(posted.received, headers=others | {name: spoilt}))
    assert not verifies(library, posted.new, replace(posted.received, headers=others))


@EACH_LIBRARY
def test_a_post_of_long_ago_is_not_accepted_again(library: str, post: Callable[..., Posted]) -> None:
    posted = post()
    with time_machine.travel(clock.now() + timedelta(minutes=6)):
        assert not verifies(library, posted.new, posted.received)
