"""The page of an environment: sections that are saved by themselves, and what is done with it as a whole."""

import csv
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from environments import clock
from environments.binding import inside
from environments.callers import SYSTEM, Actor
from environments.console import second_factor
from environments.console.site import site
from environments.ids import new_id
from environments.models import AuditEntry, Environment, UsageHour
from environments.services import usage
from environments.services.environments import create_environment, set_delivery_mode, update_environment
from environments.services.members import add_member, add_to_environment
from inboxes.models import FilterRule
from inboxes.services.filter_rules import create_rule
from tests.console.factors import proven
from tests.console.house import House, member_of
from tests.console.pages import answer, page
from webhooks.models import WebhookEndpoint

PERSON = Actor("member", "mem_1", "a person")
MOST_QUERIES = 15


def fresh(environment: Environment) -> Environment:
    return Environment.objects.in_organization(environment.organization_id).get(pk=environment.pk)


def shown(client: Client, where: str, asked: dict[str, Any] | None = None) -> str:
    return " ".join(client.get(where, asked or {}).content.decode().split())


def entries(house: House, action: str) -> list[AuditEntry]:
    return list(AuditEntry.objects.in_organization(house.organization).filter(action=action).order_by("sequence"))


# --- Sections ---------------------------------------------------------------------------------------------------------


def test_an_environment_is_erased_on_its_own_page_and_in_no_other_way(acme: House) -> None:
    admin = site.get_model_admin(Environment)
    with pytest.raises(PermissionDenied):
        admin.delete_model(RequestFactory().post("/"), acme.development)
    assert fresh(acme.development)


def test_a_section_is_saved_alone_and_says_what_changed(acme: House, signed_in: Callable[..., Client]) -> None:
    client = signed_in("environment_admin")
    given = {"section": "retention", "event_retention_days": "90", "name": "Other", "daily_sending_quota": "1"}
    response = client.post(page(acme.development), given)
    kept = fresh(acme.development)
    assert response["Location"] == f"{page(acme.development)}#retention"
    assert (kept.event_retention_days, kept.name, kept.daily_sending_quota) == (90, "Development", None)
    assert "Saved: Days that an event stays in the log." in shown(client, page(acme.development))


@pytest.mark.parametrize(("given", "kept"), [("365", 365), ("", None)])
def test_mail_is_kept_for_as_many_days_as_the_page_says(
    acme: House, signed_in: Callable[..., Client], given: str, kept: int | None
) -> None:
    update_environment(acme.development, {"message_retention_days": 7}, actor=PERSON)
    section = {"section": "retention", "event_retention_days": "30", "message_retention_days": given}
    signed_in("environment_admin").post(page(acme.development), section)
    assert fresh(acme.development).message_retention_days == kept


def test_a_mistake_is_told_beside_its_field_and_saves_nothing(acme: House, signed_in: Callable[..., Client]) -> None:
    given = {"section": "retention", "event_retention_days": "400"}
    response = signed_in("owner").post(page(acme.development), given)
    assert "less than or equal to 365" in response.content.decode()
    assert fresh(acme.development).event_retention_days == 30


def test_a_taken_slug_is_told_on_the_section(acme: House, signed_in: Callable[..., Client]) -> None:
    given = {"section": "general", "name": "Development", "slug": "production"}
    response = signed_in("owner").post(page(acme.development), given)
    assert "has an environment with the slug production already" in response.content.decode()
    assert fresh(acme.development).slug == "development"


@pytest.mark.parametrize("given", [{}, {"section": ""}, {"section": "danger"}, {"section": "\x00"}])
def test_what_is_no_section_saves_nothing(given: dict[str, str], acme: House, signed_in: Callable[..., Client]) -> None:
    response = signed_in("owner").post(page(acme.development), {**given, "name": "Other"})
    assert (response.status_code, fresh(acme.development).name) == (302, "Development")


def test_the_page_says_who_changed_a_section_last(acme: House, signed_in: Callable[..., Client]) -> None:
    client = signed_in("owner")
    client.post(page(acme.development), {"section": "retention", "event_retention_days": "90"})
    retention = shown(client, page(acme.development)).partition('id="retention"')[2].partition("</section>")[0]
    assert "by owner@acme.example" in retention


