"""What every provider must do: the same table for each, against an HTTP server that speaks its API."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from mail.transports import Parcel
from mail.transports.configs import KINDS, checked, config_of
from mail.transports.providers import PROVIDERS, ProviderCarrier
from mail.transports.targets import ForeignUrl, Reach
from tests.mail.smtpd import free_port
from tests.mail.transports.provider_apis import APIS, Api, Told, _json
from tests.mail.transports.test_smtp_relay import HERE, handed_over, no

RAW = """From: =?utf-8?q?J=C3=BCrgen?= <agent@acme.example>\r
To: "Bob, the first" <bob@example.com>, Eve <eve@example.com>\r
Cc: Carol <carol@example.com>\r
Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r
Message-ID: <1@acme.example>\r
In-Reply-To: <0@example.com>\r
References: <0@example.com>\r
Date: Mon, 02 Mar 2026 10:00:00 +0000\r
DKIM-Signature: v=1; a=rsa-sha256\r
MIME-Version: 1.0\r
Content-Type: multipart/mixed; boundary=b\r
\r
--b\r
Content-Type: multipart/alternative; boundary=c\r
\r
--c\r
Content-Type: text/plain; charset=utf-8\r
Content-Transfer-Encoding: 8bit\r
\r
Schöne Grüße\r
--c\r
Content-Type: text/html; charset=utf-8\r
\r
<p>Hello <img src="cid:logo"></p>\r
--c--\r
--b\r
Content-Type: image/png; name=logo.png\r
Content-ID: <logo>\r
Content-Disposition: inline; filename=logo.png\r
Content-Transfer-Encoding: base64\r
\r
bG9nbw==\r
--b\r
Content-Type: text/csv\r
Content-Disposition: attachment; filename=list.csv\r
\r
1,2\r
--b--\r
""".encode()


def parcel(*recipients: str, raw: bytes = RAW) -> Parcel:
    return Parcel(raw, "b-1@acme.example", recipients or ("bob@example.com",), "env_1", "<1@acme.example>")


pytestmark = pytest.mark.filterwarnings("ignore::anymail.exceptions.AnymailNotSupportedWarning")


@dataclass
class Server:
    """A provider's API on loopback; ``answers`` says what it does instead of taking the mail."""

    kind: str
    http: HTTPServer
    told: list[Told] = field(default_factory=list)
    answers: Callable[[Request], Response] | None = None

    @property
    def api(self) -> Api:
        return APIS[self.kind]

    def take(self, request: Request) -> Response:
        self.told.append(self.api.read(request))
        return (self.answers or self.api.answer)(request)

    def carrier(self, reach: Reach = HERE, port: int | None = None) -> ProviderCarrier:
        given = {**self.api.config, "api_url": f"http://127.0.0.1:{port or self.http.port}/"}
        return ProviderCarrier(config_of(self.kind, checked(self.kind, given), "env_1"), reach)


@pytest.fixture(scope="module")
def http() -> Iterator[HTTPServer]:
    with HTTPServer(host="127.0.0.1", port=0, threaded=True) as server:
        yield server


@pytest.fixture(params=sorted(APIS))
def server(request: pytest.FixtureRequest, http: HTTPServer) -> Server:
    made = Server(request.param, http)
    http.clear()
    http.expect_request(re.compile(".*")).respond_with_handler(made.take)
    return made


def test_there_is_a_table_for_every_provider() -> None:
    assert set(APIS) == set(PROVIDERS) == set(KINDS) - {"smtp", "direct"}


def test_a_mail_arrives_whole_at_the_envelopes_recipients_alone(server: Server) -> None:
    [found] = handed_over(server.carrier(), parcel("bob@example.com", "carol@example.com"))
    assert {email: str(result.ending) for email, result in found.items()} == {
        "bob@example.com": "accepted",
        "carol@example.com": "accepted",
    }
    [told] = server.told
    assert (told.to, told.cc, told.bcc) == (["bob@example.com"], ["carol@example.com"], [])
    assert "agent@acme.example" in told.sender
    assert (told.subject, told.text.strip(), told.html.strip()) == (
        "Grüße", "Schöne Grüße", '<p>Hello <img src="cid:logo"></p>',
    )  # fmt: skip
    assert b"logo" in told.files.values()
    assert told.files["list.csv"].strip() == b"1,2"
    assert "sesame" in told.secret


def test_each_recipient_learns_what_the_provider_calls_the_mail(server: Server) -> None:
    [found] = handed_over(server.carrier(), parcel("bob@example.com", "carol@example.com"))
    for result in found.values():
        assert result.provider_id == (server.api.identifier or result.provider_id)
        assert result.provider_id
        assert result.host == server.kind


