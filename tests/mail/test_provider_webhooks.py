"""What providers tell by webhook: statuses, events and mail, in the environment of the token and in no other."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from contextlib import suppress
from functools import partial
from typing import Any

import orjson
import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from environments import clock
from environments.binding import inside
from environments.models import Environment
from inboxes.models import Suppression
from mail.models import Blob, HandOver, Message, MessageRecipient, Step, Thread
from mail.services import transports
from mail.services.provider_reports import record_reports
from mail.transports.configs import config_of
from mail.transports.provider_webhooks import Report, Unreadable, told_by
from tests.world import PERSON, World
from webhooks.models import Event

pytestmark = [
    pytest.mark.usefixtures("object_store"),
    pytest.mark.filterwarnings("ignore::anymail.exceptions.AnymailNotSupportedWarning"),
]
BOB = "bob@example.com"
URL = "https://mail.acme.example/hook"


def token_of(world: World, kind: str, config: dict[str, Any], environment: Environment | None = None) -> str:
    where = environment or world.development
    with inside(where):
        token = transports.configure(where, kind, config, actor=PERSON, reason="The test says so.")[1]
    assert token
    return token


def sent(world: World, provider_id: str, *, environment: Environment | None = None, to: str = BOB) -> Message:
    """Return a message that a provider has taken."""
    where = environment or world.development
    inbox = world.inbox(where)
    with inside(where):
        thread = Thread.objects.in_environment(where).create(environment=where, inbox=inbox)
        blob = Blob.objects.in_environment(where).create(environment=where, sha256=provider_id.encode()[:32], size=1)
        message = Message.objects.in_environment(where).create(
            environment=where, inbox=inbox, thread=thread, raw=blob, direction="outbound", status="sent", size=1,
            from_email=inbox.email, to_addresses=[{"email": BOB, "name": ""}],
        )  # fmt: skip
        hand_over = HandOver.objects.in_environment(where).create(
            environment=where, inbox=inbox, message=message, envelope_recipient=to, state="sent",
            provider_id=provider_id, finished_at=clock.now(),
        )  # fmt: skip
        MessageRecipient.objects.in_environment(where).create(
            environment=where, message=message, kind="to", email=BOB, status="sent", hand_over=hand_over
        )
    return message


def post(token: str, body: Any, **options: Any) -> HttpResponse:
    client = Client(raise_request_exception=False)
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    options.setdefault("content_type", "application/json")
    return client.post(f"/api/v1/provider-webhooks/{token}", content, **options)


def status_of(world: World, message: Message, environment: Environment | None = None) -> str:
    [row] = [row for row in world.rows(Message, environment) if row.pk == message.pk]
    return str(row.status)


def events_of(world: World) -> list[Event]:
    return [event for event in world.rows(Event) if event.type.startswith("message.")]


MAILGUN_KEY = "mailgun-signing"


def _mailgun(event: str, **more: Any) -> Any:
    signed = hmac.new(MAILGUN_KEY.encode(), b"1700000000tok", hashlib.sha256).hexdigest()
    data = {"event": event, "recipient": BOB, "timestamp": 1.0, "id": "1",
            "message": {"headers": {"message-id": "id-1@acme.example"}}, **more}  # fmt: skip
    return {"signature": {"timestamp": "1700000000", "token": "tok", "signature": signed}, "event-data": data}


POSTMARK = {"MessageID": "id-1", "Recipient": BOB, "Email": BOB}
TELLING = [  # provider, its configuration, what it calls the mail, its webhook, the status, the bounce's type
    ("postmark", {"server_token": "x"}, "id-1", {**POSTMARK, "RecordType": "Delivery"}, "delivered", None),
    ("postmark", {"server_token": "x"}, "id-1",
     {**POSTMARK, "RecordType": "Bounce", "Type": "HardBounce", "Details": "550 nobody"}, "bounced", "hard"),
    ("postmark", {"server_token": "x"}, "id-1",
     {**POSTMARK, "RecordType": "Bounce", "Type": "SoftBounce"}, "bounced", "soft"),
    ("postmark", {"server_token": "x"}, "id-1",
     {**POSTMARK, "RecordType": "SpamComplaint", "Type": "SpamComplaint"}, "complained", None),
    ("postmark", {"server_token": "x"}, "id-1",
     {**POSTMARK, "RecordType": "Bounce", "Type": "Transient"}, "sent", None),
    ("sendgrid", {"api_key": "x"}, "id-1",
     [{"event": "delivered", "email": BOB, "anymail_id": "id-1", "timestamp": 1}], "delivered", None),
    ("sendgrid", {"api_key": "x"}, "id-1",
     [{"event": "bounce", "type": "bounce", "email": BOB, "anymail_id": "id-1", "timestamp": 1, "status": "5.1.1"}],
     "bounced", "hard"),
    ("sendgrid", {"api_key": "x"}, "id-1",
     [{"event": "spamreport", "email": BOB, "anymail_id": "id-1", "timestamp": 1}], "complained", None),
    ("mailgun", {"api_key": "x", "webhook_signing_key": MAILGUN_KEY}, "<id-1@acme.example>",
     _mailgun("delivered"), "delivered", None),
    ("mailgun", {"api_key": "x", "webhook_signing_key": MAILGUN_KEY}, "<id-1@acme.example>",
     _mailgun("failed", severity="permanent", reason="bounce", **{"delivery-status": {"code": 550}}),
     "bounced", "hard"),
    ("resend", {"api_key": "x"}, "id-1",
     {"type": "email.delivered", "created_at": "2026-01-01T00:00:00Z",
      "data": {"email_id": "id-1", "to": [BOB]}}, "delivered", None),
    ("resend", {"api_key": "x"}, "id-1",
     {"type": "email.bounced", "created_at": "2026-01-01T00:00:00Z",
      "data": {"email_id": "id-1", "to": [BOB], "bounce": {"message": "a hard bounce message", "type": "Permanent"}}},
     "bounced", "hard"),
    ("brevo", {"api_key": "x"}, "<id-1@relay>",
     {"event": "delivered", "email": BOB, "message-id": "<id-1@relay>", "ts_event": 1, "id": 1}, "delivered", None),
    ("brevo", {"api_key": "x"}, "<id-1@relay>",
     {"event": "soft_bounce", "email": BOB, "message-id": "<id-1@relay>", "ts_event": 1, "id": 1, "reason": "full"},
     "bounced", "soft"),
    ("brevo", {"api_key": "x"}, "<id-1@relay>",
     {"event": "spam", "email": BOB, "message-id": "<id-1@relay>", "ts_event": 1, "id": 1}, "complained", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "config", "provider_id", "body", "status", "bounce_type"), TELLING,
    ids=[f"{row[0]} {row[4]} {row[5] or ''}" for row in TELLING],
)  # fmt: skip
def test_what_a_provider_tells_becomes_the_status_and_an_event_once(
    acme: World, kind: str, config: dict[str, Any], provider_id: str, body: Any, status: str, bounce_type: str | None
) -> None:
    token, message = token_of(acme, kind, config), sent(acme, provider_id)
    answer = post(token, body)
    assert answer.status_code == 200, answer.content
    assert status_of(acme, message) == status
    told = [(event.type, event.data.get("bounce_type")) for event in events_of(acme)]
    assert told == ([(f"message.{status}", bounce_type)] if status != "sent" else [])
    before = len(acme.rows(Step)), len(events_of(acme))
    assert post(token, body).status_code == 200
    assert (len(acme.rows(Step)), len(events_of(acme))) == before == (1, len(told))


def test_a_redirected_mail_is_told_of_under_its_own_recipient(acme: World) -> None:
    token, message = token_of(acme, "postmark", {"server_token": "x"}), sent(acme, "id-1", to="us@acme.example")
    body = {**POSTMARK, "RecordType": "Delivery", "Recipient": "us@acme.example", "Email": "us@acme.example"}
    post(token, body)
    assert (status_of(acme, message), acme.rows(MessageRecipient)[0].status) == ("delivered", "delivered")


def test_nothing_is_told_of_another_environments_mail(acme: World) -> None:
    token, message = token_of(acme, "postmark", {"server_token": "x"}), sent(acme, "id-1", environment=acme.production)
    assert post(token, {**POSTMARK, "RecordType": "Delivery"}).status_code == 200
    assert status_of(acme, message, acme.production) == "sent"


def test_a_wrong_token_is_answered_like_anything_that_is_not_there(acme: World) -> None:
    old = token_of(acme, "postmark", {"server_token": "x"})
    with inside(acme.development):
        new = transports.rotate_token(acme.development, actor=PERSON)
    bodies = [post(token, {**POSTMARK, "RecordType": "Delivery"}) for token in (old, "none", "\ufffd%00")]
    assert [answer.status_code for answer in bodies] == [404, 404, 404]
    assert post(new, {**POSTMARK, "RecordType": "Delivery"}).status_code == 200


def test_a_forged_webhook_is_refused(acme: World) -> None:
    token, message = token_of(acme, "mailgun", {"api_key": "x", "webhook_signing_key": "other"}), sent(acme, "id-1")
    assert post(token, _mailgun("delivered")).status_code == 403
    assert status_of(acme, message) == "sent"


def test_resends_signature_is_verified(acme: World) -> None:
    from datetime import UTC, datetime

    from standardwebhooks.webhooks import Webhook

    secret = "whsec_" + base64.b64encode(b"0" * 24).decode()
    token, message = token_of(acme, "resend", {"api_key": "x", "signing_secret": secret}), sent(acme, "id-1")
    body = orjson.dumps({"type": "email.delivered", "data": {"email_id": "id-1", "to": [BOB]}})
    assert post(token, body).status_code == 403
    now = datetime.now(tz=UTC)
    signed = {"svix-id": "1", "svix-timestamp": str(int(now.timestamp())),
              "svix-signature": Webhook(secret).sign("1", now, body.decode())}  # fmt: skip
    assert post(token, body, headers=signed).status_code == 200
    assert status_of(acme, message) == "delivered"


NONSENSE = [b"", b"{", b"[]", b"1", b'"x"', b"null", b"[" * 5000, b'{"RecordType": "Bounce"}', b"\xff\xfe",
            b'{"RecordType": "Delivery", "MessageID": "\\u0000", "Recipient": "\\ud800"}',
            b'{"RecordType": "Delivery", "MessageID": {}, "Recipient": []}', b'{"FromFull": 1}']  # fmt: skip


@pytest.mark.parametrize("kind", ["postmark", "sendgrid", "brevo", "resend", "mailgun", "sparkpost", "mailjet"])
def test_nonsense_is_never_a_fault_of_ours(acme: World, kind: str) -> None:
    config = {"postmark": {"server_token": "x"}, "mailjet": {"api_key": "x", "secret_key": "y"}}
    token = token_of(acme, kind, config.get(kind, {"api_key": "x"}))
    kinds = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b")
    answers = {
        (body[:50], content_type): post(token, body, content_type=content_type).status_code
        for body in NONSENSE
        for content_type in kinds
    }
    assert {each for each in answers.items() if each[1] >= 500} == set()


DATED: dict[str, str] = {  # what each provider posts, with a number for its date
    "amazon_ses": '{{"Type": "Notification", "MessageId": "m", "Timestamp": {0}, '
    '"Message": "{{\\"eventType\\": \\"Send\\"}}"}}',
    "brevo": '{{"event": "delivered", "email": "b@c.d", "message-id": "x", "ts_epoch": {0}}}',
    "mailersend": '{{"type": "activity.delivered", "created_at": {0}, '
    '"data": {{"type": "delivered", "created_at": {0}}}}}',
    "mailgun": '{{"signature": {{"timestamp": {0}, "token": "t", "signature": "{1}"}}, '
    '"event-data": {{"event": "delivered", "timestamp": {0}}}}}',
    "mailjet": '{{"event": "sent", "time": {0}, "MessageID": {0}, "email": "b@c.d"}}',
    "mandrill": '[{{"event": "send", "ts": {0}, "_id": {0}, "msg": {{"ts": {0}}}}}]',
    "postmark": '{{"RecordType": "Delivery", "MessageID": {0}, "DeliveredAt": {0}, "Recipient": "b@c.d"}}',
    "resend": '{{"type": "email.delivered", "created_at": {0}, "data": {{"email_id": {0}, "to": ["b@c.d"]}}}}',
    "sendgrid": '[{{"event": "delivered", "email": "b@c.d", "anymail_id": "x", "timestamp": {0}}}]',
    "sparkpost": '[{{"msys": {{"message_event": {{"type": "delivery", "rcpt_to": "b@c.d", "timestamp": {0}}}}}}}]',
}
WRITTEN_DATE, WRITES_DATES = '"2026-01-01T00:00:00Z"', {"amazon_ses", "mailersend", "postmark", "resend"}
FAR = ["1e400", "-1e400", "NaN", "Infinity", str(2**70), str(-(2**70)), str(2**60), str(-(2**60)), "1e300"]
SECRETS = {
    "amazon_ses": {"access_key_id": "x", "secret_access_key": "y", "region": "eu-west-1"},
    "mailersend": {"api_token": "x", "signing_secret": "s", "inbound_secret": "s"},
    "mailgun": {"api_key": "x", "webhook_signing_key": MAILGUN_KEY},
    "mailjet": {"api_key": "x", "secret_key": "y"},
    "mandrill": {"api_key": "x", "webhook_key": "s"},
    "postmark": {"server_token": "x"},
}


def _dated(kind: str, number: str) -> HttpRequest:
    """Return what a provider posts of a date, signed as it signs."""
    timestamp = str(json.loads(number)).encode()
    body = DATED[kind].format(number, hmac.new(MAILGUN_KEY.encode(), timestamp + b"t", hashlib.sha256).hexdigest())
    make: Any = partial(RequestFactory().post, "/", body, "application/json")
    if kind == "mailersend":
        return make(headers={"Signature": hmac.new(b"s", body.encode(), hashlib.sha256).hexdigest()})
    if kind == "amazon_ses":
        return make(headers={"x-amz-sns-message-type": "Notification", "x-amz-sns-message-id": "m"})
    if kind == "mandrill":
        signed = hmac.new(b"s", f"{URL}mandrill_events{body}".encode(), hashlib.sha1).digest()
        fields, headers = {"mandrill_events": body}, {"X-Mandrill-Signature": base64.b64encode(signed).decode()}
        return RequestFactory().post("/", fields, headers=headers)
    return make()


@pytest.mark.parametrize("kind", DATED)
def test_a_date_that_no_calendar_holds_is_no_fault_of_ours(kind: str) -> None:
    """Whatever else than Unreadable comes out of ``told_by`` here would be a 500."""
    config = config_of(kind, SECRETS.get(kind, {"api_key": "x"}), "env_1")
    good = WRITTEN_DATE if kind in WRITES_DATES else "1700000000"
    told_by(config, _dated(kind, good), URL)  # so that it is the date alone that makes the difference
    for number in FAR:
        with suppress(Unreadable):
            told_by(config, _dated(kind, number), URL)


def test_a_blank_id_speaks_of_no_mail(acme: World) -> None:
    token, message = token_of(acme, "postmark", {"server_token": "x"}), sent(acme, "")
    for blank in ("", " ", "\t", "\u200b", " \n "):
        assert post(token, {**POSTMARK, "MessageID": blank, "RecordType": "Delivery"}).status_code == 200
    assert status_of(acme, message) == "sent"
    assert record_reports(acme.development, [Report("delivered", "", BOB, "")]) == 0
    assert status_of(acme, message) == "sent"


UNSUBSCRIBED = [{"event": "unsubscribe", "email": BOB, "anymail_id": "id-1", "timestamp": 1}]


def test_who_unsubscribes_at_the_provider_is_written_to_no_more(acme: World) -> None:
    token, message = token_of(acme, "sendgrid", {"api_key": "x"}), sent(acme, "id-1")
    for _ in range(2):
        assert post(token, [*UNSUBSCRIBED, {**UNSUBSCRIBED[0], "anymail_id": "other"}]).status_code == 200
    [found] = acme.rows(Suppression)
    assert (found.email, found.reason, found.source) == (BOB, "unsubscribed", message.pk)
    assert status_of(acme, message) == "sent"


def test_who_unsubscribes_from_a_redirected_mail_is_not_its_recipient(acme: World) -> None:
    token, _ = token_of(acme, "sendgrid", {"api_key": "x"}), sent(acme, "id-1", to="us@acme.example")
    assert post(token, [{**UNSUBSCRIBED[0], "email": "us@acme.example"}]).status_code == 200
    assert (acme.rows(Suppression), len(acme.rows(Step))) == ([], 1)


def test_a_provider_that_is_faster_than_the_sender_is_asked_to_tell_it_again(acme: World) -> None:
    token, message = token_of(acme, "postmark", {"server_token": "x"}), sent(acme, "")
    acme.go_live(acme.development)
    delivery = {**POSTMARK, "RecordType": "Delivery"}
    assert post(token, delivery).status_code == 200  # nothing is being sent: this is somebody else's mail
    _change(acme, state="sending", next_attempt_at=clock.now())
    early = post(token, delivery)
    assert (early.status_code, early["Retry-After"], status_of(acme, message)) == (503, "5", "sent")
    _change(acme, state="sent", next_attempt_at=None, provider_id="id-1")
    assert post(token, delivery).status_code == 200
    assert status_of(acme, message) == "delivered"


def _change(world: World, **fields: Any) -> None:
    with inside(world.development):
        HandOver.objects.in_environment(world.development).update(**fields)


RAW = (
    b"From: Bob <bob@example.com>\r\nTo: %b\r\nSubject: Hello\r\nMessage-ID: <in-1@example.com>\r\n"
    b"Date: Mon, 02 Mar 2026 10:00:00 +0000\r\n\r\nGood morning\r\n"
)


def _arrives(kind: str, address: str) -> tuple[dict[str, Any], Any, dict[str, Any]]:
    """Return a provider's configuration, and a webhook by which a mail for this address comes in."""
    raw = (RAW % address.encode()).decode()
    if kind == "postmark":
        body = {
            "FromFull": {"Email": BOB, "Name": "Bob"}, "ToFull": [{"Email": address, "Name": ""}],
            "OriginalRecipient": address, "Subject": "Hello", "TextBody": "Good morning",
            "Date": "Mon, 02 Mar 2026 10:00:00 +0000",
            "Headers": [{"Name": "Message-ID", "Value": "<in-1@example.com>"}],
            "Attachments": [{"Name": "a.txt", "Content": "YQ==", "ContentType": "text/plain", "ContentLength": 1}],
        }  # fmt: skip
        return {"server_token": "x"}, orjson.dumps(body), {}
    if kind == "sparkpost":
        content = {"email_rfc822": raw, "email_rfc822_is_base64": False}
        told = {"relay_message": {"protocol": "smtp", "content": content, "rcpt_to": address, "msg_from": BOB}}
        return {"api_key": "x"}, orjson.dumps([{"msys": told}]), {}
    envelope = orjson.dumps({"to": [address], "from": BOB}).decode()
    fields = {"email": raw, "envelope": envelope}
    form = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    )
    return {"api_key": "x"}, f"{form}--b--\r\n".encode(), {"content_type": "multipart/form-data; boundary=b"}


