"""Threads hold together what belongs together, in whatever order it arrives, and nothing that somebody else cites."""

import re
from collections.abc import Iterable
from email import message_from_bytes
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from environments.binding import inside
from mail.models import AwaitedMessage, Message, Thread
from mail.services import blobs, labels, reply_tokens
from mail.services.deletion import delete_message
from mail.services.receive import receive
from tests.mail.conftest import Home, arrival, mail
from tests.world import World

pytestmark = pytest.mark.django_db

PREPARED = re.compile(r'EXECUTE "[^"]+"')
DATE = "Thu, 19 Nov 2026 10:00:00 +0000"


def written(text: str) -> bytes:
    """Return a mail as the tables below write it: ``c < b, a`` is c, which answers b and refers to a and b."""
    own, _, cited = (part.strip() for part in text.partition("<"))
    ids = [f"<{name.strip()}@example.com>" for name in cited.split(",") if name.strip()]
    headers = {"In_Reply_To": ids[0], "References": " ".join(reversed(ids))} if ids else {}
    return mail(f"Mail {own}", f"<{own}@example.com>" if own else None, **headers)


def take(home: Home, *mails: bytes, together: bool = False, to: str | None = None) -> None:
    arrivals = [arrival(raw, home.recipient(to)) for raw in mails]
    for batch in [arrivals] if together else [[one] for one in arrivals]:
        receive(batch)


def rows(home: Home, model: Any) -> list[Any]:
    with inside(home.environment):
        return list(model.objects.in_environment(home.environment).order_by("pk"))


def grouped(home: Home) -> list[list[str]]:
    """Return the subjects of the messages by thread, and check what the threads tell of them."""
    by_thread: dict[str, list[Message]] = {thread.pk: [] for thread in rows(home, Thread)}
    for message in rows(home, Message):
        by_thread[message.thread_id].append(message)
    for thread in rows(home, Thread):
        messages = by_thread[thread.pk]
        assert thread.message_count == len(messages)
        assert thread.last_message_at == max(message.created_at for message in messages)
        assert "bob@example.com" in [person["email"] for person in thread.participants]
    return [[message.subject.removeprefix("Mail").strip() for message in messages] for messages in by_thread.values()]


ORDERS = [  # mails in the order of arrival, threads
    (["a", "b < a"], [["a", "b"]]),
    (["b < a", "a"], [["b", "a"]]),
    (["b < a", "c < a"], [["b", "c"]]),
    (["b < a", "c < a", "a"], [["b", "c", "a"]]),
    (["c < b, a", "a", "b < a"], [["c", "a", "b"]]),
    (["c < b", "b < a", "a"], [["c", "b", "a"]]),
    (["a", "c < b", "b < a"], [["a", "c", "b"]]),
    (["c < b", "a", "b < a"], [["c", "a", "b"]]),
    (["a", "c < b", "d < b", "b < a"], [["a", "c", "d", "b"]]),
    (["d < c, b, a", "e < x, a"], [["d", "e"]]),
    (["a", "x", "c < b", "y < z", "b < a"], [["a", "c", "b"], ["x"], ["y"]]),
    # loops and mails that answer themselves
    (["a < b", "b < a"], [["a", "b"]]),
    (["a < c", "b < a", "c < b"], [["a", "b", "c"]]),
    (["a < a", "b < a"], [["a", "b"]]),
    # without a Message-ID
    (["", ""], [[""], [""]]),
    (["a", " < a", " < a"], [["a", "", ""]]),
    ([" < a", "a"], [["", "a"]]),
]


@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "one by one"])
@pytest.mark.parametrize(("order", "threads"), ORDERS, ids=lambda value: " | ".join(map(str, value)))
def test_what_belongs_together_is_together(
    homes: tuple[Home, Home], order: list[str], threads: list[list[str]], together: bool
) -> None:
    ours, _ = homes
    take(ours, *map(written, order), together=together)
    assert grouped(ours) == threads


