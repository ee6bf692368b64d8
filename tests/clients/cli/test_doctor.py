"""The doctor: a line for each check, what to do about it, and a status that a script can go by."""

import json
import time
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx2
import pytest
from agentpost import AgentPost
from agentpost.cli.doctor import _clock

from tests.clients.cli.conftest import Cli
from tests.clients.conftest import Place
from tests.mail.sink import Sink
from tests.site.instance import free_port


@pytest.fixture
def patient(cli: Cli, place: Place) -> Cli:
    """Return the program of somebody who also knows where mail comes in."""
    return Cli(cli.home, {**cli.variables, "AGENTPOST_SMTP": f"127.0.0.1:{place.smtp_port}"})


def statuses(cli: Cli, *arguments: str, status: int = 0) -> dict[str, str]:
    told = json.loads(cli.run("doctor", "--json", *arguments, status=status).stdout)
    assert told["ok"] is (status == 0)
    return {check["check"]: check["status"] for check in told["checks"]}


def test_where_all_is_well_each_line_says_so(patient: Cli) -> None:
    checks = ["profile", "server", "clock", "SMTP", "key", "scopes", "environment"]
    assert statuses(patient) == dict.fromkeys(checks, "ok")


def test_people_are_told_what_the_delivery_mode_means(patient: Cli) -> None:
    assert "in capture mode: nothing leaves" in patient.text("doctor")


def test_a_round_trip_shows_that_mail_comes_in_and_is_captured(patient: Cli, outside: Sink) -> None:
    before = len(outside.taken)
    found = statuses(patient, "--send-test")
    assert (found["mail in"], found["mail out"]) == ("ok", "ok")
    assert len(outside.taken) == before


def test_a_server_that_does_not_answer_ends_it(cli: Cli) -> None:
    away = Cli(cli.home, {**cli.variables, "AGENTPOST_BASE_URL": f"http://127.0.0.1:{free_port()}"})
    assert statuses(away, status=1) == {"profile": "ok", "server": "fail"}
    assert "make run" in away.text("doctor", status=1)


def test_without_a_key_it_says_how_to_log_in(stranger: Cli) -> None:
    assert "agentpost login" in stranger.text("doctor", status=1)


def test_a_key_that_is_none_fails_and_the_rest_is_left_out(patient: Cli) -> None:
    wrong = Cli(patient.home, {**patient.variables, "AGENTPOST_API_KEY": "ap_sk_dev_wrong"})
    assert statuses(wrong, status=1)["key"] == "fail"


def test_a_door_for_mail_that_is_shut_is_a_warning(cli: Cli) -> None:
    assert statuses(cli, "--smtp", f"127.0.0.1:{free_port()}")["SMTP"] == "warn"


def test_a_pending_domain_fails_with_the_record_to_publish(patient: Cli, place: Place) -> None:
    with AgentPost(api_key=place.api_key, base_url=place.base_url) as client:
        domain = client.domains.create(domain=f"{place.environment['slug']}.example").domain
    told = patient.text("doctor", status=1)
    assert domain in told
    assert "Publish TXT" in told


def test_a_subdomain_of_the_shared_domain_needs_no_record_while_nothing_leaves(patient: Cli, place: Place) -> None:
    with AgentPost(api_key=place.api_key, base_url=place.base_url) as client:
        client.inboxes.create(email=f"hello@{place.environment['slug']}.agentpost.localhost")
    told = patient.text("doctor")
    assert f"{place.environment['slug']}.agentpost.localhost is verified" in told
    assert "Publish" not in told


def test_a_key_without_scopes_can_do_nothing(patient: Cli, make_place: Any) -> None:
    poor = make_place("inboxes:read")
    scopes = Cli(patient.home, {**patient.variables, "AGENTPOST_API_KEY": poor.api_key}).text("doctor")
    assert "not among them: messages:read" in scopes


@pytest.mark.parametrize(
    ("seconds", "status"), [(0, "ok"), (4, "ok"), (60, "warn"), (-60, "warn"), (301, "fail"), (-301, "fail")]
)
def test_a_clock_is_judged_by_what_webhooks_bear(seconds: int, status: str) -> None:
    told = formatdate(time.time() - seconds, usegmt=True)
    assert _clock(httpx2.Response(200, headers={"date": told})).status == status


@pytest.fixture
def something_else() -> Iterator[str]:
    """Return the URL of a server that is no AgentPost."""

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<h1>Hello</h1>")

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_server_that_is_no_agentpost_is_told_apart(cli: Cli, something_else: str) -> None:
    other = Cli(cli.home, {**cli.variables, "AGENTPOST_BASE_URL": something_else})
    assert "not as AgentPost does" in other.text("doctor", status=1)
    assert "AgentPost" in other.failure("inboxes", "list", status=4)
