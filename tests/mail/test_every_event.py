"""Every type of event, each by the real act: told of once, with the data that the documentation names."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import transaction

from environments import clock
from inboxes.models import Inbox
from mail.authentication import Authentication, Verdict
from mail.services.examine import examine_offline
from mail.services.receive import receive
from tests.names import Names
from tests.world import Api, World, arrival, build, recipient_of
from webhooks.models import EVENT_TYPES, Event

DOCUMENTED = Path(__file__).resolve().parent.parent.parent / "docs" / "events.md"
ROW = re.compile(r"^\| `(?P<type>[a-z_]+\.[a-z]+)` \| [^|]+ \| (?P<fields>[^|]+) \|$", re.MULTILINE)
ELSEWHERE = {"webhook_endpoint.disabled"}  # tests/webhooks/
AT = "@simulator.agentpost.localhost"
FORGED = Authentication(dmarc=Verdict("fail", "neither SPF nor DKIM vouches for example.com", "example.com"))


@dataclass
class Stage:
    """The development environment of acme, and who acts in it."""

    world: World
    api: Api
    dns: Names
    inbox: Inbox

    def post(self, path: str, body: Any = None, by: Api | None = None) -> dict[str, Any]:
        answer = (by or self.api).post(path, body, **{"AgentPost-Environment": "development"})
        assert answer.status_code in {200, 201}, answer.content
        found: dict[str, Any] = answer.json()
        return found

    def send(self, *to: str) -> None:
        self.post(f"/inboxes/{self.inbox.pk}/messages", {"to": list(to), "subject": "Hi", "text_body": "Hello"})

    def proposed(self) -> str:
        """Return the path of a draft that waits for a yes."""
        body = {"to": "bob@example.com", "subject": "Hi", "text_body": "Hello"}
        author = self.world.api("drafts:read", "drafts:write")
        draft = self.post(f"/inboxes/{self.inbox.pk}/drafts", body, by=author)
        self.post(f"/drafts/{draft['id']}/submit", by=author)
        return f"/drafts/{draft['id']}"

    def events(self) -> list[Event]:
        return self.world.rows(Event)


def receive_a_mail(stage: Stage) -> None:
    stage.world.deliver(stage.inbox, stage.world.mail())


def receive_a_forged_mail(stage: Stage) -> None:
    to = recipient_of(stage.inbox.email)
    assert to
    given = arrival(stage.world.mail(), to)
    receive([replace(given, examination=replace(examine_offline(given), authentication=FORGED))])


def reject_one_of_two(stage: Stage) -> None:
    stage.post("/suppressions", {"email": "carl@example.com"})
    stage.send("bob@example.com", "carl@example.com")


def approve_a_draft(stage: Stage) -> None:
    stage.post(f"{stage.proposed()}/approve", by=stage.world.api("drafts:approve", "drafts:read"))


def reject_a_draft(stage: Stage) -> None:
    reviewer = stage.world.api("drafts:approve", "drafts:read")
    stage.post(f"{stage.proposed()}/reject", {"reason": "Not to Bob"}, by=reviewer)


def verify_a_domain(stage: Stage) -> dict[str, Any]:
    domain = stage.post("/domains", {"domain": "acme.example"})
    for record in domain["records"]:
        value = record["value"]
        given = (int(value.split()[0]), value.split()[1]) if record["type"] == "MX" else value.encode()
        stage.dns.put(record["name"], record["type"], given)
    return stage.post(f"/domains/{domain['id']}/verify")


def lose_a_domain(stage: Stage) -> None:
    domain = verify_a_domain(stage)
    del stage.dns.records["_agentpost.acme.example", "TXT"]
    for hours in (1, 2, 3, 20, 24, 26):
        with time_machine.travel(clock.now() + timedelta(hours=hours), tick=True):
            stage.post(f"/domains/{domain['id']}/verify")


def delete_an_inbox(stage: Stage) -> None:
    assert stage.api.delete(f"/inboxes/{stage.inbox.pk}").status_code == 204


def create_a_key(stage: Stage) -> dict[str, Any]:
    body = {"name": "Theirs", "scopes": ["events:read"], "environment_ids": [stage.world.development.pk]}
    return stage.post("/api-keys", body)


def revoke_a_key(stage: Stage) -> None:
    assert stage.api.delete(f"/api-keys/{create_a_key(stage)['id']}").status_code == 204


def change(stage: Stage, **changes: Any) -> None:
    assert stage.api.patch("/environments/development", changes).status_code == 200


def resume(stage: Stage) -> None:
    change(stage, webhooks_paused=True)
    change(stage, webhooks_paused=False)


def reach_a_quota(stage: Stage) -> None:
    change(stage, hourly_sending_quota=1)
    stage.send("bob@example.com")


ACTS: dict[str, Callable[[Stage], Any]] = {
    "message.received": receive_a_mail,
    "message.quarantined": receive_a_forged_mail,
    "message.sent": lambda stage: stage.send(f"delivered{AT}"),
    "message.delivered": lambda stage: stage.send(f"delivered{AT}"),
    "message.bounced": lambda stage: stage.send(f"bounce{AT}"),
    "message.complained": lambda stage: stage.send(f"complaint{AT}"),
    "message.rejected": reject_one_of_two,
    "message.captured": lambda stage: stage.send("bob@example.com"),
    "draft.submitted": Stage.proposed,
    "draft.approved": approve_a_draft,
    "draft.rejected": reject_a_draft,
    "domain.verified": verify_a_domain,
    "domain.unverified": lose_a_domain,
    "inbox.created": lambda stage: stage.post("/inboxes"),
    "inbox.deleted": delete_an_inbox,
    "api_key.created": create_a_key,
    "api_key.revoked": revoke_a_key,
    "environment.paused": lambda stage: change(stage, inbound_paused=True),
    "environment.resumed": resume,
    "quota.reached": reach_a_quota,
}
EACH = pytest.mark.parametrize("kind", ACTS)


@pytest.fixture
def stage(transactional_db: None, dns: Names) -> Stage:
    world = build()
    return Stage(world, world.api(), dns, world.inbox(username="support"))


def fields_of(kind: str) -> set[str]:
    """Return the names that the documentation gives to the data of a type."""
    rows = {row["type"]: set(re.findall(r"`(\w+)`", row["fields"])) for row in ROW.finditer(DOCUMENTED.read_text())}
    return rows[kind]


def told(stage: Stage, kind: str) -> list[dict[str, Any]]:
    """Return the events of a type as any reader of the log gets them."""
    return stage.api.items(f"/events?types={kind}&limit=100", **{"AgentPost-Environment": "development"})


def test_each_type_has_its_act_here_or_is_tested_elsewhere() -> None:
    assert ACTS.keys() | ELSEWHERE == set(EVENT_TYPES)


def test_the_documentation_names_each_type_once() -> None:
    assert sorted(row["type"] for row in ROW.finditer(DOCUMENTED.read_text())) == sorted(EVENT_TYPES)


@EACH
def test_the_act_is_told_of_once_with_the_data_that_is_documented(kind: str, stage: Stage) -> None:
    before = {event["id"] for event in told(stage, kind)}
    ACTS[kind](stage)
    [event] = [event for event in told(stage, kind) if event["id"] not in before]
    assert event["data"].keys() == fields_of(kind)
    assert (event["type"], event["env_id"]) == (kind, stage.world.development.pk)


@EACH
def test_an_act_that_is_undone_is_told_of_by_nothing(kind: str, stage: Stage) -> None:
    before = [event.pk for event in stage.events()]
    with transaction.atomic():
        ACTS[kind](stage)
        assert [event.pk for event in stage.events() if event.type == kind and event.pk not in before]
        transaction.set_rollback(True)
    assert [event.pk for event in stage.events()] == before


ABOUT_MAIL = [kind for kind in ACTS if kind.startswith("message.")]


@pytest.mark.parametrize("kind", ABOUT_MAIL)
def test_an_event_about_a_mail_names_message_thread_and_inbox(kind: str, stage: Stage) -> None:
    ACTS[kind](stage)
    data = told(stage, kind)[-1]["data"]
    message = stage.api.get(f"/messages/{data['message_id']}").json()
    assert (data["thread_id"], data["inbox_id"]) == (message["thread_id"], stage.inbox.pk)
    assert data["from_address"] == message["from_address"]["email"]
    assert data["to_addresses"] == [one["email"] for one in message["to_addresses"]]


def test_a_mail_that_came_in_is_told_with_what_is_new_in_it(stage: Stage) -> None:
    text = "Yes, please.\r\n\r\nOn Mon, 2 Mar 2026 at 10:00, Ann <ann@acme.example> wrote:\r\n> Shall we?"
    stage.world.deliver(stage.inbox, stage.world.mail("Re: Offer", text))
    [event] = told(stage, "message.received")
    assert event["data"]["extracted_text"] == "Yes, please."
    assert (event["data"]["subject"], event["data"]["has_attachments"]) == ("Re: Offer", False)


@pytest.mark.parametrize(("simulator", "kind"), [("bounce", "hard"), ("soft-bounce", "soft")])
def test_a_bounce_names_each_recipient_with_the_other_sides_words(simulator: str, kind: str, stage: Stage) -> None:
    stage.send(f"{simulator}{AT}")
    [event] = told(stage, "message.bounced")
    [recipient] = event["data"]["bounced_recipients"]
    assert event["data"]["bounce_type"] == kind
    assert recipient.keys() == {"email_address", "diagnostic_code"}
    assert recipient["email_address"] == f"{simulator}{AT}"
    assert recipient["diagnostic_code"].endswith("(simulated)")


def test_a_complaint_names_the_addresses(stage: Stage) -> None:
    stage.send(f"complaint{AT}")
    [event] = told(stage, "message.complained")
    assert event["data"]["complained_recipients"] == [f"complaint{AT}"]