def test_a_member_reads_the_page_and_is_offered_no_form(acme: House, signed_in: Callable[..., Client]) -> None:
    text = shown(signed_in("environment_member"), page(acme.development))
    assert ("Quarantine" in text, 'name="section"' in text, "Go live" in text) == (True, False, False)


def test_another_environment_of_ours_tells_nothing_of_how_it_stands(
    acme: House, signed_in: Callable[..., Client]
) -> None:
    text = shown(signed_in("owner"), page(acme.production))
    assert ("Enter Production" in text, 'id="pauses"' in text) == (True, False)


def test_the_page_says_why_it_is_paused_and_what_waits(acme: House, signed_in: Callable[..., Client]) -> None:
    update_environment(acme.development, {"webhooks_paused": True, "pause_reason": "It is <down>"}, actor=PERSON)
    text = shown(signed_in("owner"), page(acme.development))
    assert ("It is &lt;down&gt;" in text, "2 deliveries wait" in text) == (True, True)


# --- Delivery ---------------------------------------------------------------------------------------------------------


def test_the_delivery_page_says_what_is_missing_before_going_live(
    acme: House, signed_in: Callable[..., Client]
) -> None:
    text = shown(signed_in("owner"), page(acme.development, "delivery-mode"))
    assert "Domains of its own that are not verified: 1." in text
    assert "It has inboxes to send from." in text


def test_back_to_capture_is_one_page_with_a_reason(acme: House, signed_in: Callable[..., Client]) -> None:
    set_delivery_mode(acme.development, "live", actor=PERSON, reason="Launch")
    client = signed_in("environment_admin")
    assert "This environment is live." in shown(client, page(acme.development))
    client.post(page(acme.development, "capture"), {"reason": ""})
    assert fresh(acme.development).is_live
    client.post(page(acme.development, "capture"), {"reason": "Something is wrong"})
    assert fresh(acme.development).delivery_mode == "capture"


DEMANDED = [  # page,           posted
    ("delivery-mode", {"mode": "live", "confirm": "development", "reason": "Go"}),
    ("delivery-mode", {"mode": "allowlist", "allowlist": "a.example", "reason": "Go"}),
    ("delivery-mode", {"mode": "redirect", "redirect_address": "a@a.example", "reason": "Go"}),
    ("lift", {"pause": "outbound", "reason": "Go"}),
    ("delete", {"confirm": "development", "reason": "Go"}),
]


