"""What a process counts, how the figures of several come onto one page, and that none names whom they are about."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.test import Client
from prometheus_client import CollectorRegistry, generate_latest

from agentpost_site.health.checkup import Checkup
from agentpost_site.health.figures import Figures, Page, exposition
from environments.telemetry import beats, metrics
from environments.telemetry.beats import Heart
from environments.telemetry.metrics import REGISTRY, Snapshots
from tests.world import Api, World

IDENTIFIER = re.compile(r"\b[a-z]{3}_[0-7][0-9A-HJKMNP-TV-Z]{25}")


def requests(route: str, status: str, method: str = "GET") -> float:
    labels = {"method": method, "route": route, "status": status}
    return REGISTRY.get_sample_value("agentpost_http_requests_total", labels) or 0.0


def counted(call: Any, route: str, status: str) -> float:
    before = requests(route, status)
    call()
    return requests(route, status) - before


@pytest.mark.parametrize(
    ("path", "route", "status"),
    [
        ("/me", "api/v1/me", "2xx"),
        ("/inboxes/inb_nope", "api/v1/inboxes/<str:pk>", "4xx"),
        ("/environments/development/inboxes", "api/v1/inboxes", "2xx"),
        ("/nowhere-at-all", "unmatched", "4xx"),
    ],
)
def test_a_request_is_counted_by_the_name_of_its_route(api: Api, path: str, route: str, status: str) -> None:
    assert counted(lambda: api.get(path), route, status) == 1


def test_how_long_it_took_is_counted_too(api: Api) -> None:
    def number() -> float:
        return REGISTRY.get_sample_value("agentpost_http_request_seconds_count", {"route": "api/v1/me"}) or 0.0

    before = number()
    api.get("/me")
    assert number() - before == 1


def test_figures_of_several_processes_stand_beside_each_other() -> None:
    registry = CollectorRegistry()
    registry.register(Snapshots([("smtp", "smtp@a:1", metrics.snapshot()), ("web", "web@b:2", metrics.snapshot())]))
    page = generate_latest(registry).decode()
    assert page.count("# TYPE agentpost_commit_seconds histogram") == 1
    for worker in ("smtp@a:1", "web@b:2"):
        assert re.search(rf'agentpost_commit_seconds_count{{process="\w+",worker="{worker}"}}', page)


def test_the_page_has_checks_queues_and_the_figures_of_whoever_beats(transactional_db: None) -> None:
    heart = Heart("deliverer")
    heart.beat()
    page = exposition({"database": "ok", "smtp": "no answer"}, Figures()).decode()
    heart.leave()
    assert 'agentpost_check_ok{check="smtp"} 0.0' in page
    assert 'agentpost_queue_depth{queue="webhooks"} 0.0' in page
    assert f'agentpost_webhook_attempt_seconds_count{{process="deliverer",worker="{heart.id}"}}' in page
    assert re.search(r'agentpost_database_connections{state="active"} [1-9]', page)


def test_a_database_that_hangs_keeps_one_thread_and_the_page_comes_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, over = [], threading.Event()

    def hang() -> None:
        begun.append(1)
        over.wait(60)
        raise OSError

    monkeypatch.setattr(beats, "connect", hang)
    figures = Figures()
    pages = [exposition({"database": "ok"}, figures) for _ in range(3)]
    over.set()
    assert begun == [1]
    assert all(b'agentpost_check_ok{check="database"} 0.0' in page for page in pages)


def test_the_page_is_made_once_for_all_who_ask_at_once() -> None:
    made: list[int] = []

    def make() -> bytes:
        made.append(1)
        return b"page"

    page = Page(make)
    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(lambda _: page.read(), range(50))) == {b"page"}
    assert len(made) == 1


def test_a_page_that_cannot_be_made_is_tried_again() -> None:
    found = iter([b"page"])
    page = Page(lambda: next(found))
    assert page.read() == b"page"
    empty = Page(lambda: next(found))
    for _ in range(2):
        with pytest.raises(StopIteration):
            empty.read()


def test_the_page_wants_its_token_where_there_is_one(db: None, settings: Any) -> None:
    settings.AGENTPOST_METRICS_TOKEN = "figures-token"
    client = Client()
    for headers in ({}, {"Authorization": "Bearer other"}, {"Authorization": "figures-token"}):
        refused = client.get("/metrics", headers=headers)
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "unauthenticated")
    assert client.get("/metrics", headers={"Authorization": "Bearer figures-token"}).status_code == 200


def test_without_the_database_the_page_still_tells_what_fails() -> None:
    assert b'agentpost_check_ok{check="database"} 0.0' in exposition({"database": "OperationalError"})


def test_no_label_names_an_environment_an_item_or_an_address(acme: World, api: Api) -> None:
    inbox = acme.inbox()
    api.get(f"/inboxes/{inbox.pk}")
    api.get(f"/environments/{acme.development.pk}/inboxes/{inbox.pk}")
    page = generate_latest(REGISTRY).decode()
    assert not IDENTIFIER.search(page)
    assert "@" not in page
    assert acme.development.slug not in page


def test_a_check_that_hangs_has_one_thread_and_an_answer_in_time() -> None:

    begun, over = [], threading.Event()

    def hang() -> dict[str, str]:
        begun.append(1)
        over.wait(60)
        return {"slow": "ok"}

    checkup = Checkup({("slow",): hang, ("quick",): lambda: {"quick": "ok"}})
    for _ in range(3):
        report = checkup.report()
        assert report.outcomes == {"slow": "no answer", "quick": "ok"}
        assert list(report.since) == ["slow"]
    assert begun == [1]
    over.set()


def test_a_check_that_raises_fails_without_its_words() -> None:
    def broken() -> dict[str, str]:
        raise RuntimeError("postgres://agentpost:secret@db")

    assert Checkup({("broken",): broken}).report().outcomes == {"broken": "RuntimeError"}
