"""Every call of the API, the scope it needs, and what a call that is right is answered with."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agentpost_site import urls
from environments import clock
from environments.binding import inside
from environments.callers import SYSTEM
from environments.ids import new_id
from environments.models import AuditEntry, Environment
from environments.services.members import add_member, add_to_environment, invite
from inboxes.models import Inbox
from inboxes.services.domains import add_domain
from inboxes.services.filter_rules import create_rule
from inboxes.services.suppressions import suppress
from mail.models import Attachment, IntakeEntry, Message
from mail.parsing import Address
from mail.services import labels
from mail.services.compose import Outgoing
from mail.services.drafts import approval, writing
from mail.services.send import send
from tests.standing import Ground
from tests.world import PERSON, World, build
from webhooks.models import Event, WebhookDelivery
from webhooks.services.endpoints import create_endpoint

RULE = {"direction": "receive", "action": "block", "match_type": "domain", "value": "spam.example"}
HOOK = "https://hooks.acme.example/in"


@dataclass(frozen=True)
class Call:
    """A call: ``{names}`` in its path and body stand for ids out of ``furnish``."""

    method: str
    path: str
    scope: str
    status: int
    body: Any = field(default=None, hash=False)
    needs: str = ""  # a further scope

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def is_on_an_item(self) -> bool:
        return "{" in self.path.removeprefix("/environments/{environment}")

    def filled(self, ids: dict[str, str]) -> tuple[str, str, Any]:
        """Return what ``Api.call`` takes."""
        return self.method, _filled(self.path, ids), _filled(self.body, ids)


def _filled(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, str):
        return re.sub(r"{(\w+)}", lambda found: ids[found[1]], value)
    if isinstance(value, list):
        return [_filled(item, ids) for item in value]
    return {key: _filled(item, ids) for key, item in value.items()} if isinstance(value, dict) else value


OF_THE_ORGANIZATION = [
    Call("get", "/me", "", 200),
    Call("get", "/org", "members:read", 200),
    Call("patch", "/org", "members:write", 200, {"name": "Acme Incorporated"}),
    Call("get", "/org/members", "members:read", 200),
    Call("get", "/org/members/{member}", "members:read", 200),
    Call("patch", "/org/members/{member}", "members:write", 200, {"role": "admin"}),
    Call("delete", "/org/members/{member}", "members:write", 204),
    Call("get", "/org/invitations", "members:read", 200),
    Call("post", "/org/invitations", "members:write", 201, {"email": "new@acme.example"}),
    Call("get", "/org/invitations/{invitation}", "members:read", 200),
    Call("delete", "/org/invitations/{invitation}", "members:write", 204),
    Call("get", "/environments", "environments:read", 200),
    Call("post", "/environments", "environments:write", 201, {"name": "Staging"}),
    Call("get", "/environments/{environment}", "environments:read", 200),
    Call("patch", "/environments/{environment}", "environments:write", 200, {"name": "Sandbox"}),
    Call("delete", "/environments/{environment}?force=true", "environments:write", 204),
    Call("get", "/environments/{environment}/members", "members:read", 200),
    Call(
        "post", "/environments/{environment}/members", "members:write", 201, {"member_id": "{other}", "role": "admin"}
    ),
    Call("patch", "/environments/{environment}/members/{member}", "members:write", 200, {"role": "admin"}),
    Call("delete", "/environments/{environment}/members/{member}", "members:write", 204),
    Call("get", "/api-keys", "api_keys:read", 200),
    Call("post", "/api-keys", "api_keys:write", 201, {"name": "weak"}),
    Call("get", "/api-keys/{key}", "api_keys:read", 200),
    Call("delete", "/api-keys/{key}", "api_keys:write", 204),
    Call("post", "/api-keys/{key}/rotate", "api_keys:write", 200),
    Call("get", "/audit", "audit:read", 200),
    Call("get", "/audit/{entry}", "audit:read", 200),
]
OF_AN_ENVIRONMENT = [
    Call("get", "/usage", "usage:read", 200),
    Call("get", "/deliverability", "usage:read", 200),
    Call("get", "/domains", "domains:read", 200),
    Call("post", "/domains", "domains:write", 201, {"domain": "new.acme.example"}),
    Call("get", "/domains/{domain}", "domains:read", 200),
    Call("delete", "/domains/{domain}", "domains:write", 204),
    Call("post", "/domains/{domain}/verify", "domains:write", 200),
    Call("post", "/domains/{domain}/rotate-keys", "domains:write", 200),
    Call("get", "/domains/{domain}/zone-file", "domains:read", 200),
    Call("get", "/filter-rules", "filter_rules:read", 200),
    Call("post", "/filter-rules", "filter_rules:write", 201, RULE),
    Call("get", "/filter-rules/{rule}", "filter_rules:read", 200),
    Call("patch", "/filter-rules/{rule}", "filter_rules:write", 200, {"action": "block"}),
    Call("delete", "/filter-rules/{rule}", "filter_rules:write", 204),
    Call("get", "/suppressions", "suppressions:read", 200),
    Call("post", "/suppressions", "suppressions:write", 201, {"email": "left@example.com"}),
    Call("get", "/suppressions/{suppression}", "suppressions:read", 200),
    Call("delete", "/suppressions/{suppression}", "suppressions:write", 204),
    Call("get", "/inboxes", "inboxes:read", 200),
    Call("post", "/inboxes", "inboxes:write", 201),
    Call("get", "/inboxes/{inbox}", "inboxes:read", 200),
    Call("patch", "/inboxes/{inbox}", "inboxes:write", 200, {"name": "Support"}),
    Call("delete", "/inboxes/{inbox}", "inboxes:write", 204),
    Call("get", "/inboxes/{inbox}/messages", "messages:read", 200),
    Call("post", "/inboxes/{inbox}/messages", "messages:send", 201, {"to": "bob@example.com"}),
    Call("get", "/inboxes/{inbox}/messages/wait", "messages:read", 200),
    Call("post", "/inboxes/{inbox}/simulate", "messages:write", 201, {"from": "bob@example.com"}),
    Call("get", "/inboxes/{inbox}/drafts", "drafts:read", 200),
    Call("post", "/inboxes/{inbox}/drafts", "drafts:write", 201, {"to": "bob@example.com"}),
    Call("post", "/inboxes/{inbox}/messages/batch", "messages:send", 200, {"messages": [{"to": "bob@example.com"}]}),
    Call("get", "/inboxes/{inbox}/threads", "threads:read", 200),
    Call("get", "/drafts", "drafts:read", 200),
    Call("get", "/drafts/{draft}", "drafts:read", 200),
    Call("patch", "/drafts/{draft}", "drafts:write", 200, {"subject": "Hello again"}),
    Call("delete", "/drafts/{draft}", "drafts:write", 204),
    Call("post", "/drafts/{draft}/submit", "drafts:write", 200),
    Call("post", "/drafts/{pending}/approve", "drafts:approve", 200),
    Call("post", "/drafts/{pending}/reject", "drafts:approve", 200, {"reason": "Not like this"}),
    Call("post", "/drafts/{approved}/send", "drafts:write", 200),
    Call("get", "/drafts/{draft}/versions", "drafts:read", 200),
    Call("get", "/messages", "messages:read", 200),
    Call("post", "/messages/batch-get", "messages:read", 200, {"ids": ["{message}"]}),
    Call("post", "/messages/batch-update", "messages:write", 200, {"ids": ["{message}"], "add_labels": ["a"]}),
    Call("get", "/messages/{message}", "messages:read", 200),
    Call("patch", "/messages/{message}", "messages:write", 200, {"labels": ["a"]}),
    Call("delete", "/messages/{message}", "messages:write", 204),
    Call("get", "/messages/{message}/raw", "messages:read", 200),
    Call("get", "/messages/{message}/timeline", "messages:read", 200),
    Call("post", "/messages/{waiting}/cancel", "messages:send", 200),
    Call("post", "/messages/{message}/reply", "messages:send", 201, {"text_body": "Yes"}),
    Call("post", "/messages/{message}/reply-all", "messages:send", 201, {"text_body": "Yes"}),
    Call("post", "/messages/{message}/forward", "messages:send", 201, {"to": "bob@example.com"}),
    Call("post", "/messages/{message}/labels", "messages:write", 200, {"labels": ["a"]}),
    Call("delete", "/messages/{message}/labels", "messages:write", 200, {"labels": ["a"]}),
    Call("post", "/messages/{message}/release", "messages:write", 200),
    Call("post", "/search", "messages:read", 200, {"query": "hello"}),
    Call("get", "/threads", "threads:read", 200),
    Call("get", "/threads/{thread}", "threads:read", 200),
    Call("patch", "/threads/{thread}", "threads:write", 200, {"labels": ["a"]}),
    Call("delete", "/threads/{thread}", "threads:write", 204),
    Call("post", "/threads/{thread}/labels", "threads:write", 200, {"labels": ["a"]}),
    Call("delete", "/threads/{thread}/labels", "threads:write", 200, {"labels": ["a"]}),
    Call("get", "/labels", "labels:read", 200),
    Call("post", "/attachments/upload-url", "messages:send", 201, {"filename": "a.txt", "size": 1}),
    Call("get", "/attachments/{attachment}", "messages:read", 200),
    Call("get", "/transport", "environments:read", 200),
    Call("put", "/transport", "environments:write", 403),
    Call("delete", "/transport", "environments:write", 403),
    Call("get", "/intake", "messages:read", 200),
    Call("get", "/intake/{intake}", "messages:read", 200),
    Call("get", "/events", "events:read", 200),
    Call("get", "/events/stream", "events:read", 200),
    Call("post", "/events/tickets", "events:read", 201),
    Call("get", "/events/{event}", "events:read", 200),
    Call("get", "/webhook-endpoints", "webhooks:read", 200),
    Call("post", "/webhook-endpoints", "webhooks:write", 201, {"url": HOOK, "events": ["*"]}),
    Call("get", "/webhook-endpoints/{endpoint}", "webhooks:read", 200),
    Call("patch", "/webhook-endpoints/{endpoint}", "webhooks:write", 200, {"description": "Ours"}),
    Call("delete", "/webhook-endpoints/{endpoint}", "webhooks:write", 204),
    Call("post", "/webhook-endpoints/{endpoint}/rotate-secret", "webhooks:write", 200),
    Call("post", "/webhook-endpoints/{endpoint}/enable", "webhooks:write", 200),
    Call("post", "/webhook-endpoints/{endpoint}/test", "webhooks:write", 202, {"event_type": "message.bounced"}),
    Call(
        "post",
        "/webhook-endpoints/{endpoint}/replay",
        "webhooks:write",
        202,
        {"since": "2026-01-01T00:00:00Z"},
        needs="events:read",
    ),
    Call("get", "/webhook-endpoints/{endpoint}/deliveries", "webhooks:read", 200),
    Call("get", "/webhook-deliveries", "webhooks:read", 200),
    Call("get", "/webhook-deliveries/{delivery}", "webhooks:read", 200),
    Call("post", "/webhook-deliveries/{delivery}/retry", "webhooks:write", 202),
]
NESTED = [replace(call, path="/environments/{environment}" + call.path) for call in OF_AN_ENVIRONMENT]
CALLS = [*OF_THE_ORGANIZATION, *OF_AN_ENVIRONMENT, *NESTED]
HERE = {"AgentPost-Environment": "development"}  # for flat calls that name no item
IDS = re.compile(r"[<{][^>}]*[>}]")


def routed() -> Iterator[tuple[str, str]]:
    """Yield method and path of every route that wants a key, its placeholders empty."""
    nested = [(f"environments/<str:environment>/{path}", *rest) for path, *rest in urls.OF_AN_ENVIRONMENT]
    for path, _, verbs in [*urls.OF_THE_ORGANIZATION, *urls.OF_AN_ENVIRONMENT, *nested]:
        for method in verbs.keys() - {"head"}:  # which DRF adds wherever there is a get
            yield method, "/" + IDS.sub("{}", path)


def called(calls: list[Call]) -> list[tuple[str, str]]:
    return [(call.method, IDS.sub("{}", call.path).partition("?")[0]) for call in calls]


def furnish(world: World, environment: Environment) -> dict[str, str]:
    """Put one of everything into the environment; return the ids by name."""
    with inside(environment):
        endpoint, _ = create_endpoint(environment, actor=SYSTEM, url=HOOK, events=["*"])
        domain, _ = add_domain(environment, f"{environment.slug}.acme.example", actor=SYSTEM)
        rule, _ = create_rule(environment, actor=SYSTEM, **{**RULE, "value": "furnished.example"})
        suppression, _ = suppress(environment, "furnished@example.com", reason="hard_bounce")
    inbox = world.inbox(environment, username="support")
    [message] = world.deliver(inbox, mail_with_file(world))
    with inside(environment):
        [received] = Message.objects.in_environment(environment).filter(pk=message)
        labels.add(environment, [received, received.thread], ["urgent"])
    return {
        **_drafts(environment, inbox),
        "environment": environment.pk,
        "endpoint": endpoint.pk,
        "domain": domain.pk,
        "rule": rule.pk,
        "suppression": suppression.pk,
        "inbox": inbox.pk,
        "message": message,
        "thread": received.thread_id,
        "attachment": world.rows(Attachment, environment)[0].pk,
        "intake": world.rows(IntakeEntry, environment)[0].pk,
        "event": world.rows(Event, environment)[0].pk,
        "delivery": world.rows(WebhookDelivery, environment)[0].pk,
        **_furnish_organization(world, environment),
    }


def _drafts(environment: Environment, inbox: Inbox) -> dict[str, str]:
    outgoing = Outgoing(to=[Address("bob@example.com", "")], subject="Hello")
    with inside(environment):
        draft, pending, approved = (
            writing.create_draft(environment, inbox, outgoing, actor=SYSTEM)[0] for _ in range(3)
        )
        for one in (pending, approved):
            approval.submit(environment, one, actor=SYSTEM)
        approval.approve(environment, approved, actor=PERSON)
        tomorrow = clock.now() + timedelta(days=1)
        waiting = send(environment, inbox, replace(outgoing, send_at=tomorrow), actor=SYSTEM)
    return {"draft": draft.pk, "pending": pending.pk, "approved": approved.pk, "waiting": waiting.pk}


def _furnish_organization(world: World, environment: Environment) -> dict[str, str]:
    organization, name = world.organization, environment.slug
    member, _ = add_member(organization, f"{name}@acme.example", "member", actor=SYSTEM)
    other, _ = add_member(organization, f"other-{name}@acme.example", "member", actor=SYSTEM)
    add_to_environment(environment, member, "member", actor=SYSTEM)
    invitation, _ = invite(organization.pk, f"guest-{name}@acme.example", "member", actor=SYSTEM)
    entries = AuditEntry.objects.in_organization(organization).filter(environment_id=environment.pk)
    return {
        "member": member.pk,
        "other": other.pk,
        "invitation": invitation.pk,
        "key": world.new_key([], environments=[environment]).key.pk,
        "entry": entries.latest("sequence").pk,
    }


def mail_with_file(world: World) -> bytes:
    return world.mail(
        mime_version="1.0",
        content_type='multipart/mixed; boundary="b"',
        text="--b\r\nContent-Type: text/plain\r\n\r\nHello\r\n--b\r\nContent-Type: text/csv\r\n"
        "Content-Disposition: attachment; filename=list.csv\r\n\r\n1,2\r\n--b--",
    )


def furnished_acme() -> tuple[World, dict[str, str]]:
    """Build acme with one of everything in development."""
    world = build("acme")
    return world, furnish(world, world.development)


@pytest.fixture
def furnished(standing: Ground, object_store: Path, request: pytest.FixtureRequest) -> tuple[World, dict[str, str]]:
    """Return acme with one of everything in development, and the ids; for a module whose tests all ask for it."""
    made: tuple[World, dict[str, str]] = standing.stand_on(furnished_acme, request)
    standing.bring_objects(object_store)
    return made


def of_nothing(ids: dict[str, str]) -> dict[str, str]:
    """Return ids of the same kinds that nothing has."""
    return {name: new_id(identifier.partition("_")[0]) for name, identifier in ids.items()}