def test_a_merge_keeps_the_older_thread_with_the_labels_of_both(homes: tuple[Home, Home]) -> None:
    ours, _ = homes
    take(ours, written("a"), written("c < b"))
    older, younger = rows(ours, Thread)
    with inside(ours.environment):
        labels.add(ours.environment, [older], ["urgent", "both"])
        labels.add(ours.environment, [younger], ["sales", "both"])
    take(ours, written("b < a"))
    [thread] = rows(ours, Thread)
    assert (thread.pk, thread.subject, thread.message_count) == (older.pk, "Mail a", 3)
    with inside(ours.environment):
        assert labels.of(ours.environment, [thread]) == {thread.pk: ["both", "sales", "urgent"]}


def test_what_the_merged_threads_awaited_is_awaited_still(homes: tuple[Home, Home]) -> None:
    ours, _ = homes
    take(ours, written("a"), written("c < b, z"), written("b < a"), written("z"), written("y < z"))
    assert grouped(ours) == [["a", "c", "b", "z", "y"]]
    assert rows(ours, AwaitedMessage) == []


def test_a_thread_without_its_messages_awaits_nothing(homes: tuple[Home, Home]) -> None:
    ours, _ = homes
    take(ours, written("b < a"))
    with inside(ours.environment):
        [message] = Message.objects.in_environment(ours.environment)
        delete_message(ours.environment, message)
    assert rows(ours, AwaitedMessage) == []
    take(ours, written("a"))
    assert grouped(ours) == [["a"]]


# --- The same Message-ID again


def test_who_repeats_a_message_id_moves_neither_what_is_there_nor_what_comes(homes: tuple[Home, Home]) -> None:
    ours, _ = homes
    take(ours, written("a"), written("b < a"), mail("Forged", "<a@example.com>"), written("c < a"), written("d < b"))
    assert grouped(ours) == [["a", "b", "c", "d"], ["Forged"]]


def test_who_repeats_an_id_that_was_awaited_gets_nothing_of_what_awaited_it(homes: tuple[Home, Home]) -> None:
    ours, _ = homes
    take(ours, written("b < a"), written("a"), mail("Forged", "<a@example.com>"), written("c < a"))
    assert grouped(ours) == [["b", "a", "c"], ["Forged"]]


def test_two_copies_of_one_mail_are_in_one_thread(homes: tuple[Home, Home]) -> None:
    ours, _ = homes
    take(ours, mail("One", Date=DATE), mail("[list] One", Date=DATE, List_Id="<list.example.com>"))
    assert grouped(ours) == [["One", "[list] One"]]


OTHER_NAME = ["X-Original-Message-ID", "Original-Message-ID", "X-Google-Original-Message-ID"]


@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "one by one"])
@pytest.mark.parametrize("header", [*OTHER_NAME, "x-microsoft-original-message-id"])
def test_a_mail_is_known_by_the_id_that_a_list_took_from_it(
    homes: tuple[Home, Home], header: str, together: bool
) -> None:
    ours, _ = homes
    original = {header.replace("-", "_"): "<a@example.com>"}
    take(ours, mail("Mail a", "<list-1@lists.example>", **original), written("b < a"), together=together)
    assert grouped(ours) == [["a", "b"]]
    take(ours, written("a"), mail("Mail c", "<c@x>", In_Reply_To="<list-1@lists.example>"), together=together)
    assert grouped(ours) == [["a", "b", "a", "c"]]


def test_an_answer_that_came_first_is_joined_by_the_rewritten_mail(homes: tuple[Home, Home]) -> None:
    ours, _ = homes
    take(ours, written("b < a"), mail("Mail a", "<l@lists.example>", X_Original_Message_ID="<a@example.com>"))
    assert grouped(ours) == [["b", "a"]]


# --- References are not to be trusted


