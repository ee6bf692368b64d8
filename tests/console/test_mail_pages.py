"""The pages over mail: readable, harmless, cheap, and never unseen when an operator opens them."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from environments.binding import inside
from environments.models import AuditEntry
from mail.models import Message
from tests.console.house import House, message_fields
from tests.console.pages import address, page


@pytest.mark.parametrize(
    ("tab", "words"),
    [
        ("new", "Hello &lt;b&gt;there&lt;/b&gt;"),
        ("text", "&gt; quoted"),
        ("html", "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;"),
        ("headers", '<th scope="row">X-Mailer</th><td>Mutt</td>'),
        ("headers", '<th scope="row">Received</th><td>from b</td>'),
        ("timeline", "Words of acme-development"),
        ("no such tab", "A Customer &lt;customer@example.com&gt;"),
    ],
)
def test_a_message_is_shown_as_text_whatever_it_says(
    tab: str, words: str, acme: House, signed_in: Callable[..., Client]
) -> None:
    shown = signed_in("environment_member").get(page(acme.here("mail.message")), {"tab": tab}).content.decode()
    assert (words in shown, "<script>alert" in shown, "<b>there" in shown) == (True, False, False)


def test_a_message_leads_to_its_thread_and_attachments(acme: House, signed_in: Callable[..., Client]) -> None:
    asked = {"tab": "attachments"}
    shown = signed_in("environment_member").get(page(acme.here("mail.message")), asked).content.decode()
    assert page(acme.here("mail.thread")) in shown
    assert page(acme.here("mail.attachment")) in shown


def test_a_thread_leads_to_its_messages(acme: House, signed_in: Callable[..., Client]) -> None:
    shown = signed_in("environment_member").get(page(acme.here("mail.thread"))).content.decode()
    assert page(acme.here("mail.message")) in shown


def test_a_member_labels_a_message(acme: House, signed_in: Callable[..., Client]) -> None:
    client, message = signed_in("environment_member"), acme.here("mail.message")
    client.post(page(message, "labels"), {"labels": "Urgent, billing"})
    assert client.get(page(message)).context["labels"] == ["billing", "urgent"]


def test_a_bad_label_is_told_on_the_form(acme: House, signed_in: Callable[..., Client]) -> None:
    response = signed_in("environment_member").post(page(acme.here("mail.message"), "labels"), {"labels": "x" * 101})
    assert "each of 1 to 100 characters" in response.content.decode()


@pytest.mark.parametrize(
    "label", ["mail.message", "mail.thread", "mail.messagerecipient", "mail.messagelabel", "mail.intakeentry"]
)
def test_a_list_takes_as_many_queries_for_thirty_rows_as_for_one(
    label: str, acme: House, signed_in: Callable[..., Client]
) -> None:
    client = signed_in("owner")
    client.get(address(label))  # content types and the like are asked for once in a process
    before = queries(client, address(label))
    multiply(acme, 29)
    assert (before, len(client.get(address(label)).context["cl"].result_list)) == (queries(client, address(label)), 30)


def queries(client: Client, where: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(where).status_code == 200
    return len(captured)


def multiply(house: House, times: int) -> None:
    """Make so many more rows of each kind of mail in development."""
    from mail.models import IntakeEntry, MessageLabel, MessageRecipient, Thread

    environment, inbox, blob = house.development, house.here("inboxes.inbox"), house.here("mail.blob")
    with inside(environment):
        for number in range(times):
            thread = Thread.objects.in_environment(environment).create(
                environment=environment, inbox=inbox, message_count=1
            )
            fields = message_fields(inbox, thread, blob, f"Number {number}")
            message = Message.objects.in_environment(environment).create(environment=environment, **fields)
            for model, more in (
                (MessageRecipient, {"kind": "to", "email": "a@b.example"}),
                (MessageLabel, {"label": "l"}),
                (IntakeEntry, {"inbox": inbox, "transaction_id": uuid4(), "outcome": "accepted"}),
            ):
                model.objects.in_environment(environment).create(environment=environment, message=message, **more)


LOOKS = [
    ("mail.message", "list"),
    ("mail.message", "change"),
    ("mail.message", "history"),
    ("mail.message", "frame"),
    ("mail.thread", "list"),
    ("mail.thread", "change"),
    ("mail.attachment", "list"),
    ("mail.attachment", "change"),
    ("mail.messagerecipient", "list"),
    ("mail.messagelabel", "list"),
    ("mail.intakeentry", "list"),
    ("mail.intakeentry", "change"),
    ("mail.handover", "list"),
    ("mail.step", "list"),
    ("webhooks.event", "change"),
    ("webhooks.deliveryattempt", "change"),
    ("inboxes.inbox", "change"),
    ("inboxes.suppression", "list"),
    ("inboxes.suppression", "change"),
    ("mail.recipienthour", "list"),
    ("mail.recipienthour", "change"),
]


@pytest.mark.parametrize(("label", "what"), LOOKS)
def test_an_operators_look_into_mail_is_recorded(
    label: str, what: str, acme: House, signed_in: Callable[..., Client]
) -> None:
    client, row = signed_in("operator"), acme.here(label)
    client.get(address(label) if what == "list" else page(row, what))
    looked = AuditEntry.objects.in_organization(acme.organization).get(action="operator.looked")
    expected = acme.development.pk if what == "list" else row.pk
    assert (looked.target_id, looked.environment_id, looked.after["model"]) == (expected, acme.development.pk, label)
    assert (looked.actor_kind, looked.actor_name) == ("operator", "operator@acme.example")


def test_an_operator_who_is_offered_messages_to_choose_from_has_looked(
    acme: House, signed_in: Callable[..., Client]
) -> None:
    asked = {"app_label": "mail", "model_name": "messagelabel", "field_name": "message", "term": "Words"}
    signed_in("operator").get("/console/autocomplete/", asked)
    assert AuditEntry.objects.in_organization(acme.organization).filter(action="operator.looked").count() == 1


def test_an_operator_who_asks_whether_an_address_is_suppressed_has_looked(
    acme: House, signed_in: Callable[..., Client]
) -> None:
    asked = {"direction": "send", "address": "left@customer.example"}
    signed_in("operator").get(address("inboxes.filterrule", "try"), asked)
    looked = AuditEntry.objects.in_organization(acme.organization).get(action="operator.looked")
    assert looked.after["model"] == "inboxes.suppression"


def test_a_members_look_is_their_own_affair(acme: House, signed_in: Callable[..., Client]) -> None:
    signed_in("owner").get(page(acme.here("mail.message")))
    assert not AuditEntry.objects.in_organization(acme.organization).filter(action="operator.looked").exists()


def test_an_operator_who_looks_at_no_mail_is_not_recorded(acme: House, signed_in: Callable[..., Client]) -> None:
    client = signed_in("operator")
    for where in ("/console/", address("inboxes.inbox"), address("environments.environment")):
        client.get(where)
    assert not AuditEntry.objects.in_organization(acme.organization).filter(action="operator.looked").exists()


def test_why_a_mail_did_not_arrive_is_found_by_its_recipient(acme: House, signed_in: Callable[..., Client]) -> None:
    client, entry = signed_in("environment_member"), acme.here("mail.intakeentry")
    found = client.get(address("mail.intakeentry"), {"q": entry.recipient, "outcome__exact": "accepted"})
    assert page(entry) in found.content.decode()
    assert "Words of acme-development" in client.get(page(entry)).content.decode()
    none = client.get(address("mail.intakeentry"), {"reason": "unknown_recipient"})
    assert page(entry) not in none.content.decode()


WHO_SEES_STRAYS = [("owner", False), ("admin", False), ("environment_admin", False), ("operator", True)]


@pytest.mark.parametrize(("role", "sees"), WHO_SEES_STRAYS)
def test_mail_for_nobody_is_for_operators_to_look_at(
    role: str, sees: bool, acme: House, signed_in: Callable[..., Client]
) -> None:
    answer = signed_in(role).get(address("mail.strayintake"))
    assert ("development@stray.example" in answer.content.decode()) == sees
    assert (answer.status_code == 200) == sees


def test_an_attempt_is_shown_with_what_was_sent(acme: House, signed_in: Callable[..., Client]) -> None:
    attempt = acme.here("webhooks.deliveryattempt")
    with inside(acme.development):
        attempt.request_url, attempt.request_headers = "https://acme.example/in", {"x-route": "•••", "webhook-id": "e1"}
        attempt.save()
    shown = signed_in("environment_member").get(page(attempt)).content.decode()
    assert "https://acme.example/in" in shown
    assert "x-route: •••<br>webhook-id: e1" in shown
