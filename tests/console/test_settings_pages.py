"""Settings pages: what they show, in how many queries, and what they never show."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apikeys.authentication import key_of
from apikeys.services import create_key, environments_of
from environments.binding import inside
from environments.callers import SYSTEM, Actor
from environments.models import AuditEntry, Environment
from environments.services import audit
from environments.tasks import verify_chain
from inboxes.models import Domain, Suppression
from inboxes.services.filter_rules import create_rule
from inboxes.services.suppressions import suppress
from tests.console.house import House
from tests.console.pages import address, page
from tests.console.test_changes import fresh, newest_entry, told
from tests.names import Names
from webhooks.models import DeliveryAttempt, Event, WebhookDelivery, WebhookEndpoint

MOST_QUERIES = 15
LISTS = [
    "inboxes.domain",
    "inboxes.filterrule",
    "inboxes.suppression",
    "webhooks.webhookendpoint",
    "webhooks.webhookdelivery",
    "webhooks.event",
    "apikeys.apikey",
    "environments.auditentry",
]


def queries_of(client: Client, where: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(where).status_code == 200, where
    return len(captured)


def fill(house: House) -> None:
    """Put twenty more of everything into development."""
    here = house.development
    for number in range(20):
        create_key(house.organization.pk, f"key {number}", actor=SYSTEM, environments=[here])
    with inside(here):
        endpoint = house.here("webhooks.webhookendpoint")
        for number in range(20):
            Domain.objects.in_environment(here).create(environment=here, name=f"d{number}.example", ownership_token="t")
            create_rule(
                here, actor=SYSTEM, direction="receive", action="block", match_type="domain", value=f"s{number}.example"
            )
            suppress(here, f"gone{number}@example.com", reason="manual", actor=Actor("member", name="ann"))
            event = Event.objects.in_environment(here).create(environment=here, type="message.sent", data={})
            delivery = WebhookDelivery.objects.in_environment(here).create(
                environment=here, endpoint=endpoint, event=event, state="delivered"
            )
            DeliveryAttempt.objects.in_environment(here).create(
                environment=here, delivery=delivery, number=1, duration_ms=1
            )
            WebhookEndpoint.objects.in_environment(here).create(
                environment=here, url=f"https://e{number}.example/", events=["*"], secret="whsec_x"
            )


def test_lists_and_pages_ask_as_many_questions_of_twenty_rows_as_of_one(
    acme: House, signed_in: Callable[..., Client]
) -> None:
    client = signed_in("owner")
    wheres = [address(label) for label in LISTS] + [page(acme.here(label)) for label in LISTS]
    wheres += ["/console/webhooks/event/live/", "/console/inboxes/filterrule/try/?address=a@example.com&direction=send"]
    before = {where: queries_of(client, where) for where in wheres}
    fill(acme)
    after = {where: queries_of(client, where) for where in wheres}
    assert {where: (number, after[where]) for where, number in before.items() if after[where] > number} == {}
    assert {where: number for where, number in after.items() if number >= MOST_QUERIES} == {}


@pytest.mark.parametrize("role", ["environment_member", "operator"])
def test_whoever_may_only_look_is_offered_nothing_to_change(
    role: str, acme: House, signed_in: Callable[..., Client]
) -> None:
    client, offered = signed_in(role), []
    labels = [
        label for label in [*LISTS, "mail.transport"] if label.partition(".")[0] not in {"apikeys", "environments"}
    ]
    for label in labels:
        base = address(label)
        for where in (base, page(acme.here(label))):
            shown = client.get(where).content.decode()
            acts = ["add", "verify", "rotate-keys", "catch-all", "lift", "test", "replay", "disable", "retry", "resend"]
            offered += [(where, act) for act in acts if base in shown and f'/{act}/"' in shown]
    assert offered == []


BAD_QUERIES = [
    "before=nonsense",
    "before=evt_ZZZ",
    "since=9999-12-31&until=0001-01-01",
    "since=yesterday",
    "endpoint=whe_1",
]


@pytest.mark.parametrize("query", [*BAD_QUERIES, "type=x%00y", "email=%F0%9F%92%A9", "actor_name=%00", "action=%25"])
def test_a_list_takes_whatever_its_address_says(query: str, acme: House, signed_in: Callable[..., Client]) -> None:
    client = signed_in("owner")
    wheres = [f"{address(label)}?{query}" for label in LISTS]
    assert {where: client.get(where).status_code for where in wheres} == dict.fromkeys(wheres, 200)


def test_a_list_goes_on_where_it_stopped(acme: House, signed_in: Callable[..., Client]) -> None:
    client, here = signed_in("environment_member"), acme.development
    with inside(here):
        for number in range(60):
            suppress(here, f"gone{number}@example.com", reason="manual", actor=Actor("member", name="ann"))
    first = client.get(address("inboxes.suppression"), {"reason": "manual"})
    older = client.get(address("inboxes.suppression") + first.context["page"].older)
    assert [len(answer.context["page"].rows) for answer in (first, older)] == [50, 10]
    assert not older.context["page"].older


def test_a_list_of_endpoints_leads_to_the_older_ones(acme: House, signed_in: Callable[..., Client]) -> None:
    client, here, label = signed_in("environment_member"), acme.development, "webhooks.webhookendpoint"
    with inside(here):
        rows = WebhookEndpoint.objects.in_environment(here)
        rows.bulk_create(
            WebhookEndpoint(environment=here, url=f"https://{number}.example/", events=["*"], secret="whsec_x")
            for number in range(60)
        )
    first = client.get(address(label))
    assert f'href="{first.context["page"].older}" rel="next"' in first.content.decode()


def test_links_of_the_overview_narrow_a_list_as_they_do_djangos(acme: House, signed_in: Callable[..., Client]) -> None:
    client, one = signed_in("owner"), acme.here("webhooks.webhookdelivery")
    asked = {"state__exact": "pending", "endpoint__id__exact": one.endpoint_id, "id__gte": one.pk}
    found = client.get(address("webhooks.webhookdelivery"), asked).context["page"]
    assert ([row.pk for row in found.rows], found.since is not None) == ([one.pk], True)
    assert not client.get(address("webhooks.webhookdelivery"), {"state__exact": "failed"}).context["page"].rows


# --- domains ----------------------------------------------------------------------------------------------------------


def test_a_domain_is_added_on_the_way_to_its_records(acme: House, signed_in: Callable[..., Client]) -> None:
    client = signed_in("owner")
    shown = client.post(address("inboxes.domain", "add"), {"name": "mail.acme.example"}, follow=True).content.decode()
    assert "_agentpost.mail.acme.example" in shown
    assert 'data-copy="agentpost-verification=' in shown


def test_dns_is_asked_while_no_transaction_is_open(
    acme: House, signed_in: Callable[..., Client], dns: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    from environments.binding import standing_in
    from inboxes.services import verification

    stood, ask = [], verification.ask
    monkeypatch.setattr(verification, "ask", lambda check: stood.append(standing_in()) or ask(check))
    client, domain = signed_in("environment_admin"), acme.here("inboxes.domain")
    client.post(page(domain, "verify"))
    assert stood == [None]
    client.post(page(domain, "verify"))
    assert len(stood) == 1  # a second check at once is refused
    with inside(acme.development):
        assert fresh(domain).checks["ownership"]["status"] == "pending"


def test_a_zone_file_is_handed_out(acme: House, signed_in: Callable[..., Client]) -> None:
    answer = signed_in("environment_member").get(page(acme.here("inboxes.domain"), "zone-file"))
    assert (answer["Content-Type"], "IN\tMX" in answer.content.decode()) == ("text/dns; charset=utf-8", True)


def test_a_catch_all_is_an_inbox_of_the_domain(acme: House, signed_in: Callable[..., Client]) -> None:
    client, domain, inbox = signed_in("environment_admin"), acme.here("inboxes.domain"), acme.here("inboxes.inbox")
    assert "Select a valid choice" in client.post(page(domain, "catch-all"), {"inbox": inbox.pk}).content.decode()
    with inside(acme.development):
        type(inbox).objects.in_environment(acme.development).filter(pk=inbox.pk).update(domain=domain)
    client.post(page(domain, "catch-all"), {"inbox": inbox.pk})
    with inside(acme.development):
        assert fresh(domain).catch_all_id == inbox.pk
    assert newest_entry(acme).action == "domain.catch_all_chosen"


# --- rules and suppressions -------------------------------------------------------------------------------------------


def test_an_address_is_tried_against_the_rules(acme: House, signed_in: Callable[..., Client]) -> None:
    client, where = signed_in("environment_member"), "/console/inboxes/filterrule/try/"
    blocked = client.get(where, {"address": "ann@spam-acme-development.example", "direction": "receive"})
    assert blocked.context["decision"].rule_id == acme.here("inboxes.filterrule").pk
    foreign = client.get(where, {"address": "ann@spam-acme-production.example", "direction": "receive"})
    assert foreign.context["decision"].rule_id is None
    left = client.get(where, {"address": "left@acme-development.example", "direction": "send"}).content.decode()
    assert "It is suppressed as well" in left
    nowhere = {"address": "ann@example.com", "direction": "send", "inbox": "support@acme-production.example"}
    assert "There is no inbox with this address here" in client.get(where, nowhere).content.decode()


def test_an_allow_rule_blocks_the_rest_in_an_inbox_without_rules(acme: House, signed_in: Callable[..., Client]) -> None:
    with inside(acme.development):
        create_rule(
            acme.development, actor=SYSTEM, direction="send", action="allow", match_type="domain", value="a.example"
        )
    asked = {"address": "ann@b.example", "direction": "send"}
    decision = signed_in("owner").get("/console/inboxes/filterrule/try/", asked).context["decision"]
    assert (decision.allowed, "no allow rule" in decision.reason) == (False, True)


def test_a_suppression_is_found_by_its_address_and_lifted(acme: House, signed_in: Callable[..., Client]) -> None:
    client, one = signed_in("environment_admin"), acme.here("inboxes.suppression")
    shown = client.get(address("inboxes.suppression"), {"email": " Left@ACME-development.example"})
    assert [row.pk for row in shown.context["page"].rows] == [one.pk]
    answer = client.post(page(one, "lift"), {"reason": "They asked"}, follow=True)
    assert (answer.status_code, "may be written to again" in answer.content.decode()) == (200, True)
    with inside(acme.development):
        assert not Suppression.objects.in_environment(acme.development).exists()


# --- webhooks ---------------------------------------------------------------------------------------------------------


def test_headers_of_an_endpoint_go_in_and_never_come_out(acme: House, signed_in: Callable[..., Client]) -> None:
    client, endpoint = signed_in("owner"), acme.here("webhooks.webhookendpoint")
    given = {"url": "https://hooks.example/agent", "events": ["*"], "description": "", "inboxes": ""}
    client.post(page(endpoint), given)
    with inside(acme.development):
        assert fresh(endpoint).headers == {"X-A": "hidden-value"}
    client.post(page(endpoint), {**given, "own_headers": "X-B: other-secret"})
    with inside(acme.development):
        assert fresh(endpoint).headers == {"X-B": "other-secret"}
    assert "other-secret" not in client.get(page(endpoint)).content.decode()
    refused = client.post(page(endpoint), {**given, "own_headers": "webhook-id: forged"}).content.decode()
    assert "none that AgentPost sets itself" in refused
    client.post(page(endpoint), {**given, "no_headers": "on"})
    with inside(acme.development):
        assert fresh(endpoint).headers == {}


@pytest.mark.parametrize("by", ["email", "pk"])
def test_an_endpoint_listens_to_inboxes_of_its_own_environment_only(
    by: str, acme: House, signed_in: Callable[..., Client]
) -> None:
    client, endpoint = signed_in("owner"), acme.here("webhooks.webhookendpoint")
    given = {"url": "https://hooks.example/agent", "events": ["message.*"], "description": ""}
    theirs = client.post(page(endpoint), {**given, "inboxes": getattr(acme.there("inboxes.inbox"), by)})
    assert "There is no inbox" in theirs.content.decode()
    client.post(page(endpoint), {**given, "inboxes": getattr(acme.here("inboxes.inbox"), by)})
    with inside(acme.development):
        assert fresh(endpoint).inbox_ids == [acme.here("inboxes.inbox").pk]


def test_a_person_disables_and_enables_an_endpoint(acme: House, signed_in: Callable[..., Client]) -> None:
    client, endpoint = signed_in("environment_admin"), acme.here("webhooks.webhookendpoint")
    client.post(page(endpoint, "disable"), {"reason": "Maintenance"})
    with inside(acme.development):
        kept = fresh(endpoint)
        waiting = WebhookDelivery.objects.in_environment(acme.development).filter(endpoint=endpoint, state="pending")
        assert (kept.is_enabled, "Maintenance" in kept.disabled_reason, waiting.exists()) == (False, True, False)
        assert Event.objects.in_environment(acme.development).filter(type="webhook_endpoint.disabled").exists()
    assert newest_entry(acme).reason == "Maintenance"
    assert "Maintenance" in client.get(page(endpoint)).content.decode()
    client.post(page(endpoint, "enable"), {"confirmed": "yes"})
    with inside(acme.development):
        assert fresh(endpoint).is_enabled


def test_a_replay_says_first_what_it_would_send(acme: House, signed_in: Callable[..., Client]) -> None:
    client, endpoint = signed_in("environment_admin"), acme.here("webhooks.webhookendpoint")
    with inside(acme.development):
        rows = WebhookDelivery.objects.in_environment(acme.development)
        rows.update(state="delivered", next_attempt_at=None)
        known, events = rows.count(), Event.objects.in_environment(acme.development).count()
    asked = {"since": "2026-01-01 00:00"}
    assert client.post(page(endpoint, "replay"), asked).context["foreseen"].count == events
    missed = client.post(page(endpoint, "replay"), {**asked, "only_missed": "on"}).context["foreseen"]
    assert missed.count == events - known
    client.post(page(endpoint, "replay"), {**asked, "only_missed": "on", "confirmed": "yes"})
    assert told(client) == f"Events that are sent again: {missed.count}."


def test_an_event_is_sent_to_an_endpoint_of_its_own_environment(acme: House, signed_in: Callable[..., Client]) -> None:
    client, event = signed_in("environment_admin"), acme.here("webhooks.event")
    theirs = client.post(page(event, "resend"), {"endpoint": acme.there("webhooks.webhookendpoint").pk})
    assert "Select a valid choice" in theirs.content.decode()
    with inside(acme.development):
        WebhookDelivery.objects.in_environment(acme.development).all().delete()
    client.post(page(event, "resend"), {"endpoint": acme.here("webhooks.webhookendpoint").pk})
    with inside(acme.development):
        made = WebhookDelivery.objects.in_environment(acme.development).get()
    assert (made.event_id, newest_entry(acme).action) == (event.pk, "webhook_endpoint.resent")


def test_a_delivery_shows_payload_attempts_and_answers_as_text(acme: House, signed_in: Callable[..., Client]) -> None:
    delivery = acme.here("webhooks.webhookdelivery")
    with inside(acme.development):
        DeliveryAttempt.objects.in_environment(acme.development).update(
            status=500, response_body="<script>alert(1)</script>", request_url="https://hooks.example/",
            request_headers={"X-A": "•••"},
        )  # fmt: skip
    shown = signed_in("environment_member").get(page(delivery)).content.decode()
    assert "&lt;script&gt;alert(1)" in shown
    assert "<script>alert(1)" not in shown
    assert "Words of acme-development" in shown
    assert "hidden-value" not in shown


def test_an_operator_who_looks_at_a_payload_is_noted(acme: House, signed_in: Callable[..., Client]) -> None:
    delivery = acme.here("webhooks.webhookdelivery")
    signed_in("operator").get(page(delivery))
    assert (newest_entry(acme).action, newest_entry(acme).target_id) == ("operator.looked", delivery.pk)


def test_filters_offer_and_take_rows_of_their_own_environment_only(
    walls: str, acme: House, signed_in: Callable[..., Client]
) -> None:
    client, theirs = signed_in("owner"), acme.there("webhooks.webhookendpoint")
    shown = client.get(address("webhooks.webhookdelivery"), {"endpoint": theirs.pk}).content.decode()
    assert theirs.url not in shown
    events = client.get(address("webhooks.event"), {"inbox": "support@acme-production.example"})
    assert list(events.context["page"].rows) == []


# --- keys -------------------------------------------------------------------------------------------------------------


def secret_in(shown: str) -> str:
    return shown.partition('id="secret">')[2].partition("<")[0]


def test_a_key_is_made_for_chosen_environments_of_the_organization(
    acme: House, globex: House, signed_in: Callable[..., Client]
) -> None:
    client, where = signed_in("admin"), address("apikeys.apikey", "add")
    given: dict[str, Any] = {"name": "both", "scopes": ["messages:read"], "reach": "named"}
    foreign = client.post(where, {**given, "environments": [globex.production.pk]}).content.decode()
    assert "Select a valid choice" in foreign
    assert "Choose at least one" in client.post(where, given).content.decode()
    both = [acme.production, acme.development]
    shown = client.post(where, {**given, "environments": [one.pk for one in both]}).content.decode()
    key = key_of(secret_in(shown))
    assert {one.pk for one in environments_of(key)} == {one.pk for one in both}
    assert f"AGENTPOST_API_KEY={secret_in(shown)}" in shown


def test_a_preset_fills_the_table_and_leaves_out_what_the_role_may_not_give(
    acme: House, signed_in: Callable[..., Client]
) -> None:
    shown = signed_in("environment_admin").get(address("apikeys.apikey", "add"), {"preset": "full"})
    boxes = shown.content.decode()
    assert 'value="messages:send"' in boxes
    assert 'value="api_keys:write"' not in boxes


@pytest.mark.parametrize("scope", ["drafts:approve", "api_keys:write", "members:read"])
def test_who_could_not_have_made_a_key_is_not_shown_its_secret(
    scope: str, acme: House, signed_in: Callable[..., Client]
) -> None:
    scopes, here = ["messages:read", scope], [acme.development]
    key = create_key(acme.organization.pk, "strong", actor=SYSTEM, scopes=scopes, environments=here).key
    client = signed_in("environment_admin")
    assert page(key, "rotate") not in client.get(page(key)).content.decode()
    assert page(key, "revoke") in client.get(page(key)).content.decode()
    assert client.post(page(key, "rotate"), {"overlap": ""}).status_code == 403
    assert fresh(key).secret_hash == key.secret_hash
    assert secret_in(signed_in("admin").post(page(key, "rotate"), {"overlap": ""}).content.decode())


def test_a_rotated_key_may_end_at_once(acme: House, signed_in: Callable[..., Client]) -> None:
    client, key = signed_in("owner"), acme.here("apikeys.apikey")
    old = secret_in(client.post(page(key, "rotate"), {"overlap": "168"}).content.decode())
    assert "valid too, until" in client.get(page(key)).content.decode()
    client.post(page(key, "rotate"), {"overlap": "0"})
    from environments.errors import Unauthenticated

    with pytest.raises(Unauthenticated):
        key_of(old)


# --- audit ------------------------------------------------------------------------------------------------------------


def test_a_change_is_shown_field_by_field(acme: House, signed_in: Callable[..., Client]) -> None:
    client = signed_in("owner")
    client.post(page(acme.organization), {"name": "Acme Corporation"})
    shown = client.get(page(newest_entry(acme))).context["changes"]
    assert [(one["field"], one["before"], one["after"]) for one in shown] == [("name", "Acme", "Acme Corporation")]


def test_a_chain_is_verified_at_its_end_now_and_as_a_whole_by_the_worker(
    acme: House, signed_in: Callable[..., Client]
) -> None:
    client = signed_in("owner")
    client.post("/console/environments/auditentry/verify/")
    assert "are intact" in told(client, address("environments.auditentry"))
    assert verify_chain(acme.organization.pk, {"kind": "member", "id": "", "name": "ann", "address": None}) == 0
    assert "Whole chain verified through entry" in client.get(address("environments.auditentry")).content.decode()


def test_a_broken_chain_is_shown_loudly(acme: House, signed_in: Callable[..., Client]) -> None:
    entry = forge(acme)
    client = signed_in("owner")
    shown = client.get(address("environments.auditentry")).content.decode()
    assert ('role="alert"' in shown, "Entries on this page were changed" in shown) == (True, True)
    client.post("/console/environments/auditentry/verify/")
    assert "1 are broken" in told(client, address("environments.auditentry"))
    verify_chain(acme.organization.pk, {"kind": "member", "id": "", "name": "ann", "address": None})
    shown = client.get(address("environments.auditentry")).content.decode()
    assert ("The audit chain is broken" in shown, entry.pk in shown) == (True, True)


def forge(house: House) -> AuditEntry:
    """Add an entry whose hash does not fit what it says."""
    last = newest_entry(house)
    rows = AuditEntry.objects.in_organization(house.organization)
    return rows.create(
        organization=house.organization, sequence=last.sequence + 1, at=last.at, actor_kind="system",
        action="domain.added", target_id="dom_1", previous_hash=last.hash, hash=b"x" * 32,
    )  # fmt: skip


def test_the_export_holds_what_the_list_shows_and_is_recorded(acme: House, signed_in: Callable[..., Client]) -> None:
    client, where = signed_in("environment_admin"), "/console/environments/auditentry/export/"
    answer = client.post(f"{where}?actor_kind=system", {"format": "csv"})
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert {row["environment_id"] for row in rows} == {acme.development.pk}
    entry = newest_entry(acme)
    assert (entry.action, entry.environment_id) == ("audit.exported", acme.development.pk)
    assert entry.after["filters"] == {"actor_kind": "system"}
    whole = json.loads(b"".join(signed_in("owner").post(where, {"format": "json"}).streaming_content))
    assert {acme.production.pk, acme.development.pk} <= {row["environment_id"] for row in whole}


@pytest.mark.parametrize("role", ["environment_member", "environment_admin"])
def test_the_whole_chain_is_verified_by_those_who_see_all_of_it(
    role: str, acme: House, signed_in: Callable[..., Client]
) -> None:
    client = signed_in(role)
    assert client.post("/console/environments/auditentry/verify/").status_code == 403
    may_export = client.get("/console/environments/auditentry/export/").status_code == 200
    assert may_export == (role == "environment_admin")


def test_an_admin_of_an_environment_learns_nothing_of_the_length_of_the_chain(
    acme: House, signed_in: Callable[..., Client]
) -> None:
    shown = signed_in("environment_admin").get(page(newest_entry_in(acme.development))).content.decode()
    assert "<dt>Number</dt>" not in shown


def newest_entry_in(environment: Environment) -> AuditEntry:
    entries = AuditEntry.objects.in_organization(environment.organization)
    return entries.filter(environment_id=environment.pk).latest("sequence")


def test_what_a_spreadsheet_would_carry_out_is_text(acme: House, signed_in: Callable[..., Client]) -> None:
    audit.record(
        acme.organization, Actor("key", "key_1", "=cmd()"), "domain.added", "dom_1", environment=acme.development
    )
    answer = signed_in("owner").post("/console/environments/auditentry/export/?actor_name=%3Dcmd()", {"format": "csv"})
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert [row["actor_name"] for row in rows] == ["'=cmd()"]
