"""What surrounds the programs of a page: an environment of their own, or what the page asks for beside it.

owner-key       an organization of its own with the environments ``production`` and ``development``, as after a
                first start, and a key that reaches all of it
first-start     the organization of the first start itself, its key, and its inbox hello-…
mail-arrives    a mail arrives every second, from ann@customer.example, in an inbox of its own
receiver 9000   something takes every POST to this port of this machine
quickstart-shell  the shell says AGENTPOST_ENVIRONMENT=development, as the quickstart has its reader say
"""

import contextlib
import json
import smtplib
import subprocess
import sys
import threading
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.clients.conftest import Place
from tests.clients.docs.blocks import ROOT
from tests.site.instance import Instance

ONE_AFTER_ANOTHER = """
import json, sys, django
from django.conf import settings
from django.core.management import call_command
django.setup()
with settings.EMBEDDED_POSTGRES.temporarily_running():
    for command in json.loads(sys.argv[1]):
        call_command(*command, "--json")
"""
OWNER = "ann@acme.example"


@dataclass
class Surroundings:
    """What a page's programs are told, and what the words of a page are here: ``here["127.0.0.1:8000"]``."""

    variables: dict[str, str]
    here: dict[str, str]

    def put(self, text: str) -> str:
        """Return a text of the page with what it calls by its usual name called as it is called here."""
        for usual, actual in self.here.items():
            text = text.replace(usual, actual)
        return text


@contextlib.contextmanager
def prepared(needs: list[str], instance: Instance, make_place: Callable[..., Place]) -> Iterator[Surroundings]:
    """Give a page the surroundings that it asks for, while its programs run."""
    with contextlib.ExitStack() as stack:
        surroundings = surroundings_for(needs, instance, make_place)
        for need in needs:
            if need.startswith("receiver "):
                stack.enter_context(receiver(int(need.removeprefix("receiver "))))
            elif need == "quickstart-shell":
                surroundings.variables["AGENTPOST_ENVIRONMENT"] = "development"
            elif need == "mail-arrives":
                stack.enter_context(arriving_mail(instance, surroundings.variables["AGENTPOST_API_KEY"]))
            elif need not in {"owner-key", "first-start"}:
                raise ValueError(f"No page may need {need!r}.")
        yield surroundings


def surroundings_for(needs: list[str], instance: Instance, make_place: Callable[..., Place]) -> Surroundings:
    if "owner-key" in needs:
        return surroundings_of_a_new_organization(instance)
    if "first-start" in needs:
        address = instance.told("inbox")
        return surroundings_of_a_key(instance, instance.told("API key"), {"hello-345yzy@agentpost.localhost": address})
    return surroundings_of_a_key(instance, make_place().api_key, {})


def surroundings_of_a_key(instance: Instance, key: str, here: dict[str, str]) -> Surroundings:
    """Return what programs with this key are told, and which ports those of ``make run`` are here."""
    variables = {
        **{name: value for name, value in instance.environment.items() if name.startswith("AGENTPOST_")},
        "AGENTPOST_BASE_URL": f"http://127.0.0.1:{instance.http_port}",
        "AGENTPOST_API_KEY": key,
        "AGENTPOST_SMTP": f"127.0.0.1:{instance.smtp_port}",
    }
    ports = {8000: instance.http_port, 2525: instance.smtp_port, 2465: variables["AGENTPOST_SUBMISSION_TLS_PORT"]}
    for usual, actual in ports.items():
        here[f"127.0.0.1:{usual}"] = f"127.0.0.1:{actual}"
        here[f'"127.0.0.1", {usual}'] = f'"127.0.0.1", {actual}'
    return Surroundings(variables, here)


def surroundings_of_a_new_organization(instance: Instance) -> Surroundings:
    """Return those of a key to a whole new organization that looks as after a first start, and is called acme."""
    slug = f"acme-{uuid.uuid4().hex[:12]}"
    made = manage(
        instance,
        ["create_organization", "--name", "Acme", "--slug", slug, "--owner", OWNER],
        ["create_environment", "--organization", slug, "--name", "Development"],
        ["create_api_key", "--organization", slug, "--name", "First key", "--scopes", "*"],
    )
    here = {"--organization acme ": f"--organization {slug} ", " acme/": f" {slug}/"}
    return surroundings_of_a_key(instance, made[-1]["key"], here)


def manage(instance: Instance, *commands: list[str]) -> list[Any]:
    """Return what each command of ``manage.py`` prints as JSON; they share one process, which is slow to start."""
    done = subprocess.run(
        [sys.executable, "-c", ONE_AFTER_ANOTHER, json.dumps(commands)],
        cwd=ROOT,
        env=instance.environment,
        capture_output=True,
        check=True,
        text=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


class AcceptsPosts(BaseHTTPRequestHandler):
    """Accepts whatever is posted."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def receiver(port: int) -> Iterator[None]:
    with ThreadingHTTPServer(("127.0.0.1", port), AcceptsPosts) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join(5)


@contextlib.contextmanager
def arriving_mail(instance: Instance, key: str) -> Iterator[None]:
    """Let a mail arrive every second, as long as the block lasts."""
    is_over = threading.Event()
    thread = threading.Thread(target=_keep_sending, args=(instance.smtp_port, _new_address(instance, key), is_over))
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join(30)


def _new_address(instance: Instance, key: str) -> str:
    url = f"http://127.0.0.1:{instance.http_port}/api/v1/inboxes"
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, b"{}", headers), timeout=30) as answer:
        return str(json.load(answer)["email"])


def _keep_sending(port: int, to: str, is_over: threading.Event) -> None:
    while not is_over.wait(1):
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "ann@customer.example", to, "Where is my parcel?"
        mail.set_content("It should have come on Monday.")
        with smtplib.SMTP("127.0.0.1", port, timeout=30) as server:
            server.send_message(mail)