def test_whoever_is_not_named_in_the_mail_gets_it_nevertheless(server: Server) -> None:
    [found] = handed_over(server.carrier(), parcel("redirected@acme.example"))
    assert found["redirected@acme.example"].ending == "accepted"
    assert (server.told[0].to, server.told[0].cc) == (["redirected@acme.example"], [])


def test_what_may_not_leave_any_more_is_not_posted(server: Server) -> None:
    [found] = handed_over(server.carrier(), parcel(), may_leave=no)
    assert (found["bob@example.com"].ending, server.told) == ("withheld", [])


def test_whether_a_mail_may_leave_is_asked_when_its_turn_has_come(
    http: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mail.transports.providers.AT_ONCE", 1)
    server = Server("postmark", http)
    http.clear()
    http.expect_request(re.compile(".*")).respond_with_handler(server.take)

    async def may_leave() -> bool:
        return not server.told

    async def act() -> list[str]:
        carrier = server.carrier()
        found = await asyncio.gather(*(carrier.hand_over(parcel(), may_leave) for _ in range(3)))
        await carrier.close()
        return [str(one["bob@example.com"].ending) for one in found]

    assert (asyncio.run(act()), len(server.told)) == (["accepted", "withheld", "withheld"], 1)


def test_the_provider_hears_no_signature_of_ours_and_no_date(server: Server) -> None:
    handed_over(server.carrier(), parcel())
    assert not {"dkim-signature"} & {name.lower() for name in server.told[0].headers}


def test_a_provider_that_refuses_the_mail_refuses_it_for_good(server: Server) -> None:
    status, body = server.api.refusal
    server.answers = lambda _: _json(body, status)
    [found] = handed_over(server.carrier(), parcel())
    result = found["bob@example.com"]
    assert (result.ending, "no such recipient" in result.reply) == ("refused", True), result


@pytest.mark.parametrize("status", [401, 429, 500, 503])
def test_a_provider_that_has_no_time_or_no_trust_is_asked_again(server: Server, status: int) -> None:
    server.answers = lambda _: _json({"message": "not now", "ErrorCode": 10, "Message": "not now"}, status)
    [found] = handed_over(server.carrier(), parcel())
    assert found["bob@example.com"].ending == "deferred", found


def test_an_answer_that_nobody_understands_leaves_the_mail_in_doubt(server: Server) -> None:
    server.answers = lambda _: Response("<html>", 200)
    [found] = handed_over(server.carrier(), parcel())
    assert found["bob@example.com"].ending == ("accepted" if server.kind == "sendgrid" else "deferred")


def test_no_answer_leaves_the_mail_in_doubt(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mail.transports.providers.REQUEST_SECONDS", 0.2)
    leave = threading.Event()
    server.answers = lambda _: (leave.wait(5), Response(""))[1]
    try:
        [found] = handed_over(server.carrier(), parcel())
    finally:
        leave.set()
    result = found["bob@example.com"]
    assert (result.ending, "not known whether" in result.reply) == ("deferred", True), result


def test_a_provider_that_is_not_there_is_asked_again(server: Server) -> None:
    [found] = handed_over(server.carrier(port=free_port()), parcel())
    result = found["bob@example.com"]
    assert (result.ending, "not known whether" in result.reply) == ("deferred", False), result


@pytest.mark.parametrize("recipient", ["jürgen@example.com", '"a,eve@evil.example"@example.com', "a@b@c"])
def test_an_address_that_could_be_read_otherwise_is_not_posted(server: Server, recipient: str) -> None:
    [found] = handed_over(server.carrier(), parcel(recipient))
    assert (found[recipient].ending, server.told) == ("refused", []), found


def test_names_cannot_bring_recipients_along(server: Server) -> None:
    raw = RAW.replace(b'"Bob, the first"', b"=?utf-8?q?x=22=2C_eve=40evil=2Eexample=2C_=22?=")
    handed_over(server.carrier(), parcel(raw=raw))
    assert [told.to + told.cc + told.bcc for told in server.told] == [["bob@example.com"]]


@pytest.mark.parametrize("url", ["http://169.254.169.254/", "https://evil.example/", "http://127.0.0.1:80/"])
def test_secrets_go_nowhere_that_the_operator_has_not_permitted(url: str) -> None:
    config = config_of("postmark", checked("postmark", {"server_token": "x", "api_url": url}), "env_1")
    with pytest.raises(ForeignUrl):
        ProviderCarrier(config, Reach())
