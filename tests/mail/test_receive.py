"""Receiving: what arrives is stored once, whole, in its own environment, and told of."""

from pathlib import Path

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from environments.binding import inside
from environments.models import UsageHour
from mail.models import Attachment, Blob, Message, MessageRecipient, Thread
from mail.services import blobs
from mail.services.receive import receive
from tests.mail.conftest import Home, arrival, mail
from webhooks.models import Event

pytestmark = pytest.mark.django_db

EVERY_BYTE = bytes(range(256)) * 4
ODD_MAILS = [
    b"",
    b"\r\n",
    b"no header at all",
    b"\x00\x00\x00",
    b"Subject: a\x00b\r\n\r\nc\x00d\r\n",
    b"\xff\xfe\xfd: \xff\r\n\r\n\xff",
    b"Subject: =?utf-8?b?//79?=\r\n\r\n\xed\xa0\x80",
    b"Message-ID: <\x00@x>\r\nIn-Reply-To: <" + b"a" * 5000 + b">\r\n\r\nx",
    b"From: " + b"a" * 4000 + b"@example.com\r\n\r\nx",
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: "
    + b"x" * 900
    + b"/y\r\n\r\nz\r\n--b--\r\n",
    EVERY_BYTE,
]
MULTIPART = (
    b"From: bob@example.com\r\nMessage-ID: <files@example.com>\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n'
    b"Content-Type: text/plain\r\n\r\nSee the file.\r\n--b\r\n"
    b'Content-Type: text/csv\r\nContent-Disposition: attachment; filename="../../etc/passwd"\r\n\r\n1,2\r\n--b--\r\n'
)


def messages(home: Home) -> list[Message]:
    with inside(home.environment):
        return list(Message.objects.in_environment(home.environment).order_by("pk"))


def test_a_mail_is_stored_with_its_exact_bytes(homes: tuple[Home, Home]) -> None:
    ours, _ = homes
    raw = mail()
    receive([arrival(raw, ours.recipient())])
    [message] = messages(ours)
    with inside(ours.environment):
        assert blobs.read(message.raw) == raw
    assert (message.subject, message.from_email, message.status) == ("Hello", "bob@example.com", "received")
    assert message.extracted_text.strip() == "Good morning."


@pytest.mark.parametrize("raw", ODD_MAILS, ids=range(len(ODD_MAILS)))
def test_any_bytes_at_all_are_stored_and_can_be_read_back(homes: tuple[Home, Home], raw: bytes) -> None:
    ours, _ = homes
    assert receive([arrival(raw, ours.recipient())]) == [None]
    [message] = messages(ours)
    with inside(ours.environment):
        assert blobs.read(message.raw) == raw


def test_a_mail_whose_html_is_too_complex_says_so_and_keeps_its_html(homes: tuple[Home, Home]) -> None:
    ours, _ = homes
    html = "<div>" * 300 + "Tuesday works."
    receive([arrival(b"Content-Type: text/html\r\n\r\n" + html.encode(), ours.recipient())])
    [message] = messages(ours)
    assert "html_too_complex" in message.flags
    assert (message.html_body, message.extracted_html, message.extracted_text) == (html, None, "Tuesday works.")


def test_attachments_get_safe_names_and_their_own_bytes(homes: tuple[Home, Home]) -> None:
    ours, _ = homes
    receive([arrival(MULTIPART, ours.recipient())])
    with inside(ours.environment):
        [attachment] = Attachment.objects.in_environment(ours.environment).select_related("blob")
        assert blobs.read(attachment.blob).strip() == b"1,2"
    assert "/" not in attachment.filename
    assert not attachment.filename.startswith(".")


def test_one_transaction_for_two_environments_leaves_no_trace_of_the_other(homes: tuple[Home, Home]) -> None:
    ours, theirs = homes
    receive([arrival(mail(), ours.recipient(), theirs.recipient("secret+tag@agentpost.localhost"))])
    [our_message], [their_message] = messages(ours), messages(theirs)
    assert our_message.envelope_recipients == [ours.inbox.email]
    assert their_message.envelope_recipients == ["secret+tag@agentpost.localhost"]
    assert our_message.thread_id != their_message.thread_id
    assert our_message.raw_id != their_message.raw_id


def test_a_sender_that_retries_is_not_stored_twice(homes: tuple[Home, Home]) -> None:
    ours, _ = homes
    for _attempt in range(2):
        assert receive([arrival(mail(), ours.recipient())]) == [None]
    assert receive([arrival(mail(), ours.recipient()), arrival(mail(), ours.recipient())]) == [None, None]
    assert len(messages(ours)) == 1


def test_two_equal_mails_without_a_message_id_are_two_mails(homes: tuple[Home, Home]) -> None:
    ours, _ = homes
    for _attempt in range(2):
        receive([arrival(mail(message_id=None), ours.recipient())])
    assert len(messages(ours)) == 2


def test_two_addresses_of_one_inbox_get_one_mail(homes: tuple[Home, Home]) -> None:
    ours, _ = homes
    receive([arrival(mail(), ours.recipient("a+1@x.example"), ours.recipient("a+2@x.example"))])
    [message] = messages(ours)
    assert message.envelope_recipients == ["a+1@x.example", "a+2@x.example"]


THREADING = [  # headers of the second mail, does it join the first one's thread
    ({"In_Reply_To": "<1@example.com>"}, True),
    ({"References": "<0@example.com> <1@example.com>"}, True),
    ({"References": "<1@example.com> <unknown@example.com>"}, True),
    ({"In_Reply_To": "<unknown@example.com>", "References": "<1@example.com>"}, True),
    ({"In_Reply_To": "<unknown@example.com>"}, False),
    ({"Subject": "Re: Hello"}, False),
    ({}, False),
]


