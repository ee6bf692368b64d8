"""What becomes of a mail at an SMTP relay, whatever the relay does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import pytest

from mail.transports import Parcel, Result
from mail.transports.relay import SmtpRelay
from mail.transports.session import Manner, Patience, Security
from mail.transports.targets import Reach
from tests.mail.sink import DROP, GARBAGE, HANG, Sink, Slow, authority, running_sink

HERE = Reach.of(["127.0.0.0/8", "::1/128"])
QUICK = Patience(connect=2, command=1, data=1, overall=5)


def relay(sink: Sink, security: Security = Security.OPPORTUNISTIC, reach: Reach = HERE, **manner: Any) -> SmtpRelay:
    manner.setdefault("patience", QUICK)
    return SmtpRelay(sink.host, sink.port, Manner("agentpost.example", security, **manner), reach)


def parcel(*recipients: str, raw: bytes | None = None, sender: str = "b-1@acme.example", number: int = 1) -> Parcel:
    raw = raw or f"From: a@acme.example\r\nMessage-ID: <{number}@acme.example>\r\n\r\nHello\r\n.\r\n".encode()
    return Parcel(raw, sender, recipients or ("bob@example.com",), "env_1", f"<{number}@acme.example>")


async def yes() -> bool:
    return True


async def no() -> bool:
    return False


def yes_at_first(times: int) -> Any:
    """Return a question that is answered with yes so often, and then with no."""
    answers = iter([True] * times)

    async def ask() -> bool:
        return next(answers, False)

    return ask


def handed_over(carrier: Any, *parcels: Parcel, may_leave: Any = yes) -> list[Mapping[str, Result]]:
    async def act() -> list[Mapping[str, Result]]:
        try:
            return [await carrier.hand_over(one, may_leave) for one in parcels or [parcel()]]
        finally:
            await carrier.close()

    return asyncio.run(act())


def result_of(carrier: Any, one: Parcel | None = None, may_leave: Any = yes) -> Result:
    [found] = handed_over(carrier, *([one] if one else []), may_leave=may_leave)
    [result] = set(found.values())
    return result


MISBEHAVIOUR = [  # what the relay does, and where; how that ends; in whose words; how many mails it took
    ("as usual", None, None, "accepted", "Taken", 1),
    ("refuses the sender", "mail", "550 5.7.1 Not you", "refused", "Not you", 0),
    ("wants a login first", "mail", "530 5.7.0 Sign in", "deferred", "Sign in", 0),
    ("refuses the recipient", "rcpt", "550 5.1.1 Nobody", "refused", "Nobody", 0),
    ("has no time for the recipient", "rcpt", "450 4.2.0 Greylisted", "deferred", "Greylisted", 0),
    ("refuses DATA", "data", "554 5.7.1 No", "refused", "No", 0),
    ("refuses the mail", "end", "554 5.7.1 Spam", "refused", "Spam", 0),
    ("is full", "end", "452 4.3.1 Full", "deferred", "Full", 0),
    ("shuts down", "mail", "421 4.3.2 Bye", "deferred", "Bye", 0),
    ("greets with a refusal", "banner", "554 5.7.1 Not you", "deferred", "Not you", 0),
    ("hangs up on us", "banner", DROP, "deferred", "did not greet", 0),
    ("hangs up after EHLO", "ehlo", DROP, "deferred", "did not greet", 0),
    ("hangs up at the recipient", "rcpt", DROP, "deferred", "broke off", 0),
    ("hangs up at DATA", "data", DROP, "deferred", "broke off", 0),
    ("hangs up after the mail", "end", DROP, "deferred", "not known whether the mail was taken", 1),
    ("says nothing any more", "end", HANG, "deferred", "not known whether the mail was taken", 1),
    ("never answers", "mail", HANG, "deferred", "broke off", 0),
    ("talks nonsense", "rcpt", GARBAGE, "deferred", "broke off", 0),
    ("talks nonsense after the mail", "end", GARBAGE, "deferred", "not known whether the mail was taken", 1),
    ("is slow", "mail", Slow(0.2), "accepted", "Taken", 1),
]


@pytest.mark.parametrize(("stage", "action", "ending", "words", "took"), [row[1:] for row in MISBEHAVIOUR],
                         ids=[row[0] for row in MISBEHAVIOUR])  # fmt: skip
def test_what_a_relay_does_decides_what_becomes_of_the_mail(
    stage: str | None, action: Any, ending: str, words: str, took: int
) -> None:
    with running_sink() as sink:
        if stage:
            sink.always(stage, action)
        found = result_of(relay(sink))
    assert (found.ending, words in found.reply, len(sink.taken)) == (ending, True, took), found


LONG_REPLIES = [  # continuation lines before the last one; how the mail ends
    (["x" * 70] * 40, "accepted"),
    ([""] * 200, "deferred"),
    (["x" * 500] * 20, "deferred"),
]


@pytest.mark.parametrize("stage", ["banner", "ehlo", "mail", "end"])
@pytest.mark.parametrize(("lines", "ending"), LONG_REPLIES)
def test_a_reply_that_does_not_end_is_broken_off(stage: str, lines: list[str], ending: str) -> None:
    code = "220" if stage == "banner" else "250"
    with running_sink() as sink:
        sink.always(stage, "\r\n".join([*(f"{code}-{line}" for line in lines), f"{code} Taken"]))
        found = result_of(relay(sink))
    assert (found.ending, "reply was too long" in found.reply) == (ending, ending == "deferred"), found


def test_a_size_in_foreign_digits_is_none() -> None:
    with running_sink(extensions=("SIZE ²",)) as sink:
        assert result_of(relay(sink)).ending == "accepted"


def test_a_result_tells_codes_and_host() -> None:
    with running_sink() as sink:
        sink.always("rcpt", "550 5.1.1 Nobody")
        found = result_of(relay(sink))
    assert (found.code, found.enhanced_code, found.host) == (550, "5.1.1", "127.0.0.1")


def test_each_recipient_has_an_answer_of_its_own() -> None:
    with running_sink() as sink:
        sink.always("rcpt bob@example.com", "550 5.1.1 Nobody")
        sink.always("rcpt eve@example.com", "451 4.3.0 Later")
        [found] = handed_over(relay(sink), parcel("ada@example.com", "bob@example.com", "eve@example.com"))
    endings = {email: str(result.ending) for email, result in found.items()}
    assert endings == {"ada@example.com": "accepted", "bob@example.com": "refused", "eve@example.com": "deferred"}
    assert sink.taken[0].recipients == ["ada@example.com"]


def test_what_may_not_leave_any_more_leaves_not_a_byte() -> None:
    with running_sink() as sink:
        found = handed_over(relay(sink), parcel(), may_leave=no)
    assert (str(found[0]["bob@example.com"].ending), sink.taken) == ("withheld", [])
    assert "DATA" not in sink.heard


def test_what_may_not_leave_any_more_after_354_is_broken_off_without_a_byte() -> None:
    with running_sink() as sink:
        carrier = relay(sink)
        [found] = handed_over(carrier, parcel(), may_leave=yes_at_first(1))
    assert (str(found["bob@example.com"].ending), sink.taken, sink.heard[-1]) == ("withheld", [], "DATA")


def test_nobody_is_asked_whether_a_mail_may_leave_that_no_recipient_takes() -> None:
    async def unasked() -> bool:
        raise AssertionError

    with running_sink() as sink:
        sink.always("rcpt", "550 5.1.1 Nobody")
        assert result_of(relay(sink), may_leave=unasked).ending == "refused"


def test_a_failing_question_keeps_the_mail_here() -> None:
    async def broken() -> bool:
        raise RuntimeError

    with running_sink() as sink:
        assert (result_of(relay(sink), may_leave=broken).ending, sink.taken) == ("deferred", [])


def test_a_connection_is_kept_for_the_next_mail_and_begun_anew_with_rset() -> None:
    with running_sink() as sink:
        handed_over(relay(sink), *(parcel(number=number) for number in range(3)))
    assert (sink.connections, len(sink.taken), sink.heard.count("RSET")) == (1, 3, 2)


def test_a_kept_connection_that_went_away_is_replaced() -> None:
    with running_sink() as sink:
        sink.always("rset", DROP)
        found = handed_over(relay(sink), *(parcel(number=number) for number in range(3)))
    assert (sink.connections, [str(one["bob@example.com"].ending) for one in found]) == (3, ["accepted"] * 3)


def test_after_a_refusal_the_connection_serves_the_next_mail() -> None:
    with running_sink() as sink:
        sink.once("rcpt", "550 5.1.1 Nobody")
        found = handed_over(relay(sink), parcel(), parcel(number=2))
    assert ([str(one["bob@example.com"].ending) for one in found], sink.connections) == (["refused", "accepted"], 1)


def test_mails_go_over_several_connections_at_once() -> None:
    async def act(carrier: SmtpRelay) -> None:
        await asyncio.gather(*(carrier.hand_over(parcel(number=number), yes) for number in range(20)))
        await carrier.close()

    with running_sink() as sink:
        sink.always("end", Slow(0.1))
        asyncio.run(act(relay(sink)))
    assert (len(sink.taken), sink.most_at_once) == (20, 8)


def test_an_attempt_ends_in_time() -> None:
    began = time.monotonic()
    with running_sink() as sink:
        sink.always("mail", Slow(0.4))
        sink.always("rcpt", Slow(0.4))
        found = result_of(relay(sink, patience=Patience(connect=1, command=1, data=1, overall=0.6)))
    assert (found.ending, time.monotonic() - began < 2) == ("deferred", True)
    assert "longer than 0.6 seconds" in found.reply


ENCRYPTION = [  # what the relay offers, what is demanded, how it ends, and whether it was encrypted
    ("", "opportunistic", "accepted", False),
    ("valid", "opportunistic", "accepted", True),
    ("self_signed", "opportunistic", "accepted", True),
    ("valid", "none", "accepted", False),
    ("valid", "starttls", "accepted", True),
    ("", "starttls", "deferred", False),
    ("self_signed", "starttls", "deferred", False),
    ("expired", "starttls", "deferred", False),
    ("wrong_name", "starttls", "deferred", False),
]


@pytest.fixture
def trusted(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    authority().cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))


@pytest.mark.parametrize(("offered", "demanded", "ending", "encrypted"), ENCRYPTION)
def test_what_is_demanded_of_tls_is_held(
    trusted: None, offered: str, demanded: str, ending: str, encrypted: bool
) -> None:
    with running_sink(tls=offered) as sink:
        found = result_of(relay(sink, Security(demanded)))
    assert (found.ending, bool(found.tls)) == (ending, encrypted), found
    assert [bool(mail.tls) for mail in sink.taken] == ([encrypted] if ending == "accepted" else [])


@pytest.mark.parametrize(("certificate", "ending"), [("valid", "accepted"), ("self_signed", "deferred")])
def test_tls_from_the_first_byte_checks_the_certificate(trusted: None, certificate: str, ending: str) -> None:
    with running_sink(tls=certificate, implicit_tls=True) as sink:
        assert result_of(relay(sink, Security.TLS)).ending == ending


def test_a_relay_that_fails_at_tls_gets_nothing_in_the_clear() -> None:
    with running_sink(tls="valid") as sink:
        sink.always("starttls", GARBAGE)
        assert (result_of(relay(sink)).ending, sink.taken) == ("deferred", [])


@pytest.mark.parametrize(("password", "ending"), [("right", "accepted"), ("wrong", "deferred")])
def test_a_relay_may_want_to_know_who_we_are(trusted: None, password: str, ending: str) -> None:
    with running_sink(tls="valid", users={"acme": "right"}) as sink:
        found = result_of(relay(sink, Security.STARTTLS, user="acme", password=password))
    assert (found.ending, [mail.user for mail in sink.taken]) == (ending, ["acme"] if ending == "accepted" else [])


def test_what_only_some_servers_take_says_so_in_mail_from() -> None:
    raw = "Subject: Grüße\r\nMessage-ID: <1@acme.example>\r\n\r\nSchöne Grüße\r\n".encode()
    with running_sink() as sink:
        result_of(relay(sink), parcel("jürgen@bücher.example", raw=raw))
    assert set(sink.taken[0].parameters.split()) == {f"SIZE={len(raw)}", "BODY=8BITMIME", "SMTPUTF8"}
    assert sink.taken[0].recipients == ["jürgen@xn--bcher-kva.example"]


@pytest.mark.parametrize(
    ("extensions", "raw", "recipient", "code"),
    [
        (("SIZE 50",), b"Subject: Long\r\n\r\n" + b"x" * 99, "bob@example.com", "5.3.4"),
        ((), "Subject: Hi\r\n\r\nGrüße".encode(), "bob@example.com", "5.6.3"),
        ((), b"Subject: Hi\r\n\r\nHi", "jürgen@example.com", "5.6.7"),
    ],
)
def test_what_the_server_cannot_take_is_refused_before_it_is_tried(
    extensions: tuple[str, ...], raw: bytes, recipient: str, code: str
) -> None:
    with running_sink(extensions=extensions) as sink:
        found = result_of(relay(sink), parcel(recipient, raw=raw))
    assert (found.ending, found.enhanced_code, sink.taken) == ("refused", code, [])


@pytest.mark.parametrize("recipient", ["bob", "bob@", "bob@example.com>\r\nRCPT TO:<eve@example.com", "a b@c.example"])
def test_what_is_no_address_never_comes_into_an_envelope(recipient: str) -> None:
    with running_sink() as sink:
        found = result_of(relay(sink), parcel(recipient))
    assert (found.ending, found.enhanced_code, sink.connections) == ("refused", "5.1.3", 0)


ORDERS = ["X-SMTPAPI", "X-MSYS-API", "Bcc", "X-MC-BccAddress", "resent-bcc", "Resent-To", "Resent-Cc", "Apparently-To",
          "X-Sib-Sandbox", "X-MailerSend-Tags"]  # fmt: skip


@pytest.mark.parametrize("header", ORDERS)
def test_a_mail_that_gives_orders_to_the_relay_does_not_leave(header: str) -> None:
    raw = f"Subject: Hi\r\n{header}: eve@example.com\r\n\r\nHi\r\n".encode()
    with running_sink() as sink:
        found = result_of(relay(sink), parcel(raw=raw))
    assert (found.ending, found.enhanced_code, sink.connections) == ("refused", "5.6.0", 0)


@pytest.mark.parametrize(
    "raw", [b"A: b\r\n\r\n.\r\nQUIT\r\n", b"A: b\n\n\n.\nMAIL FROM:<x@y.z>\r\n", b"A: b\r\n\r\n\r.\r"]
)
def test_no_dot_in_a_mail_ends_it_early(raw: bytes) -> None:
    with running_sink() as sink:
        handed_over(relay(sink), parcel(raw=raw), parcel(number=2))
    assert len(sink.taken) == 2
    assert sink.taken[0].raw.split() == raw.split()


def test_a_private_relay_is_not_connected_to() -> None:
    with running_sink() as sink:
        found = result_of(relay(sink, reach=Reach()))
    assert (found.ending, sink.connections) == ("deferred", 0)
    assert "no address that may be connected to" in found.reply


def test_a_relay_that_is_not_there_is_tried_again_later() -> None:
    with running_sink() as sink:
        pass
    assert result_of(relay(sink)).ending == "deferred"