def test_ten_thousand_references_cost_what_a_hundred_cost(homes: tuple[Home, Home]) -> None:
    ours, _ = homes
    references = " ".join(f"<{number}@e.x>" for number in range(10_000))
    take(ours, mail("Long", "<z@x>", References=references, In_Reply_To="<9999@e.x>"))
    assert len(rows(ours, AwaitedMessage)) <= 10
    take(ours, mail("Nearest", "<y@x>", In_Reply_To="<9999@e.x>"), mail("Root", "<0@e.x>"))
    assert grouped(ours) == [["Long", "Nearest", "Root"]]


def shown(queries: CaptureQueriesContext) -> list[str]:
    """Return what was asked, without the values; a prepared statement's name stands for all that it asks."""
    asked = [(query["sql"], PREPARED.match(query["sql"])) for query in queries]
    statements = [named[0] if named else sql.partition(" WHERE ")[0][:60] for sql, named in asked]
    return [statement for statement in statements if "SAVEPOINT" not in statement]


def test_a_forged_reference_finds_nothing_and_tells_nothing(homes: tuple[Home, Home], globex: World) -> None:
    ours, theirs = homes
    take(theirs, mail("Secret", "<theirs@example.com>"), written("t2 < missing"))
    globex.deliver(globex.inbox(), mail("Secret", "<stranger@example.com>"))
    take(ours, written("a"))
    asked: list[list[str]] = []
    for number, name in enumerate(["unknown", "theirs", "missing", "stranger"]):
        cited = f"<{name}@example.com>"
        forged = arrival(mail("Forged", f"<f{number}@x>", In_Reply_To=cited, References=cited), ours.recipient())
        with CaptureQueriesContext(connection) as queries:
            assert receive([forged]) == [None]
        asked.append(shown(queries))
    assert all(one == asked[0] for one in asked)
    assert grouped(ours) == [["a"], ["Forged"], ["Forged"], ["Forged"], ["Forged"]]
    assert grouped(theirs) == [["Secret"], ["t2"]]


def test_a_reference_to_another_inbox_of_the_environment_finds_nothing_either(acme: World) -> None:
    one, other = acme.inbox(), acme.inbox()
    acme.deliver(other, mail("Secret", "<theirs@example.com>"), mail("Waits", "<w@x>", In_Reply_To="<missing@x>"))
    asked = []
    for number, cited in enumerate(["<unknown@example.com>", "<theirs@example.com>", "<missing@x>"]):
        with CaptureQueriesContext(connection) as queries:
            acme.deliver(one, mail("Forged", f"<f{number}@x>", In_Reply_To=cited))
        asked.append(shown(queries))
    acme.deliver(one, mail("Forged", "<missing@x>"), mail("Forged", "<theirs@example.com>"))
    assert asked[0] == asked[1] == asked[2]
    assert [thread.message_count for thread in acme.rows(Thread)] == [1, 1, 1, 2, 2]  # only with those of its own inbox


def test_a_batch_of_answers_costs_the_same_queries_whatever_its_size(homes: tuple[Home, Home]) -> None:
    ours, _ = homes
    counts = []
    for size in (1, 20):
        take(ours, written(f"a{size}"))
        for order in (f"n{size}-%d < m{size}-%d", f"m{size}-%d < a{size}"):
            batch = [written(order % ((number,) * order.count("%"))) for number in range(size)]
            with CaptureQueriesContext(connection) as queries:
                take(ours, *batch, together=True)
            counts.append(len(queries))
    assert counts[:2] == counts[2:]
    assert [len(group) for group in grouped(ours)] == [3, 41]


# --- Reply addresses


@pytest.fixture
def sent(acme: World) -> Any:
    """Return a function that sends a mail from an inbox, and returns the inbox as home, message and Reply-To."""

    def send(username: str = "support", **body: Any) -> tuple[Home, Message, str]:
        inbox = acme.inbox(email=f"{username}@dev.agentpost.localhost", display_name="Acme Support")
        answer = acme.api().post(f"/inboxes/{inbox.pk}/messages", {"to": "bob@example.com", **body})
        home = Home(acme.development, inbox)
        [message] = [row for row in rows(home, Message) if row.pk == answer.json()["id"]]
        with inside(acme.development):
            raw = message_from_bytes(blobs.read(message.raw))
        return home, message, raw["Reply-To"] or ""

    return send


