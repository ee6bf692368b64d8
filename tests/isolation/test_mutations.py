"""The proof turns red when any one guard is taken out of the code, or when something new has no probe."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from django.apps import apps
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.urls import clear_url_caches, path
from procrastinate.contrib.django import app as procrastinate_app

from agentpost_site import urls
from agentpost_site.isolation import (
    api,
    bounces,
    chores,
    console,
    database,
    departures,
    lists,
    rights,
    streams,
    traffic,
)
from agentpost_site.isolation.exchange import Caller
from agentpost_site.isolation.findings import Area
from agentpost_site.isolation.world import World
from apikeys import streams as listening
from apikeys.permissions import HasScope
from environments import pages, resolution
from environments.callers import Caller as Asker
from environments.console.admins import EnvironmentModelAdmin
from environments.errors import NotFound
from environments.gates import environment_id_of
from environments.models import EnvironmentOwned
from environments.viewsets import BaseViewSet
from mail.api.messages import MessageView
from mail.models import HandOver, Message
from mail.sending.parcels import parcel_of
from mail.services import return_path
from mail.services.reports import Reports
from mail.services.threads import Threads

from .conftest import Mutated, everything

NESTED = "api/v1/environments/<str:environment>/messages/<str:pk>"
FLAT = "api/v1/messages/<str:pk>"


def red(*areas: Area) -> list[Any]:
    return [found for area in areas for found in (*area.leaks, *area.uncovered)]


def narrow(world: World) -> Caller:
    """Return the key that reaches ours alone; what leaks to it is taken back, so that the world stays whole."""
    return api.hasty(api.callers(world, takes_back=True)[0])


def asked(world: World, route: str) -> list[Any]:
    return red(*api.probe_operations([narrow(world)], world, route, controls=False))


def listed(world: World) -> list[Any]:
    return red(lists.probe_lists([narrow(world)], world))


# --- Wall one, with wall two taken down, and each as the other's second line ---


def test_without_wall_two_the_api_still_holds(world: World) -> None:
    with database.without_wall_two():
        assert asked(world, NESTED) == []


@pytest.mark.usefixtures("careless_manager")
def test_a_manager_that_returns_everything_leaks_once_wall_two_is_down(world: World) -> None:
    assert asked(world, NESTED) == []
    with database.without_wall_two():
        assert asked(world, NESTED)
        assert [leak for leak in listed(world) if leak.probe.endswith("GET /api/v1/messages")]


@pytest.mark.usefixtures("careless_viewset")
def test_a_viewset_that_reads_everywhere_leaks_once_wall_two_is_down(world: World) -> None:
    assert asked(world, NESTED) == []
    with database.without_wall_two():
        assert asked(world, NESTED)
        assert listed(world)


def test_a_console_page_that_reads_everywhere_leaks_once_wall_two_is_down(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unconfined(self: EnvironmentModelAdmin, request: HttpRequest) -> models.QuerySet:
        return everything(self.model).order_by(*self.get_ordering(request))

    monkeypatch.setattr(EnvironmentModelAdmin, "get_queryset", unconfined)
    with database.without_wall_two():
        assert red(console.probe_rows(replace(console.sessions(world)[0], takes_back=True), world))


WALLS_OF_POSTGRES = {
    "a table without row-level security": "ALTER TABLE mail_message DISABLE ROW LEVEL SECURITY",
    "a policy that lets everything through": "ALTER POLICY one_environment ON mail_message USING (true)",
    "a policy that lets everything in": "ALTER POLICY one_environment ON mail_message WITH CHECK (true)",
}


@pytest.mark.parametrize("what", WALLS_OF_POSTGRES)
def test_unscoped_queries_reach_across_with(what: str, world: World, mutated: Mutated) -> None:
    assert red(database.probe_without_wall_one(world)) == []
    with mutated(WALLS_OF_POSTGRES[what]):
        assert red(database.probe_without_wall_one(world))


def test_a_row_straddles_when_a_composite_key_is_gone(world: World, mutated: Mutated) -> None:
    assert red(database.probe_composite_keys(world)) == []
    with mutated("ALTER TABLE mail_message DROP CONSTRAINT mail_message_thread_same_owner"):
        assert red(database.probe_composite_keys(world))


# --- The guards above the rows ---


def test_the_rights_hold(world: World) -> None:
    assert red(rights.probe_rights(world)) == []


def test_a_scope_that_nobody_checks_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HasScope, "has_permission", lambda *_: True)
    assert red(rights.probe_rights(world))


@pytest.mark.parametrize("attribute", ["permission_classes", "authentication_classes"])
def test_a_view_without_its_classes_is_found(attribute: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MessageView, attribute, ())
    assert red(rights.probe_rights(world))


def test_a_caller_that_reaches_everything_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Asker, "reaches", lambda *_: True)
    assert asked(world, FLAT)


def test_one_query_more_for_what_exists_elsewhere_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def hasty(caller: Asker, model: type[EnvironmentOwned], identifier: str) -> Any:
        environment_id = environment_id_of(model, identifier)
        if environment_id is None:
            raise NotFound
        return resolution.find(caller, environment_id)

    assert asked(world, FLAT) == []
    monkeypatch.setattr(resolution, "_of_item", hasty)
    assert asked(world, FLAT)


def test_a_cursor_that_opens_every_list_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "_signer", lambda *_: pages.Signer(salt="one for all"))
    assert listed(world)


def test_a_thread_that_is_joined_from_another_inbox_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    original = Threads._known

    def careless(self: Threads, inboxes: set[str], digests: set[Any]) -> dict[Any, str]:
        everywhere = set(world.ours.ids(apps.get_model("inboxes.Inbox")))
        found = original(self, inboxes | everywhere, digests)
        return {(inbox, digest): thread for (_, digest), thread in found.items() for inbox in everywhere}

    assert red(traffic.probe_threads(world)) == []
    monkeypatch.setattr(Threads, "_known", careless)
    assert red(traffic.probe_threads(world))


def test_a_ticket_that_opens_more_than_its_environment_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert red(streams.probe_streams(world)) == []
    monkeypatch.setattr(listening, "_narrowed", lambda caller, _: caller)
    assert red(streams.probe_streams(world))


def test_a_token_that_is_taken_at_any_address_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    original = return_path.ask

    def careless(gate: str, hand_over: Any, _: str, domain: str, days: int) -> list[Any]:
        addresses = [bounces.inbox_of(place).email for place in world.places]
        return next(filter(None, (original(gate, hand_over, one, domain, days) for one in addresses)), [])

    assert red(bounces.probe_bounces(world)) == []
    monkeypatch.setattr(return_path, "ask", careless)
    assert red(bounces.probe_bounces(world))


def test_a_token_that_is_looked_up_everywhere_still_changes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def careless(_: Reports, tokens: dict[int, list[str]]) -> dict[int, HandOver]:
        found = {number: HandOver.everywhere.filter(pk__in=theirs).first() for number, theirs in tokens.items()}
        return {number: row for number, row in found.items() if row}

    monkeypatch.setattr(Reports, "_hand_overs", careless)
    monkeypatch.setattr(Reports, "_locked", lambda _, ids: Message.everywhere.in_bulk(ids))
    with database.without_wall_two():
        assert red(bounces.probe_bounces(world)) == []


# --- What is new and has no probe ---


class Spy(BaseViewSet):
    """A view whose path names something that nobody knows."""

    def retrieve(self, request: HttpRequest, pk: str) -> HttpResponse:
        return HttpResponse(pk)


def spy(request: HttpRequest, pk: str) -> HttpResponse:
    return HttpResponse(pk)


@contextmanager
def routed(route: str, view: Any) -> Iterator[None]:
    pattern = path(route, view)
    urls.urlpatterns.append(pattern)
    clear_url_caches()
    try:
        yield
    finally:
        urls.urlpatterns.remove(pattern)
        clear_url_caches()


def test_an_operation_without_a_probe_is_uncovered(world: World) -> None:
    with routed("api/v1/spy/<str:pk>", Spy.as_view({"get": "retrieve"})):
        assert [gap for gap in asked(world, "api/v1/spy") if "path parameter pk" in str(gap)]


def test_a_page_without_a_probe_is_uncovered(world: World) -> None:
    assert red(lists.probe_site(narrow(world))) == []
    with routed("spy/<str:pk>", spy):
        assert red(lists.probe_site(narrow(world)))


def test_a_model_without_a_wall_is_uncovered(world: World) -> None:
    assert red(database.probe_models(world)) == []
    try:
        type("Spy", (models.Model,), {"__module__": __name__, "Meta": type("Meta", (), {"app_label": "mail"})})
        assert [gap for gap in red(database.probe_models(world)) if "mail.Spy belongs to no environment" in str(gap)]
    finally:
        del apps.all_models["mail"]["spy"]
        apps.clear_cache()


def test_a_job_that_takes_an_environment_is_uncovered(world: World) -> None:
    assert red(chores.probe_jobs(world)) == []

    def lookout(environment_id: str) -> None:
        """Take what a job should read from its row."""

    lookout.__module__ = "mail.tasks"
    task = procrastinate_app.task(name="mail.tasks.lookout")(lookout)
    try:
        assert [gap for gap in red(chores.probe_jobs(world)) if "mail.tasks.lookout" in str(gap)]
    finally:
        del procrastinate_app.tasks[task.name]


def test_a_neighbours_words_in_what_leaves_are_a_leak(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert red(departures.probe_departures(world)) == []

    def spoilt(job: Any, *, signed: bool) -> Any:
        parcel = parcel_of(job, signed=signed)
        return replace(parcel, raw=parcel.raw + world.stranger.canary.encode())

    monkeypatch.setattr(departures, "parcel_of", spoilt)
    assert [leak for leak in red(departures.probe_departures(world)) if "what would leave" in str(leak)]


def test_a_command_without_a_probe_is_uncovered(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(chores.SEEN_ELSEWHERE, "deliver")
    assert [gap for gap in red(chores.probe_commands(world)) if "deliver: option posts" in str(gap)]


def test_a_table_in_which_a_place_has_no_row_is_uncovered(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(world.theirs._ids, apps.get_model("mail.Thread"), [])
    assert "mail.Thread has no row in theirs" in red(database.probe_models(world))