@pytest.mark.parametrize(("where", "given"), DEMANDED)
def test_what_lets_mail_out_asks_for_a_second_factor_first(
    where: str,
    given: dict[str, str],
    acme: House,
    signed_in: Callable[..., Client],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from django.http import HttpResponseRedirect

    update_environment(acme.development, {"outbound_paused": True}, actor=PERSON)
    before = fresh(acme.development)
    monkeypatch.setattr(second_factor, "demanded", lambda _: HttpResponseRedirect("/prove-it/"))
    client, there = signed_in("owner"), page(acme.development, where)
    answers = [client.get(there, {"mode": given.get("mode", "")}), client.post(there, given)]
    assert [response["Location"] for response in answers] == ["/prove-it/", "/prove-it/"]
    assert fresh(acme.development) == before
    assert fresh(acme.development).delivery_mode == "capture"


@pytest.mark.parametrize("where", ["capture", "pause", "lock"])
def test_what_holds_mail_back_asks_for_none(
    where: str, acme: House, signed_in: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(second_factor, "demanded", never)
    assert signed_in("owner").get(page(acme.development, where)).status_code == 200


# --- Copying ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def staging(acme: House) -> Environment:
    """Return an environment to copy from, with a setting, a rule and an endpoint of its own."""
    made, _ = create_environment(acme.organization, "Staging", actor=SYSTEM, slug="staging")
    made = update_environment(made, {"daily_sending_quota": 7, "content_policy": "quarantine"}, actor=PERSON)
    with inside(made):
        create_rule(made, actor=PERSON, direction="receive", action="block", match_type="domain", value="spam.example")
        WebhookEndpoint.objects.in_environment(made).create(
            environment=made,
            url="https://staging.example/hook",
            events=["*"],
            secret="whsec_staging",
            headers={"A": "b"},
        )
    return made


def planned(client: Client, house: House, source: Environment) -> Any:
    return client.get(page(house.development, "clone"), {"source": source.pk}).context["plan"]


def test_a_plan_says_what_would_happen_and_changes_nothing(
    acme: House, staging: Environment, signed_in: Callable[..., Client]
) -> None:
    plan = planned(signed_in("owner"), acme, staging)
    assert {(item.kind, item.name) for item in plan.to_do} == {
        ("settings", "daily_sending_quota"),
        ("settings", "content_policy"),
        ("filter rules", "block receive domain spam.example"),
        ("webhook endpoints", "https://staging.example/hook"),
    }
    assert {item.kind for item in plan.items if item.verb == "never"} >= {"delivery mode", "domains", "transport"}
    assert fresh(acme.development).daily_sending_quota is None


def test_applying_a_plan_does_what_it_said_and_shows_new_secrets_once(
    acme: House, staging: Environment, signed_in: Callable[..., Client]
) -> None:
    client = signed_in("owner")
    given = {"source": staging.pk, "digest": planned(client, acme, staging).digest}
    text = client.post(page(acme.development, "clone"), given).content.decode()
    assert fresh(acme.development).daily_sending_quota == 7
    with inside(acme.development):
        assert FilterRule.objects.in_environment(acme.development).filter(value="spam.example").exists()
        endpoint = WebhookEndpoint.objects.in_environment(acme.development).get(url="https://staging.example/hook")
    assert (endpoint.is_enabled, endpoint.headers, endpoint.secret != "whsec_staging") == (False, {}, True)
    assert (endpoint.secret in text, "whsec_staging" in text) == (True, False)
    assert planned(client, acme, staging).to_do == []


def test_a_plan_that_is_out_of_date_is_not_applied(
    acme: House, staging: Environment, signed_in: Callable[..., Client]
) -> None:
    client = signed_in("owner")
    given = {"source": staging.pk, "digest": planned(client, acme, staging).digest}
    update_environment(staging, {"daily_sending_quota": 9}, actor=PERSON)
    client.post(page(acme.development, "clone"), given)
    assert fresh(acme.development).daily_sending_quota is None
    assert "Something has changed since this plan was made" in shown(client, page(acme.development))


def test_what_lets_mail_out_is_never_copied(
    acme: House, staging: Environment, signed_in: Callable[..., Client]
) -> None:
    set_delivery_mode(staging, "live", actor=PERSON, reason="Go", allowlist=["a.example"])
    update_environment(acme.development, {"outbound_paused": True}, actor=PERSON)
    client = signed_in("owner")
    given = {"source": staging.pk, "digest": planned(client, acme, staging).digest}
    client.post(page(acme.development, "clone"), given)
    kept = fresh(acme.development)
    assert (kept.delivery_mode, kept.allowlist, kept.outbound_paused) == ("capture", [], True)


def test_a_copy_loosens_no_limit(acme: House, staging: Environment, signed_in: Callable[..., Client]) -> None:
    update_environment(acme.development, {"daily_sending_quota": 5}, actor=PERSON)
    plan = planned(signed_in("owner"), acme, staging)
    assert {item.name: item.verb for item in plan.items}["daily_sending_quota"] == "keep"


def test_whoever_administers_only_the_target_learns_nothing_of_the_source(
    acme: House, globex: House, signed_in: Callable[..., Client]
) -> None:
    client, where = signed_in("environment_admin"), page(acme.development, "clone")
    answers = [
        answer(client.get(where, {"source": pk}), leave_out=pk)
        for pk in (acme.production.pk, globex.production.pk, new_id("env"))
    ]
    assert answers[0] == answers[1] == answers[2]
    posts = [client.post(where, {"source": pk, "digest": ""}) for pk in (acme.production.pk, new_id("env"))]
    assert {response.status_code for response in posts} == {200}


def test_an_admin_of_both_may_copy(acme: House, staging: Environment, signed_in: Callable[..., Client]) -> None:
    add_to_environment(staging, member_of(acme, "environment_admin"), "admin", actor=SYSTEM)
    client = signed_in("environment_admin")
    assert len(planned(client, acme, staging).to_do) == 4
    given = {"source": staging.pk, "digest": planned(client, acme, staging).digest}
    client.post(page(acme.development, "clone"), given)
    assert fresh(acme.development).daily_sending_quota == 7
    [entry] = entries(acme, "environment.cloned")
    assert staging.pk not in str([entry.before, entry.after])


@pytest.mark.parametrize("source", ["nonsense", "", "env_", "x" * 5000, "env_01J00000000000000000000000\x00"])
def test_a_source_that_is_none_is_no_fault(source: str, acme: House, signed_in: Callable[..., Client]) -> None:
    client, where = signed_in("owner"), page(acme.development, "clone")
    assert client.get(where, {"source": source}).status_code == 200
    assert client.post(where, {"source": source}).status_code == 200


# --- Usage ------------------------------------------------------------------------------------------------------------


def test_usage_is_shown_by_day_and_as_a_file(acme: House, signed_in: Callable[..., Client]) -> None:
    with inside(acme.development):
        usage.count(acme.development.pk, {"messages_in": 41}, at=clock.now() - timedelta(days=2))
    client, where = signed_in("environment_member"), page(acme.development, "usage")
    assert ">41<" in shown(client, where).replace(" ", "")
    response = client.get(where, {"interval": "day", "since": "2020-01-01", "until": "2020-01-03", "format": "csv"})
    rows = list(csv.reader(response.content.decode().splitlines()))
    assert response["Content-Type"].startswith("text/csv")
    assert [row[0] for row in rows] == [
        "start", "2020-01-01T00:00:00.000Z", "2020-01-02T00:00:00.000Z", "2020-01-03T00:00:00.000Z",
    ]  # fmt: skip
    assert rows[0][1:] == list(UsageHour.COUNTERS)


BAD_PERIODS = [
    {"interval": "hour", "since": "2020-01-01", "until": "2020-12-31"},
    {"interval": "day", "since": "2020-01-02", "until": "2020-01-01"},
    {"interval": "week", "since": "2020-01-01", "until": "2020-01-02"},
    {"interval": "day", "since": "0001-01-01", "until": "9999-12-31"},
    {"interval": "day", "since": "yesterday", "until": ""},
    {"interval": "month", "since": "2020-01-01", "until": "2020-01-01\x00"},
]


@pytest.mark.parametrize("given", BAD_PERIODS)
def test_a_period_that_cannot_be_shown_is_no_fault(
    given: dict[str, str], acme: House, signed_in: Callable[..., Client]
) -> None:
    text = shown(signed_in("owner"), page(acme.development, "usage"), given)
    assert "The last 30 days are shown." in text


# --- Cost -------------------------------------------------------------------------------------------------------------


def queries(client: Client, where: str, asked: dict[str, Any] | None = None) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(where, asked or {}).status_code == 200
    return len(captured)


@pytest.mark.parametrize("what", ["change", "delivery-mode", "usage", "delete", "pause"])
def test_a_page_takes_few_queries_and_no_more_with_more_rows(
    what: str, acme: House, signed_in: Callable[..., Client]
) -> None:
    client, where = proven(signed_in("owner")), page(acme.development, what)
    first = queries(client, where)
    for number in range(20):
        member, _ = add_member(acme.organization, f"more-{number}@acme.example", "member", actor=SYSTEM)
        add_to_environment(acme.development, member, "member", actor=SYSTEM)
        with inside(acme.development):
            create_rule(
                acme.development,
                actor=PERSON,
                direction="receive",
                action="block",
                match_type="domain",
                value=f"spam-{number}.example",
            )
            usage.count(acme.development.pk, {"messages_in": 1}, at=clock.now() - timedelta(days=number))
    update_environment(acme.development, {"event_retention_days": 90}, actor=PERSON)
    assert (first < MOST_QUERIES, queries(client, where)) == (True, first)


def test_a_plan_takes_as_many_queries_with_one_rule_as_with_twenty(
    acme: House, staging: Environment, signed_in: Callable[..., Client]
) -> None:
    client, where = signed_in("owner"), page(acme.development, "clone")
    first = queries(client, where, {"source": staging.pk})
    with inside(staging):
        for number in range(20):
            create_rule(
                staging,
                actor=PERSON,
                direction="send",
                action="block",
                match_type="domain",
                value=f"spam-{number}.example",
            )
    assert (first, queries(client, where, {"source": staging.pk})) == (first, first)
