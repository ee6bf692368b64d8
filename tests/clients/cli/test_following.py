"""``tail`` and ``listen``: every event once, also across a connection that is cut."""

import hashlib
import hmac
import json
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from agentpost import AgentPost, webhooks
from standardwebhooks import Webhook

from agentpost_site.demo.receiver import Posted, Receiver, receiving
from tests.clients.cli.conftest import Cli
from tests.clients.conftest import Place
from tests.clients.proxy import Proxy
from tests.site.instance import Instance, free_port


@pytest.fixture
def way(instance: Instance) -> Iterator[Proxy]:
    with Proxy(instance.http_port).listening() as proxy:
        yield proxy


@pytest.fixture
def far(cli: Cli, way: Proxy) -> Cli:
    """Return the program of somebody whose way to the server can be cut."""
    return Cli(cli.home, {**cli.variables, "AGENTPOST_BASE_URL": way.url})


def make_inboxes(place: Place, *names: str) -> None:
    with AgentPost(api_key=place.api_key, base_url=place.base_url) as client:
        for name in names:
            client.inboxes.create(username=name)


def usernames(process: "subprocess.Popen[bytes]", how_many: int) -> list[str]:
    """Return who is in so many lines of JSON of a running command."""
    assert process.stdout
    events = [json.loads(process.stdout.readline()) for _ in range(how_many)]
    return [event["data"]["email"].split("@")[0].rsplit("-", 1)[0] for event in events]


@pytest.fixture
def last(place: Place) -> str:
    """Return the id of the last event of the log, which has one."""
    make_inboxes(place, "zero")
    with AgentPost(api_key=place.api_key, base_url=place.base_url) as client:
        [*_, event] = client.events.list()
        return event.id


def test_every_event_is_shown_once_across_a_connection_that_is_cut(
    far: Cli, way: Proxy, place: Place, last: str
) -> None:
    with far.running("tail", "--json", "--after", last) as process:
        make_inboxes(place, "one", "two")
        assert usernames(process, 2) == ["one", "two"]
        way.cut()
        make_inboxes(place, "three", "four")
        assert usernames(process, 2) == ["three", "four"]
        assert way.connections >= 2


def test_people_see_a_line_for_each_event(cli: Cli, place: Place, last: str) -> None:
    with cli.running("tail", "--after", last) as process:
        assert process.stdout
        assert process.stdout.readline().split() == [b"TIME", b"EVENT", b"ABOUT", b"WITH", b"SUBJECT"]
        make_inboxes(place, "one")
        line = process.stdout.readline().decode()
        assert "inbox.created" in line
        assert "one-" in line


def test_what_happened_since_a_moment_comes_first_and_then_what_happens(cli: Cli, place: Place, last: str) -> None:
    with cli.running("tail", "--json", "--since", "1d", "--event", "inbox.*") as process:
        assert usernames(process, 1) == ["zero"]
        make_inboxes(place, "one")
        assert usernames(process, 1) == ["one"]


def test_a_moment_within_the_log_leaves_out_what_came_before(cli: Cli, place: Place, last: str) -> None:
    with AgentPost(api_key=place.api_key, base_url=place.base_url) as client:
        since = client.inboxes.create(username="one").created_at.isoformat()
    with cli.running("tail", "--json", "--since", since) as process:
        make_inboxes(place, "two")
        assert usernames(process, 2) == ["one", "two"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--since", "yesterday"], "yesterday"),
        (["--since", "1h", "--after", "evt_01"], "--after"),
    ],
)
def test_where_to_begin_must_be_said_once_and_clearly(cli: Cli, arguments: list[str], told: str) -> None:
    assert told in cli.failure("tail", *arguments, status=2)


def test_a_stream_that_the_key_may_not_see_ends_with_the_servers_word(make_place: Any, cli: Cli) -> None:
    poor = make_place("messages:read")
    line = Cli(cli.home, {**cli.variables, "AGENTPOST_API_KEY": poor.api_key}).failure("tail", status=3)
    assert "missing_scope" in line
    assert "events:read" in line


def test_ctrl_c_ends_it_without_a_word(cli: Cli, place: Place, last: str) -> None:
    with cli.running("tail", "--json", "--after", last) as process:
        make_inboxes(place, "one")
        usernames(process, 1)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert process.stderr
        assert process.stderr.read().strip() == b""


# --- listen -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def secret_told(process: "subprocess.Popen[bytes]") -> str:
    assert process.stderr
    return process.stderr.readline().decode().split()[-1]


