import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import svix.webhooks
from standardwebhooks import Webhook, WebhookVerificationError

from webhooks.signing import new_secret, sign

BODY = '{"id":"evt_01J","subject":"Grüße, 你好"}'.encode()
OLD_SECRET = "whsec_" + base64.b64encode(b"old key, 24 bytes long..").decode()
NEW_SECRET = "whsec_" + base64.b64encode(b"new key, 24 bytes long..").decode()


def signed(*secrets: str, body: bytes = BODY, at: datetime | None = None) -> dict[str, str]:
    return sign(secrets, "evt_01J", body, at or datetime.now(UTC))


def test_a_secret_is_whsec_and_the_base64_of_24_bytes() -> None:
    secret = new_secret()
    assert secret.startswith("whsec_")
    assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 24


def test_no_two_secrets_are_alike() -> None:
    assert len({new_secret() for _ in range(100)}) == 100


def test_a_standard_webhooks_receiver_verifies() -> None:
    secret = new_secret()
    assert Webhook(secret).verify(BODY, signed(secret)) == json.loads(BODY)


def test_a_svix_receiver_verifies() -> None:
    secret = new_secret()
    svix.webhooks.Webhook(secret).verify(BODY, signed(secret))
    with pytest.raises(svix.webhooks.WebhookVerificationError):
        svix.webhooks.Webhook(new_secret()).verify(BODY, signed(secret))


@pytest.mark.parametrize("held", [OLD_SECRET, NEW_SECRET])
def test_during_a_rotation_a_standard_receiver_verifies_with_either_secret(held: str) -> None:
    assert Webhook(held).verify(BODY, signed(NEW_SECRET, OLD_SECRET)) == json.loads(BODY)


def test_after_a_rotation_the_old_secret_no_longer_verifies() -> None:
    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        Webhook(OLD_SECRET).verify(BODY, signed(NEW_SECRET))


@pytest.mark.parametrize(
    "change",
    [
        {"body": BODY + b" "},
        {"webhook-id": "evt_02J"},
        {"webhook-timestamp": "in a minute"},
    ],
    ids=["body", "id", "timestamp"],
)
def test_a_standard_receiver_notices_any_change(change: dict[str, Any]) -> None:
    if "webhook-timestamp" in change:  # of the moment of the test, not of its collection: receivers refuse an old one
        change = {"webhook-timestamp": str(int(datetime.now(UTC).timestamp()) + 60)}
    body = change.get("body", BODY)
    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        Webhook(NEW_SECRET).verify(body, signed(NEW_SECRET) | change)


def test_the_agentpost_signature_is_keyed_with_the_whole_secret() -> None:
    headers = signed(NEW_SECRET, at=datetime(2026, 3, 8, 14, 30, tzinfo=UTC))
    expected = hmac.new(NEW_SECRET.encode(), b"1772980200." + BODY, hashlib.sha256).hexdigest()
    assert headers["x-agentpost-timestamp"] == "1772980200"
    assert headers["x-agentpost-signature"] == expected


def test_during_a_rotation_the_agentpost_signature_is_the_newest_secrets_alone() -> None:
    at = datetime.now(UTC)
    both, newest = signed(NEW_SECRET, OLD_SECRET, at=at), signed(NEW_SECRET, at=at)
    assert both["x-agentpost-signature"] == newest["x-agentpost-signature"]


def test_the_headers_are_these_and_no_more() -> None:
    assert sorted(signed(NEW_SECRET)) == [
        "webhook-id",
        "webhook-signature",
        "webhook-timestamp",
        "x-agentpost-signature",
        "x-agentpost-timestamp",
    ]


def test_the_timestamp_does_not_depend_on_the_time_zone_of_the_clock() -> None:
    at = datetime(2026, 3, 8, 14, 30, 0, 999_000, tzinfo=UTC)
    assert signed(NEW_SECRET, at=at) == signed(NEW_SECRET, at=at.astimezone(timezone(timedelta(hours=9))))


@pytest.mark.parametrize("body", [b"", b"\x00\xff not UTF-8"])
def test_any_bytes_can_be_signed(body: bytes) -> None:
    key = base64.b64decode(NEW_SECRET.removeprefix("whsec_"))
    headers = signed(NEW_SECRET, body=body, at=datetime(2026, 3, 8, 14, 30, tzinfo=UTC))
    digest = hmac.new(key, b"evt_01J.1772980200." + body, hashlib.sha256).digest()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()


@pytest.mark.parametrize(
    "secrets",
    [(), ("",), ("whsec_",), ("whsec_not base64!",), (NEW_SECRET.removeprefix("whsec_"),), (NEW_SECRET, "old")],
)
def test_a_missing_or_malformed_secret_is_refused(secrets: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"secret|base64|padding"):
        signed(*secrets)


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        signed(NEW_SECRET, at=datetime(2026, 3, 8, 14, 30))  # noqa: DTZ001 -- that is what is refused