def test_a_reply_finds_its_thread_although_a_relay_changed_our_message_id(sent: Any) -> None:
    home, message, reply_to = sent()
    name, _, address = reply_to.rpartition(" ")
    address = address.strip("<>")
    assert (name, address.startswith("support+"), address.endswith("@dev.agentpost.localhost")) == (
        '"Acme Support"', True, True,
    )  # fmt: skip
    take(home, mail("Re", "<r@x>", In_Reply_To="<changed@relay.example>", To=address), to=address.upper())
    take(home, mail("Re again", "<r2@x>", In_Reply_To="<changed@relay.example>"))
    take(home, mail("Without any reference", "<r3@x>"), to=address)
    assert {row.thread_id for row in rows(home, Message)} == {message.thread_id}
    [thread] = rows(home, Thread)
    assert address not in [person["email"] for person in thread.participants]


def test_a_reply_address_is_short_and_tells_nothing(sent: Any) -> None:
    home, message, reply_to = sent()
    local = reply_to.partition("<")[2].partition("@")[0]
    tag = local.partition("+")[2]
    assert (reply_tokens.TAG.fullmatch(tag) is not None, len(local) <= 64, local == local.lower()) == (True,) * 3
    assert tag not in f"{message.pk}{message.thread_id}{home.inbox.pk}".lower()


def test_a_mail_with_a_reply_address_of_its_own_keeps_it(sent: Any) -> None:
    home, _, reply_to = sent(reply_to="desk@example.com")
    assert (reply_to, rows(home, AwaitedMessage)) == ("desk@example.com", [])


def test_a_long_address_stays_as_it_is(sent: Any) -> None:
    home, _, reply_to = sent("a" * 48)
    assert (reply_to, rows(home, AwaitedMessage)) == ("", [])
    assert sent("a" * 47)[2].count("+") == 1


def test_a_message_that_is_cited_counts_more_than_the_address(sent: Any) -> None:
    home, _, reply_to = sent()
    take(home, written("a"))
    take(home, written("b < a"), to=reply_to.partition("<")[2].strip(">"))
    assert sorted(grouped_by_id(rows(home, Message))) == [1, 2]


def grouped_by_id(messages: Iterable[Message]) -> list[int]:
    threads = [message.thread_id for message in messages]
    return [threads.count(thread) for thread in dict.fromkeys(threads)]


def test_a_forged_or_foreign_reply_address_finds_nothing_and_tells_nothing(sent: Any) -> None:
    home, _, ours = sent()
    other, _, theirs = sent("sales")
    tags = [address.partition("+")[2].partition("@")[0] for address in (ours, theirs)]
    forged = [tags[1], "a" * 16, tags[0][:-1] + ("a" if tags[0][-1] != "a" else "b"), tags[0][:15], tags[0] + "a"]
    asked = []
    for number, tag in enumerate(forged):
        address = f"support+{tag}@dev.agentpost.localhost"
        with CaptureQueriesContext(connection) as queries:
            take(home, mail("Forged", f"<f{number}@x>"), to=address)
        asked.append(shown(queries))
    assert all(one == asked[0] for one in asked)
    assert grouped_by_id(rows(home, Message)) == [1] * (2 + len(forged))
    assert len([row for row in rows(other, Message) if row.inbox_id == other.inbox.pk]) == 1


def test_the_token_of_a_thread_that_was_merged_leads_to_the_one_that_stayed(sent: Any) -> None:
    home, message, reply_to = sent()
    address = reply_to.partition("<")[2].strip(">")
    take(home, written("c < b"), mail("Mail b", "<b@example.com>", In_Reply_To=message.message_id_header))
    take(home, mail("Mail d", "<d@x>"), to=address)
    assert {row.thread_id for row in rows(home, Message)} == {message.thread_id}
