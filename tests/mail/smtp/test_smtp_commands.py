"""What the arguments of MAIL and RCPT mean."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mail.intake import Refused
from mail.smtp.commands import Sender, parse_mail, parse_rcpt

SENDERS = [
    ("FROM:<>", Sender("", 0, smtputf8=False)),
    ("from: <a@b.example>", Sender("a@b.example", 0, smtputf8=False)),
    ("FROM:a@b.example", Sender("a@b.example", 0, smtputf8=False)),
    ("FROM:<A@B.Example> SIZE=17 BODY=8bitmime", Sender("A@b.example", 17, smtputf8=False)),
    ("FROM:<ä@b.example> smtputf8", Sender("ä@b.example", 0, smtputf8=True)),
    ("FROM:<@relay.example,@b.example:a@c.example>", Sender("a@c.example", 0, smtputf8=False)),
    ('FROM:<"a b\\"@c"@d.example>', Sender('"a b\\"@c"@d.example', 0, smtputf8=False)),
    ("FROM:<a.b..c.@docomo.example>", Sender("a.b..c.@docomo.example", 0, smtputf8=False)),
    ("FROM:<a@[IPv6:2001:db8::1]>", Sender("a@[ipv6:2001:db8::1]", 0, smtputf8=False)),
    ("FROM:<" + "a" * 300 + "@b.example>", Sender("a" * 300 + "@b.example", 0, smtputf8=False)),
]


@pytest.mark.parametrize(("argument", "sender"), SENDERS)
def test_a_sender_is_read(argument: str, sender: Sender) -> None:
    assert parse_mail(argument, extended=True) == sender


REFUSED_SENDERS = [
    ("", "501 5.5.4"),
    ("<a@b.example>", "501 5.5.4"),
    ("FROM:", "501 5.1.7"),
    ("FROM:<a>", "501 5.1.7"),
    ("FROM:<a@>", "501 5.1.7"),
    ("FROM:<a@b@c.example>", "501 5.1.7"),
    ("FROM:<a@b.example>x", "501 5.1.7"),
    ("FROM:<a b@c.example>", "501 5.1.7"),
    ("FROM:<a@b..example>", "501 5.1.7"),
    ("FROM:<a\n@b.example>", "501 5.1.7"),
    ("FROM:<a@b.example> SMTPUTF8\n", "501 5.1.7"),
    ("FROM:<\udcff@b.example> SMTPUTF8", "501 5.1.7"),
    ("FROM:<ä@b.example>", "553 5.6.7"),
    ("FROM:<a@b.example> SIZE", "501 5.5.4"),
    ("FROM:<a@b.example> SIZE=-1", "501 5.5.4"),
    ("FROM:<a@b.example> SIZE=²", "501 5.5.4"),
    ("FROM:<a@b.example> SIZE=1 SIZE=1", "501 5.5.4"),
    ("FROM:<a@b.example> BODY=BINARYMIME", "501 5.5.4"),
    ("FROM:<a@b.example> SMTPUTF8=yes", "501 5.5.4"),
    ("FROM:<a@b.example> =x", "501 5.5.4"),
    ("FROM:<a@b.example> AUTH=<>", "555 5.5.4"),
]


@pytest.mark.parametrize(("argument", "reply"), REFUSED_SENDERS)
def test_a_malformed_sender_is_refused(argument: str, reply: str) -> None:
    with pytest.raises(Refused, match=reply):
        parse_mail(argument, extended=True)


RECIPIENTS = [
    ("TO:<a@B.EXAMPLE>", "a@b.example"),
    ('TO:<"agent.one"@b.example>', "agent.one@b.example"),
    ('TO:<"agent one"@b.example>', '"agent one"@b.example'),
    ('TO:<"a\\"b"@b.example>', '"a\\"b"@b.example'),
    ("TO:<a+case7@b.example>", "a+case7@b.example"),
    ("TO:<PostMaster>", "PostMaster@mx.acme.example"),
]


@pytest.mark.parametrize(("argument", "address"), RECIPIENTS)
def test_a_recipient_is_read(argument: str, address: str) -> None:
    assert parse_rcpt(argument, smtputf8=False, hostname="MX.acme.example") == address


@pytest.mark.parametrize("argument", ["", "TO:<>", "TO:<a>", "TO:<a@b.example> NOTIFY=NEVER", "TO:<ä@b.example>"])
def test_a_malformed_recipient_is_refused(argument: str) -> None:
    with pytest.raises(Refused, match=r"^5\d\d 5\."):
        parse_rcpt(argument, smtputf8=False, hostname="mx.acme.example")


@given(st.binary())
def test_no_octets_are_more_than_refused(octets: bytes) -> None:
    text = octets.decode("utf-8", "surrogateescape")
    with contextlib.suppress(Refused):
        parse_mail(f"FROM:<{text}", extended=True)
    with contextlib.suppress(Refused):
        parse_rcpt(f"TO:<a@b.example> {text}", smtputf8=True, hostname="mx.acme.example")