@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "in two"])
@pytest.mark.parametrize(("headers", "joins"), THREADING)
def test_threads_follow_message_ids_and_nothing_else(
    homes: tuple[Home, Home], headers: dict[str, str], joins: bool, together: bool
) -> None:
    ours, _ = homes
    first = arrival(mail(), ours.recipient())
    second = arrival(mail(message_id="<2@example.com>", **headers), ours.recipient())
    for batch in [[first, second]] if together else [[first], [second]]:
        receive(batch)
    one, two = messages(ours)
    assert (one.thread_id == two.thread_id) == joins
    with inside(ours.environment):
        threads = Thread.objects.in_environment(ours.environment)
        assert sorted(threads.values_list("message_count", flat=True)) == ([2] if joins else [1, 1])


def test_a_message_id_of_another_environment_joins_nothing(homes: tuple[Home, Home]) -> None:
    ours, theirs = homes
    receive([arrival(mail(), theirs.recipient())])
    receive([arrival(mail(message_id="<2@example.com>", In_Reply_To="<1@example.com>"), ours.recipient())])
    [our_message], [their_message] = messages(ours), messages(theirs)
    assert our_message.thread_id != their_message.thread_id


def test_who_repeats_a_message_id_does_not_draw_its_replies_into_another_thread(homes: tuple[Home, Home]) -> None:
    ours, _ = homes
    receive([arrival(mail(), ours.recipient())])
    receive([arrival(mail("Not the same"), ours.recipient(), sender="mallory@example.com")])
    receive([arrival(mail(message_id="<2@example.com>", In_Reply_To="<1@example.com>"), ours.recipient())])
    first, forged, reply = messages(ours)
    assert reply.thread_id == first.thread_id != forged.thread_id


def test_the_objects_of_a_batch_that_failed_are_removed(homes: tuple[Home, Home], object_store: Path) -> None:
    ours, theirs = homes
    good, gone = arrival(mail(), ours.recipient()), arrival(mail(message_id="<2@x>"), theirs.recipient())
    with inside(theirs.environment):
        theirs.inbox.delete()
    with pytest.raises(IntegrityError):
        receive([good, gone])
    assert [path for path in object_store.rglob("*") if path.is_file()] == []


def test_an_event_is_published_with_the_mail(homes: tuple[Home, Home]) -> None:
    ours, theirs = homes
    receive([arrival(mail(), ours.recipient())])
    [message] = messages(ours)
    with inside(ours.environment):
        event = Event.objects.in_environment(ours.environment).get(type="message.received")
    assert event.data == {
        "message_id": message.pk,
        "thread_id": message.thread_id,
        "inbox_id": ours.inbox.pk,
        "from_address": "bob@example.com",
        "to_addresses": ["somebody@agentpost.localhost"],
        "subject": "Hello",
        "extracted_text": message.extracted_text,
        "has_attachments": False,
        "received_at": event.data["received_at"],
    }
    with inside(theirs.environment):
        assert not Event.objects.in_environment(theirs.environment).filter(type="message.received").exists()


def test_usage_counts_the_mail_and_its_bytes(homes: tuple[Home, Home]) -> None:
    ours, _ = homes
    receive([arrival(mail(message_id=None), ours.recipient()) for _ in range(3)])
    with inside(ours.environment):
        row = UsageHour.objects.in_environment(ours.environment).get()
    assert (row.messages_in, row.bytes_stored) == (3, 3 * len(mail(message_id=None)))


def test_a_batch_that_cannot_be_stored_stores_nothing(homes: tuple[Home, Home]) -> None:
    ours, theirs = homes
    good, gone = arrival(mail(), ours.recipient()), arrival(mail(message_id="<2@x>"), theirs.recipient())
    with inside(theirs.environment):
        theirs.inbox.delete()
    with pytest.raises(IntegrityError):
        receive([good, gone])
    assert messages(ours) == []


def test_the_same_bytes_are_kept_once_per_environment(homes: tuple[Home, Home], object_store: Path) -> None:
    ours, theirs = homes
    for home in (ours, theirs):
        receive([arrival(mail(message_id=None), home.recipient()) for _ in range(2)])
        receive([arrival(mail(message_id=None), home.recipient())])
        with inside(home.environment):
            assert Blob.objects.in_environment(home.environment).count() == 1
    files = [path for path in object_store.rglob("*") if path.is_file()]
    assert len(files) == 2
    assert {path.relative_to(object_store).parts[0] for path in files} == {ours.environment.pk, theirs.environment.pk}


def test_recipients_are_rows_that_can_be_found(homes: tuple[Home, Home]) -> None:
    ours, _ = homes
    receive([arrival(mail(Cc="Carol <Carol@Example.com>"), ours.recipient())])
    with inside(ours.environment):
        rows = MessageRecipient.objects.in_environment(ours.environment).order_by("kind")
        assert list(rows.values_list("kind", "email")) == [
            ("cc", "carol@example.com"),
            ("to", "somebody@agentpost.localhost"),
        ]


def test_a_batch_costs_the_same_queries_whatever_its_size(homes: tuple[Home, Home]) -> None:
    ours, _ = homes
    counts = []
    for number in (1, 20):
        batch = [arrival(mail(message_id=f"<{number}-{n}@example.com>"), ours.recipient()) for n in range(number)]
        with CaptureQueriesContext(connection) as queries:
            receive(batch)
        counts.append(len(queries))
    assert counts[0] == counts[1]
