"""What a provider is asked while its webhook is handled: answered within bounds, or told again later."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson
import pytest
from django.http import HttpRequest
from django.test import RequestFactory

from mail.transports import provider_questions
from mail.transports.configs import config_of
from mail.transports.provider_questions import AT_ONCE, MOST_ATTACHMENTS, SLOTS, Unanswered
from mail.transports.provider_webhooks import PATIENCE_OF_SES, Told, Unreadable, told_by
from tests.mail.test_provider_webhooks import BOB, SECRETS, URL, post, token_of
from tests.world import World

RAW = b"From: bob@example.com\r\nTo: us@acme.example\r\nSubject: Hello\r\n\r\nGood morning\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
Answers = dict[str, Callable[[Any], None]]


class Provider(ThreadingHTTPServer):
    """An HTTP API on loopback that answers each path as it is told to, and what else is asked for with 404."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        self.answers: Answers = {}
        self.asked: list[str] = []
        self.gone = threading.Event()
        super().__init__(("127.0.0.1", 0), Answering)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class Answering(BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.server.answers.get(self.path, lambda one: one.send_error(404))(self)

    do_POST = do_GET  # noqa: N815 - as http.server calls it

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        server.gone.set()
        server.shutdown()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider_questions, "READ_SECONDS", 0.3)
    monkeypatch.setattr(provider_questions, "OVERALL_SECONDS", 0.6)


def saying(content: bytes) -> Callable[[Any], None]:
    return lambda one: one.wfile.write(HEAD + b"Content-Length: %d\r\n\r\n%b" % (len(content), content))


def silent(one: Any) -> None:
    one.server.gone.wait(10)


def trickling(one: Any) -> None:
    """Send a byte often enough that no single read is late, for ever."""
    one.wfile.write(HEAD + b"Content-Length: 1000\r\n\r\n")
    while not one.server.gone.wait(0.05):
        one.wfile.write(b"x")


def trickling_headers(one: Any) -> None:
    one.wfile.write(HEAD)
    while not one.server.gone.wait(0.05):
        one.wfile.write(b"x")


def _posted(body: Any) -> HttpRequest:
    return RequestFactory().post("/", orjson.dumps(body), "application/json")


def resend(provider: Provider) -> Told:
    config = config_of("resend", {"api_key": "x", "api_url": provider.url}, "env_1")
    return told_by(config, _posted({"type": "email.received", "data": {"email_id": "id-1"}}), URL)


def brevo(provider: Provider, attachments: int) -> Told:
    config = config_of("brevo", {"api_key": "x", "api_url": provider.url}, "env_1")
    files = [
        {"Name": f"{number}.txt", "ContentType": "text/plain", "DownloadToken": "t"} for number in range(attachments)
    ]
    item = {"Headers": {"From": BOB, "To": "us@acme.example"}, "RawTextBody": "Hello", "Attachments": files}
    return told_by(config, _posted({"items": [item]}), URL)


def test_resend_is_asked_for_the_mail_as_it_came(provider: Provider) -> None:
    about = orjson.dumps({"raw": {"download_url": f"{provider.url}raw"}})
    provider.answers = {"/emails/receiving/id-1": saying(about), "/raw": saying(RAW)}
    [mail] = resend(provider).incoming
    assert (b"Good morning" in mail.raw, mail.recipients) == (True, ("us@acme.example",))


@pytest.mark.parametrize("answer", [silent, trickling, trickling_headers])
@pytest.mark.usefixtures("hasty")
def test_a_provider_that_does_not_answer_in_time_is_to_tell_it_again(
    provider: Provider, answer: Callable[[Any], None]
) -> None:
    provider.answers = {"/emails/receiving/id-1": answer}
    started = time.monotonic()
    with pytest.raises(Unanswered):
        resend(provider)
    assert time.monotonic() - started < 3
    assert all(SLOTS.acquire(blocking=False) for _ in range(AT_ONCE))  # both are free again
    for _ in range(AT_ONCE):
        SLOTS.release()


@pytest.mark.parametrize(
    ("status", "problem"), [(404, Unreadable), (401, Unreadable), (429, Unanswered), (500, Unanswered)]
)
def test_what_a_provider_denies_is_not_asked_for_again(
    provider: Provider, status: int, problem: type[Exception]
) -> None:
    provider.answers = {"/emails/receiving/id-1": lambda one: one.send_error(status)}
    with pytest.raises(problem):
        resend(provider)


def test_a_mail_may_have_fifty_attachments(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    provider.answers = {"/inbound/attachments/t": saying(b"a")}
    assert (
        brevo(provider, MOST_ATTACHMENTS).incoming[0].raw.count(b"Content-Disposition: attachment") == MOST_ATTACHMENTS
    )
    provider.asked.clear()
    with pytest.raises(Unreadable, match="no more than 50 attachments"):
        brevo(provider, MOST_ATTACHMENTS + 1)
    assert len(provider.asked) <= MOST_ATTACHMENTS


def test_amazon_is_not_waited_for_for_ever(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PATIENCE_OF_SES, "read_timeout", 0.3)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SNS", provider.url)
    provider.answers = {"/": silent}
    body = {"Type": "SubscriptionConfirmation", "MessageId": "m", "TopicArn": "arn:aws:sns:eu-west-1:1:t", "Token": "t"}
    signed = {"x-amz-sns-message-type": "SubscriptionConfirmation", "x-amz-sns-message-id": "m"}
    config = config_of("amazon_ses", SECRETS["amazon_ses"], "env_1")
    started = time.monotonic()
    with pytest.raises(Unanswered):
        told_by(config, RequestFactory().post("/", orjson.dumps(body), "application/json", headers=signed), URL)
    assert (provider.asked, time.monotonic() - started < 5) == (["/"], True)


@pytest.mark.usefixtures("object_store")
def test_no_more_than_two_webhooks_ask_at_once(acme: World) -> None:
    token = token_of(acme, "brevo", {"api_key": "x"})
    mail = {"Headers": {"From": BOB, "To": "us@acme.example"}, "RawTextBody": "Hello"}
    delivery = {"event": "delivered", "email": BOB, "message-id": "<x@y>", "ts_epoch": 1}
    assert [SLOTS.acquire(blocking=False) for _ in range(AT_ONCE + 1)] == [True, True, False]
    try:
        busy = post(token, {"items": [mail]})
        assert (busy.status_code, busy["Retry-After"]) == (503, "30")
        assert post(token, delivery).status_code == 200  # which asks for nothing
    finally:
        for _ in range(AT_ONCE):
            SLOTS.release()
    assert post(token, {"items": [mail]}).status_code == 200
