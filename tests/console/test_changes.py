"""What people change in the console: through the same services as everybody, and on the record."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import Model
from django.test import Client

from apikeys.authentication import key_of
from apikeys.models import ApiKey
from apikeys.services import environments_of
from environments.binding import inside
from environments.callers import Actor
from environments.models import AuditEntry, Environment, EnvironmentMembership, Invitation
from environments.services.environments import update_environment
from inboxes.models import Domain, FilterRule, Inbox
from inboxes.services.inboxes import update_inbox
from tests.console.factors import proven
from tests.console.house import House, member_of
from tests.console.pages import address, page
from tests.names import Names
from webhooks.models import Event, WebhookDelivery, WebhookEndpoint

GENERAL = {"section": "general", "name": "Development", "slug": "development"}
INCOMING = {"section": "incoming", "authentication_policy": "reject", "content_policy": "quarantine"}
LIMITS = {
    "section": "limits",
    "repetition_limit": "20",
    "quota_warning_percent": "80",
    "deliverability_floor": "50",
}


def fresh(row: Model) -> Any:
    return type(row).everywhere.get(pk=row.pk)


def newest_entry(house: House) -> AuditEntry:
    return AuditEntry.objects.in_organization(house.organization).latest("sequence")


def told(client: Client, where: str = "/console/") -> str:
    return " ".join(str(message) for message in client.get(where).context["messages"])


@pytest.mark.parametrize(
    "missing", [{"reason": ""}, {"confirm": ""}, {"confirm": "developmen"}, {"confirm": "DEVELOPMENT"}]
)
def test_going_live_takes_the_name_and_a_reason(
    missing: dict[str, str], acme: House, signed_in: Callable[..., Client]
) -> None:
    given = {"mode": "live", "confirm": "development", "reason": "Launch day", **missing}
    answer = proven(signed_in("owner")).post(page(acme.development, "delivery-mode"), given)
    assert (answer.status_code, fresh(acme.development).delivery_mode) == (200, "capture")


@pytest.mark.parametrize("typed", ["development", "Development"])
def test_going_live_leaves_a_record(typed: str, acme: House, signed_in: Callable[..., Client]) -> None:
    client, where = proven(signed_in("environment_admin")), page(acme.development, "delivery-mode")
    client.post(where, {"mode": "live", "confirm": typed, "reason": "Launch day"})
    entry = newest_entry(acme)
    assert fresh(acme.development).delivery_mode == "live"
    assert (entry.action, entry.reason, entry.actor_kind) == (
        "environment.delivery_mode_changed", "Launch day", "member",
    )  # fmt: skip
    assert entry.actor_id == member_of(acme, "environment_admin").pk


def test_a_locked_environment_never_goes_live(acme: House, signed_in: Callable[..., Client]) -> None:
    Environment.objects.in_organization(acme.organization).filter(pk=acme.development.pk).update(is_locked=True)
    given = {"mode": "live", "confirm": "development", "reason": "Launch day"}
    response = proven(signed_in("owner")).post(page(acme.development, "delivery-mode"), given)
    assert "it can never go live" in response.content.decode()
    assert fresh(acme.development).delivery_mode == "capture"


@pytest.mark.parametrize("form", [GENERAL, LIMITS, INCOMING])
def test_the_delivery_mode_is_no_field_of_a_section(
    form: dict[str, str], acme: House, signed_in: Callable[..., Client]
) -> None:
    given = {**form, "delivery_mode": "live", "is_locked": "on", "allowlist": "example.com", "outbound_paused": "on"}
    signed_in("owner").post(page(acme.development), given)
    kept = fresh(acme.development)
    assert (kept.delivery_mode, kept.is_locked, kept.allowlist, kept.outbound_paused) == ("capture", False, [], False)


def test_an_allowlist_is_set_with_the_mode(acme: House, signed_in: Callable[..., Client]) -> None:
    given = {"mode": "allowlist", "allowlist": "Acme.example\nann@globex.example", "reason": "Our testers"}
    proven(signed_in("environment_admin")).post(page(acme.development, "delivery-mode"), given)
    kept = fresh(acme.development)
    assert (kept.delivery_mode, kept.allowlist) == ("allowlist", ["acme.example", "ann@globex.example"])


def test_a_redirect_address_is_set_with_the_mode(acme: House, signed_in: Callable[..., Client]) -> None:
    client, where = proven(signed_in("environment_admin")), page(acme.development, "delivery-mode")
    given = {"mode": "redirect", "reason": "Our testers"}
    assert "Name the address" in client.post(where, given).content.decode()
    client.post(where, {**given, "redirect_address": "test@acme.example"})
    kept = fresh(acme.development)
    assert (kept.delivery_mode, kept.redirect_address, kept.allowlist) == ("redirect", "test@acme.example", [])


def test_an_environment_is_locked_by_its_admin_and_unlocked_by_an_operator(
    acme: House, signed_in: Callable[..., Client]
) -> None:
    signed_in("environment_admin").post(page(acme.development, "lock"), {"reason": "A customer's"})
    assert fresh(acme.development).is_locked
    operator = proven(signed_in("operator"))
    operator.get("/console/", {"environment": acme.development.pk})
    operator.post(page(acme.development, "unlock"), {"reason": "Asked by the owner"})
    assert (fresh(acme.development).is_locked, newest_entry(acme).actor_kind) == (False, "operator")


def test_a_person_raises_quotas_of_environment_inbox_and_key(acme: House, signed_in: Callable[..., Client]) -> None:
    client, inbox, key = signed_in("owner"), acme.here("inboxes.inbox"), acme.here("apikeys.apikey")
    client.post(page(acme.development), {**LIMITS, "daily_sending_quota": "7"})
    client.post(page(inbox), {"display_name": inbox.display_name, "hourly_sending_quota": "8"})
    client.post(page(key, "quotas"), {"daily_sending_quota": "9"})
    with inside(acme.development):
        inbox_quota = fresh(inbox).hourly_sending_quota
    assert (fresh(acme.development).daily_sending_quota, inbox_quota, fresh(key).daily_sending_quota) == (7, 8, 9)
    client.post(page(acme.development), {**LIMITS, "daily_sending_quota": "-1"})
    assert fresh(acme.development).daily_sending_quota == 7


def test_a_key_for_the_organization_is_made_from_the_page_of_another_environment(
    acme: House, signed_in: Callable[..., Client]
) -> None:
    given = {"name": "wide", "scopes": ["messages:read"], "reach": "organization", "hourly_sending_quota": "5"}
    signed_in("owner").post(address("apikeys.apikey", "add"), given)
    key = ApiKey.objects.in_organization(acme.organization).get(name="wide")
    with inside(acme.production):
        told_of = Event.objects.in_environment(acme.production).filter(type="api_key.created", data__api_key_id=key.pk)
        assert (key.hourly_sending_quota, told_of.count()) == (5, 1)


def test_a_pause_set_in_the_console_is_one_that_a_person_set(acme: House, signed_in: Callable[..., Client]) -> None:
    given = {"pause": "outbound", "reason": "The agent repeats itself"}
    signed_in("environment_admin").post(page(acme.development, "pause"), given)
    kept, entry = fresh(acme.development), newest_entry(acme)
    assert (kept.outbound_paused, kept.pauses_by_people) == (True, ["outbound"])
    assert kept.pause_reasons["outbound"]["explanation"] == "The agent repeats itself"
    assert (entry.action, entry.reason) == ("environment.updated", "The agent repeats itself")


def test_a_pause_is_lifted_with_a_reason_on_record(acme: House, signed_in: Callable[..., Client]) -> None:
    client = proven(signed_in("environment_admin"))
    client.post(page(acme.development, "pause"), {"pause": "webhooks", "reason": "The receiver is down"})
    client.post(page(acme.development, "lift"), {"pause": "webhooks", "reason": ""})
    assert fresh(acme.development).webhooks_paused
    client.post(page(acme.development, "lift"), {"pause": "webhooks", "reason": "It is back"})
    assert (fresh(acme.development).webhooks_paused, newest_entry(acme).reason) == (False, "It is back")


def test_what_is_not_paused_cannot_be_lifted(acme: House, signed_in: Callable[..., Client]) -> None:
    given = {"pause": "outbound", "reason": "Why not"}
    answer = proven(signed_in("owner")).post(page(acme.development, "lift"), given)
    assert "is not one of the available choices" in answer.content.decode()


def test_the_policies_for_incoming_mail_are_changed_on_record(acme: House, signed_in: Callable[..., Client]) -> None:
    signed_in("environment_admin").post(page(acme.development), INCOMING)
    kept, entry = fresh(acme.development), newest_entry(acme)
    assert (kept.authentication_policy, kept.content_policy) == ("reject", "quarantine")
    assert (entry.action, entry.before["content_policy"]) == ("environment.updated", "flag")


def test_a_filter_rule_is_made_changed_and_deleted_by_its_service(
    acme: House, signed_in: Callable[..., Client]
) -> None:
    client, inbox = signed_in("environment_admin"), acme.here("inboxes.inbox")
    given = {
        "inbox": inbox.pk,
        "direction": "send",
        "action": "block",
        "match_type": "domain",
        "value": "@Rival.example",
    }
    client.post(address("inboxes.filterrule", "add"), given)
    with inside(acme.development):
        rule = FilterRule.objects.in_environment(acme.development).get(value="rival.example")
    assert (rule.inbox_id, rule.set_by_person, newest_entry(acme).action) == (inbox.pk, True, "filter_rule.created")
    client.post(page(rule), {"action": "block", "match_type": "subdomain_wildcard", "value": "rival.example"})
    assert newest_entry(acme).after["match_type"] == "subdomain_wildcard"
    client.post(page(rule, "delete"), {"post": "yes"})
    assert newest_entry(acme).action == "filter_rule.deleted"


def test_a_filter_rule_that_makes_no_sense_is_told(acme: House, signed_in: Callable[..., Client]) -> None:
    given = {"direction": "send", "action": "block", "match_type": "address", "value": "nobody"}
    client = signed_in("owner")
    client.post(address("inboxes.filterrule", "add"), given)
    assert "Must be an address" in told(client)


def test_only_the_environment_that_the_page_stands_in_may_be_changed(
    acme: House, signed_in: Callable[..., Client]
) -> None:
    client = signed_in("owner")
    assert client.get(page(acme.production)).status_code == 200
    assert client.post(page(acme.production), {"name": "Other", "slug": "other"}).status_code == 403
    assert client.get(page(acme.production, "delivery-mode")).status_code == 403


@pytest.mark.parametrize("slug", ["production", "nowhere"])
def test_an_admin_of_one_environment_learns_from_no_answer_which_slugs_are_taken(
    slug: str, acme: House, signed_in: Callable[..., Client]
) -> None:
    client = signed_in("environment_admin")
    client.post(page(acme.development), {**GENERAL, "name": "Renamed", "slug": slug})
    kept = fresh(acme.development)
    assert (kept.name, kept.slug, slug in told(client)) == ("Renamed", "development", False)


def test_a_new_environment_starts_in_capture(acme: House, signed_in: Callable[..., Client]) -> None:
    signed_in("owner").post(address("environments.environment", "add"), {"name": "Customer Initech"})
    made = Environment.objects.in_organization(acme.organization).get(slug="customer-initech")
    assert (made.delivery_mode, newest_entry(acme).action) == ("capture", "environment.created")


def test_a_taken_slug_is_told_and_nothing_is_made(acme: House, signed_in: Callable[..., Client]) -> None:
    client = signed_in("owner")
    client.post(address("environments.environment", "add"), {"name": "Again", "slug": "development"})
    assert "has an environment with the slug development already" in told(client)
    assert Environment.objects.in_organization(acme.organization).count() == 2


@pytest.mark.parametrize(
    "given", [{}, {"post": "yes"}, {"confirm": "production", "reason": "Over"}, {"confirm": "development"}]
)
def test_an_environment_is_not_erased_without_its_name_and_a_reason(
    given: dict[str, str], acme: House, signed_in: Callable[..., Client]
) -> None:
    assert proven(signed_in("owner")).post(page(acme.development, "delete"), given).status_code == 200
    assert fresh(acme.development)


def test_an_environment_is_erased_and_the_page_moves_on(acme: House, signed_in: Callable[..., Client]) -> None:
    client = proven(signed_in("owner"))
    client.post(address("environments.environment", "add"), {"name": "Short"})
    made = Environment.objects.in_organization(acme.organization).get(slug="short")
    client.get("/console/", {"environment": made.pk})
    assert client.post(page(made, "delete"), {"confirm": "short", "reason": "Over"}).status_code == 302
    assert not Environment.objects.in_organization(acme.organization).filter(pk=made.pk).exists()
    assert client.get("/console/").context["console"].environment == acme.production


def test_an_inbox_is_made_by_its_service(acme: House, signed_in: Callable[..., Client]) -> None:
    signed_in("owner").post(address("inboxes.inbox", "add"), {"username": "sales", "display_name": "Sales"})
    with inside(acme.development):
        inbox = Inbox.objects.in_environment(acme.development).get(display_name="Sales")
    assert inbox.email.startswith("sales-")
    assert newest_entry(acme).action == "inbox.created"


def test_an_address_that_is_not_to_be_had_is_told(acme: House, signed_in: Callable[..., Client]) -> None:
    client = signed_in("owner")
    client.post(address("inboxes.inbox", "add"), {"username": "support", "domain": "elsewhere.example"})
    assert "This address is not available" in told(client)


def test_an_inbox_is_changed_and_deleted_with_its_mail(acme: House, signed_in: Callable[..., Client]) -> None:
    client, inbox = signed_in("owner"), acme.here("inboxes.inbox")
    client.post(page(inbox), {"display_name": "Help desk", "send_paused": "on"})
    with inside(acme.development):
        kept = fresh(inbox)
        assert (kept.display_name, kept.send_paused, kept.email) == ("Help desk", True, inbox.email)
    client.post(page(inbox, "delete"), {"post": "yes"})
    assert client.get(page(acme.here("mail.message"))).status_code == 404


def test_a_person_who_pauses_what_a_key_paused_stands_behind_it(acme: House, signed_in: Callable[..., Client]) -> None:
    client, inbox, key = signed_in("owner"), acme.here("inboxes.inbox"), Actor("key", "key_1")
    update_environment(acme.development, {"outbound_paused": True}, actor=key)
    with inside(acme.development):
        update_inbox(inbox, acme.development, {"send_paused": True}, actor=key)
    client.post(page(acme.development, "pause"), {"pause": "outbound", "reason": "I have looked"})
    client.post(page(inbox), {"display_name": inbox.display_name, "send_paused": "on"})
    assert fresh(acme.development).pauses_by_people == ["outbound"]
    with inside(acme.development):
        assert fresh(inbox).paused_by_person


def test_a_domain_is_claimed_and_an_operator_may_vouch_for_it(acme: House, signed_in: Callable[..., Client]) -> None:
    client = signed_in("owner")
    client.post(address("inboxes.domain", "add"), {"name": "Mail.Acme.example"})
    with inside(acme.development):
        domain = Domain.objects.in_environment(acme.development).get(name="mail.acme.example")
    assert "agentpost-verification=" in client.get(page(domain)).content.decode()
    proven(signed_in("operator")).post(page(domain, "vouch"), {"confirmed": "yes"})
    with inside(acme.development):
        assert fresh(domain).status == "verified"


def test_a_webhook_secret_is_shown_once(acme: House, signed_in: Callable[..., Client]) -> None:
    client = signed_in("environment_admin")
    given = {"url": "https://hooks.example/agent", "events": ["message.received", "message.*"]}
    shown = client.post(address("webhooks.webhookendpoint", "add"), given).content.decode()
    with inside(acme.development):
        endpoint = WebhookEndpoint.objects.in_environment(acme.development).get(url="https://hooks.example/agent")
    assert endpoint.secret in shown
    assert endpoint.secret not in client.get(page(endpoint)).content.decode()


@pytest.mark.parametrize("url", ["https://169.254.169.254/latest", "https://10.0.0.8/", "ftp://hooks.example/"])
def test_a_webhook_never_points_inside(url: str, acme: House, signed_in: Callable[..., Client]) -> None:
    given = {"url": url, "events": ["*"]}
    signed_in("owner").post(address("webhooks.webhookendpoint", "add"), given)
    with inside(acme.development):
        assert WebhookEndpoint.objects.in_environment(acme.development).count() == 1


def deliveries_of(house: House) -> list[WebhookDelivery]:
    with inside(house.development):
        return list(WebhookDelivery.objects.in_environment(house.development).select_related("event").order_by("pk"))


def test_a_test_shows_the_delivery_that_it_made(acme: House, signed_in: Callable[..., Client]) -> None:
    where = page(acme.here("webhooks.webhookendpoint"), "test")
    answer = signed_in("environment_admin").post(where, {"event_type": "draft.rejected"})
    made = deliveries_of(acme)[-1]
    assert answer["Location"] == page(made)
    assert (made.state, made.event.type, made.event.is_test) == ("pending", "draft.rejected", True)


def test_a_delivery_that_failed_is_sent_again(acme: House, signed_in: Callable[..., Client]) -> None:
    delivery = acme.here("webhooks.webhookdelivery")
    with inside(acme.development):
        WebhookDelivery.objects.in_environment(acme.development).update(state="failed", next_attempt_at=None)
    client = signed_in("environment_admin")
    client.post(page(delivery, "retry"), {"confirmed": "yes"})
    assert told(client) == "The delivery is sent again."
    assert {one.pk: one.state for one in deliveries_of(acme)}[delivery.pk] == "pending"


def test_a_stretch_of_the_log_is_sent_again(acme: House, signed_in: Callable[..., Client]) -> None:
    client, endpoint = signed_in("environment_admin"), acme.here("webhooks.webhookendpoint")
    with inside(acme.development):
        WebhookDelivery.objects.in_environment(acme.development).filter(endpoint=endpoint).delete()
        events = Event.objects.in_environment(acme.development).count()
    client.post(page(endpoint, "replay"), {"since": "2026-01-01 00:00", "confirmed": "yes"})
    assert told(client) == f"Events that are sent again: {events}."
    assert len(deliveries_of(acme)) == events > 0
    assert newest_entry(acme).action == "webhook_endpoint.replayed"


def test_a_replay_from_the_future_is_refused_beside_its_field(acme: House, signed_in: Callable[..., Client]) -> None:
    where = page(acme.here("webhooks.webhookendpoint"), "replay")
    shown = signed_in("owner").post(where, {"since": "2999-01-01 00:00"}).content.decode()
    assert "Must not lie in the future." in shown


def test_headers_of_a_webhook_are_shown_by_name_only(acme: House, signed_in: Callable[..., Client]) -> None:
    shown = signed_in("owner").get(page(acme.here("webhooks.webhookendpoint"))).content.decode()
    assert ("X-A" in shown, "hidden-value" in shown) == (True, False)


def secret_in(shown: str) -> str:
    return shown.partition('id="secret">')[2].partition("<")[0]


def test_a_key_is_shown_once_and_opens_its_environment(acme: House, signed_in: Callable[..., Client]) -> None:
    given = {"name": "agent", "scopes": ["messages:read", "inboxes:read"], "reach": "environment", "days": "30"}
    shown = signed_in("environment_admin").post(address("apikeys.apikey", "add"), given).content.decode()
    key = key_of(secret_in(shown))
    assert (key.name, key.scopes) == ("agent", ["inboxes:read", "messages:read"])
    assert environments_of(key) == [acme.development]
    assert key.expires_at is not None


@pytest.mark.parametrize(
    "more",
    [
        {"reach": "organization"},
        {"scopes": ["members:write"]},
        {"scopes": ["api_keys:write"]},
        {"scopes": ["drafts:approve"]},
    ],
)
def test_an_admin_of_one_environment_makes_no_key_for_more(
    more: dict[str, Any], acme: House, signed_in: Callable[..., Client]
) -> None:
    given = {"name": "agent", "scopes": ["messages:read"], "reach": "environment", **more}
    response = signed_in("environment_admin").post(address("apikeys.apikey", "add"), given)
    assert "is not one of the available choices" in response.content.decode()
    assert not ApiKey.objects.in_organization(acme.organization).filter(name="agent").exists()


def test_a_key_is_rotated_and_revoked(acme: House, signed_in: Callable[..., Client]) -> None:
    client, key = signed_in("owner"), acme.here("apikeys.apikey")
    secret = secret_in(client.post(page(key, "rotate"), {"confirmed": "yes"}).content.decode())
    assert key_of(secret).pk == key.pk
    client.post(page(key, "revoke"), {"name": "another key"})
    assert fresh(key).revoked_at is None
    client.post(page(key, "revoke"), {"name": key.name})
    assert fresh(key).revoked_at is not None


def test_an_admin_of_the_environment_adds_a_member_by_address(acme: House, signed_in: Callable[..., Client]) -> None:
    client, where = signed_in("environment_admin"), address("environments.environmentmembership", "add")
    client.post(where, {"email": "production@acme.example", "role": "member"})
    places = EnvironmentMembership.objects.in_organization(acme.organization).filter(environment=acme.development)
    assert places.filter(member__user__email="production@acme.example").exists()


@pytest.mark.parametrize("email", ["nobody@acme.example", "owner@globex.example"])
def test_whoever_is_no_member_cannot_be_added_to_an_environment(
    email: str, acme: House, globex: House, signed_in: Callable[..., Client]
) -> None:
    client = signed_in("environment_admin")
    client.post(address("environments.environmentmembership", "add"), {"email": email, "role": "member"})
    assert "No member of the organization has this address" in told(client)


def test_a_place_in_an_environment_is_changed_and_taken(acme: House, signed_in: Callable[..., Client]) -> None:
    client, place = signed_in("environment_admin"), acme.here("environments.environmentmembership")
    client.post(page(place), {"role": "admin"})
    assert (fresh(place).role, newest_entry(acme).before) == ("admin", {"role": "member"})
    client.post(page(place, "delete"), {"post": "yes"})
    assert newest_entry(acme).action == "environment_member.removed"


def test_the_owner_is_not_removed(acme: House, signed_in: Callable[..., Client]) -> None:
    answer = signed_in("admin").post(page(member_of(acme, "owner"), "delete"), {"post": "yes"})
    assert (answer.status_code, member_of(acme, "owner").role) == (403, "owner")


def test_an_invitation_is_made_and_revoked(acme: House, signed_in: Callable[..., Client]) -> None:
    client = signed_in("admin")
    given = {"email": "new@acme.example", "role": "member"}
    assert "/console/invitations/" in client.post(address("environments.invitation", "add"), given).content.decode()
    invitation = Invitation.objects.in_organization(acme.organization).get(email="new@acme.example")
    client.post(page(invitation, "revoke"), {"confirmed": "yes"})
    assert fresh(invitation).status == "revoked"


def test_nobody_is_invited_as_owner(acme: House, signed_in: Callable[..., Client]) -> None:
    given = {"email": "new@acme.example", "role": "owner"}
    signed_in("owner").post(address("environments.invitation", "add"), given)
    assert not Invitation.objects.in_organization(acme.organization).filter(email="new@acme.example").exists()


def test_the_organization_is_renamed(acme: House, signed_in: Callable[..., Client]) -> None:
    signed_in("owner").post(page(acme.organization), {"name": "Acme Corporation"})
    acme.organization.refresh_from_db()
    assert (acme.organization.name, newest_entry(acme).before) == ("Acme Corporation", {"name": "Acme"})


def test_an_operator_finds_every_organization(acme: House, globex: House, signed_in: Callable[..., Client]) -> None:
    shown = signed_in("operator").get(address("environments.organization")).content.decode()
    assert (page(acme.organization) in shown, page(globex.organization) in shown) == (True, True)


def test_a_domain_is_checked_and_its_keys_rotated_by_their_services(
    acme: House, signed_in: Callable[..., Client], dns: Names
) -> None:
    client, domain = signed_in("environment_admin"), acme.here("inboxes.domain")
    dns.put(domain.name, "MX", (1, "mail.<i>google</i>.com"))
    assert client.post(page(domain, "verify")).status_code == 302
    shown = client.get(page(domain)).content.decode()
    assert "The MX points to mail.&lt;i&gt;google" in shown
    assert "There is no TXT record at _agentpost." in shown
    client.post(page(domain, "rotate-keys"))
    assert newest_entry(acme).action == "domain.keys_rotated"
    assert "ed25519" in client.get(page(domain)).content.decode()