def test_what_is_forwarded_verifies_with_both_signatures(
    cli: Cli, place: Place, inbox: dict[str, Any], receiver: Receiver
) -> None:
    with cli.running("listen", "--forward-to", receiver.url, "--event", "message.received", "--since", "1d") as process:
        secret = secret_told(process)
        place.deliver(inbox["email"], "Grüße")
        posted = receiver.next()
    event = json.loads(posted.body)
    assert event["data"]["subject"] == "Grüße"
    assert Webhook(secret).verify(posted.body, posted.headers) == event
    signed = posted.headers["x-agentpost-timestamp"].encode() + b"." + posted.body
    assert posted.headers["x-agentpost-signature"] == hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    assert webhooks.verify(posted.body, posted.headers, secret).id == event["id"]


def test_a_forwarded_event_is_byte_for_byte_the_webhook_that_the_server_posts(
    cli: Cli, place: Place, inbox: dict[str, Any], receiver: Receiver
) -> None:
    with receiving() as official:
        cli.run("webhooks", "create", official.url, "--event", "message.received")
        with cli.running("listen", "--forward-to", receiver.url, "--event", "message.received", "--since", "1d"):
            place.deliver(inbox["email"], "Hello \u202e \N{PILE OF POO} \u00e9", "Text\twith\u0085odd \x7f ends\n")
            ours, theirs = receiver.next(), official.next()
    assert ours.body == theirs.body
    fixed = {"webhook-id", "content-type", "user-agent"}
    assert {name: ours.headers[name] for name in fixed} == {name: theirs.headers[name] for name in fixed}
    assert signatures(ours) == signatures(theirs)


def signatures(posted: Posted) -> set[str]:
    return {name for name in posted.headers if name.startswith(("webhook-", "x-agentpost-"))}


def test_each_delivery_is_reported_also_one_that_nobody_took(cli: Cli, place: Place, last: str) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}/hook"
    with cli.running("listen", "--json", "--forward-to", nowhere, "--after", last) as process:
        make_inboxes(place, "one")
        assert process.stdout
        outcome = json.loads(process.stdout.readline())
    assert (outcome["type"], outcome["ok"], outcome["status"]) == ("inbox.created", False, None)
    assert outcome["error"]


def test_people_see_event_answer_and_time(cli: Cli, place: Place, last: str, receiver: Receiver) -> None:
    with cli.running("listen", "--forward-to", receiver.url.removeprefix("http://"), "--after", last) as process:
        make_inboxes(place, "one")
        assert process.stdout
        line = process.stdout.readline().decode().split()
    assert (line[1], line[3], line[5]) == ("inbox.created", "204", "ms")


def test_the_secret_stays_the_same_from_one_run_to_the_next(cli: Cli, last: str, receiver: Receiver) -> None:
    secrets = []
    for _ in range(2):
        with cli.running("listen", "--forward-to", receiver.url, "--after", last) as process:
            secrets.append(secret_told(process))
    assert secrets[0] == secrets[1]
    assert secrets[0].startswith("whsec_")


def test_a_secret_of_ones_own_signs(cli: Cli, place: Place, last: str, receiver: Receiver) -> None:
    own = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    mine = Cli(cli.home, {**cli.variables, "AGENTPOST_WEBHOOK_SECRET": own})
    with mine.running("listen", "--forward-to", receiver.url, "--after", last):
        make_inboxes(place, "one")
        posted = receiver.next()
    assert Webhook(own).verify(posted.body, posted.headers)


@pytest.mark.parametrize("arguments", [["--forward-to", "ftp://x"], ["--forward-to", "http://"]])
def test_what_is_no_url_is_refused(cli: Cli, arguments: list[str]) -> None:
    assert "URL" in cli.failure("listen", *arguments, status=2)


def test_a_secret_that_is_none_is_refused(cli: Cli) -> None:
    line = cli.failure("listen", "--forward-to", "localhost:1", "--secret", "hunter2", status=2)
    assert "whsec_" in line


def test_listening_goes_on_across_a_connection_that_is_cut(
    far: Cli, way: Proxy, place: Place, last: str, receiver: Receiver
) -> None:
    with far.running("listen", "--forward-to", receiver.url, "--after", last):
        make_inboxes(place, "one")
        first = receiver.next()
        way.cut()
        make_inboxes(place, "two")
        second = receiver.next()
    assert [json.loads(posted.body)["data"]["email"].split("-")[0] for posted in (first, second)] == ["one", "two"]
