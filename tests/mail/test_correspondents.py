"""Whom an environment has had to do with."""

import pytest

from environments.binding import inside
from inboxes.models import Inbox
from mail.models import Message
from mail.services.correspondents import first_contacts
from tests.world import World


@pytest.fixture
def inbox(acme: World) -> Inbox:
    return acme.inbox(username="support")


def test_whoever_wrote_or_was_written_to_is_known(acme: World, inbox: Inbox) -> None:
    acme.deliver(inbox, acme.mail(From="Ann <Ann@a.example>"))
    acme.api().post(f"/inboxes/{inbox.pk}/messages", {"to": "bob@b.example", "subject": "x", "text_body": "x"})
    with inside(acme.development):
        asked = ["ann@a.example", "Bob@b.example", "New@c.example"]
        assert first_contacts(acme.development, asked) == {"new@c.example"}


def test_what_is_in_quarantine_makes_nobody_known(acme: World, inbox: Inbox) -> None:
    acme.deliver(inbox, acme.mail(From="ann@a.example"))
    with inside(acme.development):
        Message.objects.in_environment(acme.development).update(status="quarantined")
        assert first_contacts(acme.development, ["ann@a.example"]) == {"ann@a.example"}


def test_another_environments_correspondents_are_unknown_here(acme: World, inbox: Inbox) -> None:
    acme.deliver(inbox, acme.mail(From="ann@a.example"))
    with inside(acme.production):
        assert first_contacts(acme.production, ["ann@a.example"]) == {"ann@a.example"}


def test_nobody_is_asked_about_for_nothing(acme: World) -> None:
    assert first_contacts(acme.development, []) == set()
