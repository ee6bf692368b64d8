"""Drafts in the console: read, approved, rejected, sent."""

from collections.abc import Callable

from django.test import Client

from environments.binding import inside
from environments.callers import Actor
from mail.models import Draft, Message
from mail.parsing import Address
from mail.services.compose import Outgoing
from mail.services.drafts import approval, writing
from tests.console.house import House
from tests.console.pages import address, page

AGENT = Actor("key", "key_01J00000000000000000000000", "an agent")


def submitted(house: House) -> Draft:
    with inside(house.development):
        outgoing = Outgoing(to=[Address("bob@example.com", "")], subject="Hello", text_body="<b>one</b>")
        inbox = house.here("inboxes.inbox")
        draft, _ = writing.create_draft(house.development, inbox, outgoing, actor=AGENT)
        writing.update_draft(house.development, draft, {"text_body": "<b>two</b>"}, actor=AGENT)
        return approval.submit(house.development, draft, actor=AGENT)


def now(house: House, draft: Draft) -> Draft:
    with inside(house.development):
        return Draft.objects.in_environment(house.development).get(pk=draft.pk)


def test_a_page_shows_the_draft_and_what_its_last_edit_changed(acme: House, signed_in: Callable[..., Client]) -> None:
    shown = signed_in("environment_member").get(page(submitted(acme))).content.decode()
    assert "-&lt;b&gt;one&lt;/b&gt;\n+&lt;b&gt;two&lt;/b&gt;" in shown
    assert "<b>two" not in shown


def test_the_list_is_narrowed_by_state(acme: House, signed_in: Callable[..., Client]) -> None:
    draft, client = submitted(acme), signed_in("owner")
    for state, is_there in (("pending_approval", True), ("sent", False)):
        shown = client.get(address("mail.draft"), {"state__exact": state}).content.decode()
        assert (page(draft) in shown) == is_there


def test_a_member_approves_and_is_remembered(acme: House, signed_in: Callable[..., Client]) -> None:
    draft = submitted(acme)
    signed_in("environment_member").post(page(draft, "approve"), {"version": draft.version})
    approved = now(acme, draft)
    assert (approved.state, approved.approved_by["name"]) == ("approved", "reader@acme.example")


def test_a_version_that_nobody_has_seen_is_not_approved(acme: House, signed_in: Callable[..., Client]) -> None:
    draft = submitted(acme)
    shown = signed_in("owner").post(page(draft, "approve"), {"version": draft.version - 1}).content.decode()
    assert ("edited meanwhile" in shown, now(acme, draft).state) == (True, "pending_approval")


def test_a_no_needs_a_reason(acme: House, signed_in: Callable[..., Client]) -> None:
    draft, client = submitted(acme), signed_in("owner")
    client.post(page(draft, "reject"), {"version": draft.version})
    assert now(acme, draft).state == "pending_approval"
    client.post(page(draft, "reject"), {"version": draft.version, "reason": "Too blunt"})
    assert now(acme, draft).rejection_reason == "Too blunt"


def test_sending_is_approving(acme: House, signed_in: Callable[..., Client]) -> None:
    draft = submitted(acme)
    signed_in("owner").post(page(draft, "send"), {"version": draft.version})
    sent = now(acme, draft)
    assert (sent.state, sent.approved_by["name"], sent.sent_by["kind"]) == ("sent", "owner@acme.example", "member")
    with inside(acme.development):
        assert Message.objects.in_environment(acme.development).filter(pk=sent.message_id).exists()