@pytest.mark.parametrize("kind", ["postmark", "sparkpost", "sendgrid"])
def test_mail_that_a_provider_took_in_arrives_once_and_in_its_environment_only(acme: World, kind: str) -> None:
    ours, theirs = acme.inbox(), acme.inbox(acme.production)
    config, body, options = _arrives(kind, ours.email)
    token = token_of(acme, kind, config)
    for _ in range(2):
        assert post(token, body, **options).status_code == 200
    [message] = acme.rows(Message)
    assert (message.inbox_id, message.subject, message.message_id_header) == (ours.pk, "Hello", "<in-1@example.com>")
    _, foreign, _ = _arrives(kind, theirs.email)
    _, unknown, _ = _arrives(kind, "nobody@nowhere.example")
    answers = [post(token, each, **options) for each in (foreign, unknown)]
    assert [(each.status_code, each.content) for each in answers] == [(200, b"{}")] * 2
    assert acme.rows(Message, acme.production) == []


def test_a_paused_environment_lets_the_provider_try_again(acme: World) -> None:
    inbox = acme.inbox()
    config, body, options = _arrives("postmark", inbox.email)
    token = token_of(acme, "postmark", config)
    acme.api().patch("/environments/development", {"inbound_paused": True})
    assert post(token, body, **options).status_code == 503
