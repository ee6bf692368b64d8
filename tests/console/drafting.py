"""Drafts in every state, of an agent or of a person, in the development of a house."""

import re
from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.test import Client

from environments import clock
from environments.binding import inside
from environments.callers import Actor
from mail.models import Draft, Message
from mail.parsing import Address
from mail.services.compose import Outgoing
from mail.services.drafts import approval, content, dispatch, writing
from mail.services.replies import Manner, reply
from tests.console.house import House, member_of
from tests.console.pages import page

AGENT = Actor("key", "key_01J00000000000000000000000", "an agent")
CAROL = Actor("member", "mem_01J0000000000000000000000A", "carol@acme.example")
HELLO = {"subject": "Hello", "text_body": "Hello Bob"}


def person(house: House, role: str) -> Actor:
    member = member_of(house, role)
    return Actor("member", member.pk, member.user.email)


def drafted(house: House, actor: Actor = AGENT, to: str = "bob@example.com", **fields: Any) -> Draft:
    """Return a draft that is being written."""
    outgoing = Outgoing(to=[Address(to, "")] if to else [], **{**HELLO, **fields})
    with inside(house.development):
        return writing.create_draft(house.development, house.here("inboxes.inbox"), outgoing, actor=actor)[0]


def submitted(house: House, actor: Actor = AGENT, **fields: Any) -> Draft:
    draft = drafted(house, actor, **fields)
    with inside(house.development):
        return approval.submit(house.development, draft, actor=actor)


def answering(house: House, **fields: Any) -> Draft:
    """Return a draft of an agent that waits for a yes and answers the message of the house."""
    message = house.here("mail.message")
    with inside(house.development):
        written = Outgoing(to=(), **{**HELLO, "subject": "", **fields})
        outgoing = reply(house.development, message.inbox, message, written, Manner(quotes=False))
        draft, _ = writing.create_draft(house.development, message.inbox, outgoing, actor=AGENT)
        return approval.submit(house.development, draft, actor=AGENT)


def in_state(house: House, state: str, actor: Actor = AGENT) -> Draft:
    """Return a draft of this actor in this state; only what was asked about was ever submitted."""
    later = {"send_at": clock.now() + timedelta(hours=1)} if state == "scheduled" else {}
    draft = drafted(house, actor, **later) if state == "draft" else submitted(house, actor, **later)
    here = house.development
    with inside(here):
        if state in {"approved", "scheduled", "sent"}:
            approval.approve(here, draft, actor=CAROL)
        if state in {"scheduled", "sent"}:
            dispatch.send_draft(here, draft, actor=CAROL, may_send=True)
        if state == "rejected":
            approval.reject(here, draft, "Too blunt", actor=CAROL)
    assert draft.state == state
    return draft


def now(house: House, draft: Draft) -> Draft:
    """Return the draft as it is now."""
    with inside(house.development):
        return Draft.objects.in_environment(house.development).select_related("inbox").get(pk=draft.pk)


def is_there(house: House, draft: Draft) -> bool:
    with inside(house.development):
        return Draft.objects.in_environment(house.development).filter(pk=draft.pk).exists()


def messages_of(house: House) -> list[Message]:
    with inside(house.development):
        return list(Message.objects.in_environment(house.development).filter(direction="outbound"))


def seen(house: House, draft: Draft, **more: Any) -> dict[str, Any]:
    """Return what a form about the draft carries when it is opened now."""
    draft = now(house, draft)
    with inside(house.development):
        return {"version": draft.version, "seen": content.current_hash(house.development, draft), **more}


def decide(client: Client, house: House, draft: Draft, act: str, **more: Any) -> HttpResponse:
    """Open the page of a draft, and decide."""
    return client.post(page(draft, act), seen(house, draft, **more))


def shown(client: Client, where: str, **asked: Any) -> str:
    """Return a page's HTML with every run of blanks made one."""
    return " ".join(client.get(where, asked).content.decode().split())


def edit_form(client: Client, draft: Draft) -> dict[str, Any]:
    """Return what the form for an edit holds when it is opened, as a browser would post it."""
    form = client.get(page(draft, "edit")).context["form"]
    values = {field.name: field.value() for field in form}
    return {
        name: re.sub("\n", "\r\n", value) if isinstance(value, str) else value
        for name, value in values.items()
        if value not in (None, False)
    }
