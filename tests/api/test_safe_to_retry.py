"""client_id: creating twice creates once, even at the same moment; and a log that skips nothing."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.http import HttpResponse

from environments.binding import inside
from environments.models import Environment
from inboxes.models import Domain, Inbox
from tests.api.routes import HOOK
from tests.world import Api, World, build, error_of, settled
from webhooks.models import Event, WebhookEndpoint
from webhooks.services.events import Happening, publish

CREATIONS = {
    "/inboxes": {"username": "support", "client_id": "c1"},
    "/domains": {"domain": "acme.example", "client_id": "c1"},
    "/environments": {"name": "Stage", "client_id": "c1"},
    "/webhook-endpoints": {"url": HOOK, "events": ["*"], "client_id": "c1"},
}
OTHER = {
    "/inboxes": {"username": "sales", "client_id": "c1"},
    "/domains": {"domain": "other.example", "client_id": "c1"},
    "/environments": {"name": "Other", "client_id": "c1"},
    "/webhook-endpoints": {"url": HOOK + "2", "events": ["message.*"], "client_id": "c1"},
}
EACH = pytest.mark.parametrize("path", CREATIONS)
DEV = {"AgentPost-Environment": "development"}


@EACH
def test_the_second_time_returns_what_is_there(api: Api, path: str) -> None:
    first, again, changed = (api.post(path, body, **DEV) for body in (CREATIONS[path], CREATIONS[path], OTHER[path]))
    assert (first.status_code, again.status_code, changed.status_code) == (201, 200, 200)
    assert first.json()["id"] == again.json()["id"] == changed.json()["id"]
    assert changed.json()["client_id"] == "c1"
    assert "secret" not in again.json()


@EACH
def test_another_client_id_makes_another_one(api: Api, path: str) -> None:
    first = api.post(path, CREATIONS[path], **DEV).json()
    second = api.post(path, {**OTHER[path], "client_id": "c2"}, **DEV)
    assert (second.status_code, second.json()["id"] != first["id"]) == (201, True)


@pytest.mark.parametrize("path", [path for path in CREATIONS if path != "/environments"])
def test_a_client_id_means_nothing_in_another_environment(api: Api, path: str) -> None:
    first = api.post(path, CREATIONS[path], **DEV)
    second = api.post(path, OTHER[path], **{"AgentPost-Environment": "production"})
    assert (first.status_code, second.status_code) == (201, 201)


def test_a_client_id_means_nothing_in_another_organization(acme: World, globex: World) -> None:
    answers = [world.api().post("/environments", CREATIONS["/environments"]) for world in (acme, globex)]
    assert [answer.status_code for answer in answers] == [201, 201]


@pytest.mark.parametrize("client_id", ["", " ", "x" * 201, 7, ["c"], "\u0000"])
@EACH
def test_what_is_no_client_id_is_refused(api: Api, path: str, client_id: Any) -> None:
    answer = api.post(path, {**CREATIONS[path], "client_id": client_id}, **DEV)
    assert answer.status_code == 422


@pytest.fixture
def committed(transactional_db: None) -> World:
    return build("acme")


def at_once(call: Callable[[], HttpResponse], times: int = 4) -> list[HttpResponse]:
    """Make the same call from several threads, each on a connection of its own, begun together."""
    answers: list[HttpResponse] = []
    together = threading.Barrier(times)

    def run() -> None:
        together.wait(10)
        answers.append(call())
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return answers


def rows_of(world: World, path: str) -> list[Any]:
    if path == "/environments":
        return list(Environment.objects.in_organization(world.organization).filter(client_id="c1"))
    return world.rows({"/inboxes": Inbox, "/domains": Domain, "/webhook-endpoints": WebhookEndpoint}[path])


@EACH
def test_at_the_same_moment_one_is_made_and_all_get_it(committed: World, path: str) -> None:
    api = committed.api()
    answers = at_once(lambda: api.post(path, CREATIONS[path], **DEV))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert len({answer.json()["id"] for answer in answers}) == len(rows_of(committed, path)) == 1


def test_one_exact_address_at_the_same_moment_is_had_once(committed: World) -> None:
    api = committed.api()
    body = {"email": "help@new.agentpost.localhost", "client_id": "c1"}
    answers = at_once(lambda: api.post("/inboxes", body, **DEV))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert len(committed.rows(Domain)) == len(committed.rows(Inbox)) == 1


def test_two_environments_that_claim_one_subdomain_at_the_same_moment(committed: World) -> None:
    api, names = committed.api(), iter(["development", "production"] * 2)
    lock = threading.Lock()

    def call() -> HttpResponse:
        with lock:
            name = next(names)
        return api.post("/inboxes", {"email": f"{name}@new.agentpost.localhost", "environment_id": name})

    answers = at_once(call)
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses.count(201) == 1
    assert set(statuses) <= {201, 422}
    assert {error_of(answer)["code"] for answer in answers if answer.status_code == 422} == {"address_not_available"}
    claims = [*committed.rows(Domain), *committed.rows(Domain, committed.production)]
    assert len(claims) == 1


def test_members_added_at_the_same_moment_clash_without_a_fault(committed: World) -> None:
    api = committed.api()
    answers = at_once(lambda: api.post("/org/invitations", {"email": "new@acme.example"}))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


# --- The log


class Elsewhere:
    """A transaction on a connection of its own, which publishes when told to and ends when told to."""

    def __init__(self, world: World) -> None:
        self.world, self.published, self.may_end, self.commits = world, threading.Event(), threading.Event(), True
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        assert self.published.wait(10)

    def _run(self) -> None:
        with inside(self.world.development):
            publish(self.world.development.pk, [Happening("message.captured", {"from": "elsewhere"})])
            self.published.set()
            self.may_end.wait(20)
            transaction.set_rollback(not self.commits)
        connection.close()

    def end(self, *, commits: bool = True) -> None:
        self.commits = commits
        self.may_end.set()
        self.thread.join(20)


def read(api: Api, after: str | None, **query: str) -> tuple[list[str], str | None, bool]:
    """Return where the next events come from, the cursor behind them, and whether there are more."""
    asked = "".join(f"&{name}={value}" for name, value in query.items())
    page = api.get(f"/events?{f'after={after}' if after else ''}{asked}", **DEV).json()
    return [event["data"].get("from", event["type"]) for event in page["data"]], page["next_cursor"], page["has_more"]


def here(world: World, name: str, kind: str = "message.captured") -> None:
    with inside(world.development):
        publish(world.development.pk, [Happening(kind, {"from": name})])


def test_an_event_that_commits_late_is_never_skipped(committed: World) -> None:
    api = committed.api()
    here(committed, "before")
    settled(api, 1, **DEV)
    first, cursor, _ = read(api, None)
    late = Elsewhere(committed)
    here(committed, "after")
    meanwhile, cursor, more = read(api, cursor)
    assert (first, meanwhile, more) == (["before"], [], False)
    late.end()
    settled(api, 3, **DEV)
    assert read(api, cursor)[0] == ["elsewhere", "after"]


def test_an_event_that_never_commits_holds_nothing_up_for_long(committed: World) -> None:
    api = committed.api()
    late = Elsewhere(committed)
    here(committed, "after")
    nothing, cursor, _ = read(api, None)
    assert (nothing, cursor) == ([], None)
    late.end(commits=False)
    settled(api, 1, **DEV)
    assert read(api, cursor)[0] == ["after"]


def test_the_log_is_read_from_where_one_stopped(committed: World) -> None:
    api = committed.api()
    for number in range(5):
        here(committed, str(number))
    settled(api, 5, **DEV)
    first, cursor, more = read(api, None, limit="2")
    assert (first, more) == (["0", "1"], True)
    second, cursor, more = read(api, cursor, limit="2")
    assert (second, more) == (["2", "3"], True)
    third, cursor, more = read(api, cursor, limit="2")
    assert (third, more) == (["4"], False)
    assert read(api, cursor) == ([], cursor, False)
    here(committed, "5")
    settled(api, 6, **DEV)
    assert read(api, cursor)[0] == ["5"]


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        ("message.captured", ["a"]),
        ("message.*", ["a", "b"]),
        ("*", ["a", "b", "c"]),
        ("inbox.created,message.received", ["b", "c"]),
        ("draft.approved", []),
        ("", ["a", "b", "c"]),
    ],
)
def test_the_log_can_be_narrowed_by_type(committed: World, types: str, expected: list[str]) -> None:
    for name, kind in (("a", "message.captured"), ("b", "message.received"), ("c", "inbox.created")):
        here(committed, name, kind)
    settled(committed.api(), 3, **DEV)
    assert read(committed.api(), None, types=types)[0] == expected


@pytest.mark.parametrize("query", ["types=nonsense", "types=message.nonsense", "limit=0", "limit=101", "limit=x"])
def test_a_question_to_the_log_that_makes_no_sense_is_refused(api: Api, query: str) -> None:
    assert api.get(f"/events?{query}", **DEV).status_code == 422


def test_a_cursor_of_the_log_opens_no_other(committed: World) -> None:
    api = committed.api()
    here(committed, "a")
    settled(api, 1, **DEV)
    _, cursor, _ = read(api, None)
    for where in (f"environment_id=production&after={cursor}", "after=x", f"after={cursor}x", "after=%00"):
        answer = api.get(f"/events?{where}", **({} if "production" in where else DEV))
        assert answer.status_code in {400, 422}
        assert error_of(answer)["code"] == ("validation_error" if "%00" in where else "invalid_cursor")


def test_an_event_is_an_envelope(committed: World) -> None:
    here(committed, "a")
    api = committed.api()
    [event] = committed.rows(Event)
    found = api.get(f"/events/{event.pk}").json()
    assert list(found) == ["id", "type", "timestamp", "org_id", "env_id", "environment", "data"]
    assert found["environment"] == {"id": committed.development.pk, "slug": "development", "delivery_mode": "capture"}
    assert (found["org_id"], found["env_id"]) == (committed.organization.pk, committed.development.pk)
