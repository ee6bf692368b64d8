"""Behind the reverse proxies of the page on TLS everything works: calls, WebSockets, server-sent events, long polls."""

import contextlib
import getpass
import json
import re
import shutil
import smtplib
import socket
import ssl
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme
from websockets.sync.client import connect

from tests.clients.conftest import Place
from tests.clients.docs.blocks import ROOT
from tests.clients.hosting.machine import HERE
from tests.site.instance import Instance, free_port, wait_for

NAME = "mail.acme.example"
OLDER_WORDS = ("request_buffers 5MB", "buffer_requests\nmax_buffer_size 5000000")  # the page on TLS names them


@dataclass
class Proxy:
    """A reverse proxy with TLS in front of a place."""

    port: int
    trusting: ssl.SSLContext
    place: Place

    def open(self, path: str, body: Any = None, **headers: str) -> Any:
        content = None if body is None else json.dumps(body).encode()
        headers |= {"Host": "localhost", "Authorization": f"Bearer {self.place.api_key}"}
        headers["Content-Type"] = "application/json"
        request = urllib.request.Request(f"https://localhost:{self.port}{path}", content, headers)
        return urllib.request.urlopen(request, timeout=60, context=self.trusting)

    def call(self, path: str, body: Any = None) -> Any:
        with self.open(path, body) as answer:
            return json.loads(answer.read())

    def is_up(self) -> bool:
        with contextlib.suppress(OSError):
            return bool(self.call("/healthz"))
        return False


@pytest.fixture(params=["nginx", "caddy"])
def kind(request: pytest.FixtureRequest) -> str:
    """Return the name of a proxy's program."""
    if shutil.which(request.param) is None:
        pytest.skip(f"SELF-HOSTING WAS NOT TESTED: it needs {request.param}, which is not here")
    return str(request.param)


@pytest.fixture
def proxy(kind: str, instance: Instance, place: Place, tmp_path: Path) -> Iterator[Proxy]:
    with running(kind, tmp_path, instance.http_port) as (port, trusting):
        found = Proxy(port, trusting, place)
        wait_for(found.is_up)
        yield found


@contextlib.contextmanager
def running(kind: str, folder: Path, upstream: int) -> Iterator[tuple[int, ssl.SSLContext]]:
    """Yield the port of a proxy that is starting in front of a port, and what trusts its certificate."""
    authority, port = trustme.CA(), free_port()
    authority.issue_cert("localhost", NAME).private_key_and_cert_chain_pem.write_to_path(str(folder / "both.pem"))
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    command = COMMANDS[kind](str(shutil.which(kind)), folder, port, upstream)
    with subprocess.Popen(command, cwd=folder, env={"HOME": str(folder), "XDG_DATA_HOME": str(folder)}) as process:
        try:
            yield port, trusting
        finally:
            process.terminate()


def of_nginx(program: str, folder: Path, port: int, upstream: int) -> list[str]:
    site = (ROOT / HERE / "nginx.conf").read_text().replace("127.0.0.1:8000", f"127.0.0.1:{upstream}")
    site = re.sub(r"/etc/letsencrypt/live/[^;]+", str(folder / "both.pem"), site)
    site = re.sub(r"listen \[::\]:\d+.*", "", site).replace("listen 443", f"listen 127.0.0.1:{port}")
    site = site.replace("listen 80", f"listen 127.0.0.1:{free_port()}").replace(NAME, "localhost")
    places = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    around = f"daemon off; user {getpass.getuser()}; pid {folder}/pid; error_log stderr; events {{}}"
    whole = f"{around} http {{ access_log off; {places}\n{site}\n}}"
    (folder / "nginx.conf").write_text(whole)
    command = [program, "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]
    subprocess.run([*command, "-t"], check=True)
    return command


def of_caddy(program: str, folder: Path, port: int, upstream: int) -> list[str]:
    site = (ROOT / HERE / "Caddyfile").read_text().replace("127.0.0.1:8000", f"127.0.0.1:{upstream}")
    if version_of_caddy(program) < (2, 6, 4):
        site = site.replace(*OLDER_WORDS)
    own = f"https://localhost:{port} {{\n\ttls both.pem both.pem\n\tbind 127.0.0.1"
    options = f"{{\n\tadmin off\n\thttp_port {free_port()}\n\tauto_https disable_redirects\n\tskip_install_trust\n}}\n"
    (folder / "Caddyfile").write_text(options + site.replace(f"{NAME} {{", own))
    command = ["--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]
    subprocess.run([program, "validate", *command], check=True, cwd=folder, env={"HOME": str(folder)})
    return [program, "run", *command]


def version_of_caddy(program: str) -> tuple[int, ...]:
    said = subprocess.run([program, "version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(part) for part in re.findall(r"\d+", said)[:3])


COMMANDS = {"nginx": of_nginx, "caddy": of_caddy}


def inbox_of(proxy: Proxy) -> dict[str, Any]:
    found: dict[str, Any] = proxy.call("/api/v1/inboxes", {})
    return found


def send(proxy: Proxy, to: str) -> None:
    with smtplib.SMTP("127.0.0.1", proxy.place.smtp_port, timeout=30) as client:
        client.sendmail("bob@example.com", [to], "From: bob@example.com\r\nSubject: Hello\r\n\r\nGood morning.\r\n")


def test_a_large_body_goes_through(proxy: Proxy) -> None:
    inbox = inbox_of(proxy)
    content = "A" * (20 * 1024 * 1024)
    file = {"filename": "a.bin", "content": content}
    mail = {"to": "bob@example.com", "subject": "Large", "attachments": [file]}
    assert proxy.call(f"/api/v1/inboxes/{inbox['id']}/messages", mail)["status"] == "captured"


def test_server_sent_events_come_at_once(proxy: Proxy) -> None:
    inbox = inbox_of(proxy)
    with proxy.open("/api/v1/events/stream?event_types=message.received", Accept="text/event-stream") as stream:
        threading.Timer(0.5, send, (proxy, inbox["email"])).start()
        lines = (line.decode() for line in stream)
        data = next(line for line in lines if line.startswith("data: ") and "message.received" in line)
    assert json.loads(data.removeprefix("data: "))["data"]["subject"] == "Hello"


def test_a_websocket_goes_through(proxy: Proxy) -> None:
    inbox = inbox_of(proxy)
    url = f"wss://localhost:{proxy.port}/ws?token={proxy.place.api_key}"
    with connect(url, ssl=proxy.trusting, proxy=None) as socket:
        socket.send(json.dumps({"type": "subscribe", "event_types": ["message.received"]}))
        socket.recv(timeout=30)
        send(proxy, inbox["email"])
        frame = json.loads(socket.recv(timeout=60))
        while frame["type"] != "event":
            frame = json.loads(socket.recv(timeout=60))
    assert frame["data"]["type"] == "message.received"


def test_a_long_poll_waits(proxy: Proxy) -> None:
    inbox = inbox_of(proxy)
    threading.Timer(1.0, send, (proxy, inbox["email"])).start()
    found = proxy.call(f"/api/v1/inboxes/{inbox['id']}/messages/wait?timeout=50")
    assert "Hello" in json.dumps(found)


class Upstream(ThreadingHTTPServer):
    """A server that notes what it is asked, in the order in which the heads of the requests come."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Noting)
        self.asked: list[str] = []


class Noting(BaseHTTPRequestHandler):
    """Reads a request, and answers it with nothing."""

    server: Upstream

    def do_POST(self) -> None:
        self.server.asked.append(self.path)
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_a_body_that_does_not_come_takes_no_room_in_the_server(kind: str, upstream: Upstream, tmp_path: Path) -> None:
    body = b"x" * 4_000_000
    with running(kind, tmp_path, upstream.server_port) as (port, trusting):
        wait_for(lambda: accepts(port))
        slow = HTTPSConnection("localhost", port, timeout=60, context=trusting)
        slow.putrequest("POST", "/slow")
        slow.putheader("Content-Length", str(len(body)))
        slow.endheaders(body[:-1])
        quick = HTTPSConnection("localhost", port, timeout=60, context=trusting)
        quick.request("POST", "/quick", body)
        assert quick.getresponse().status == 200
        slow.send(body[-1:])
        assert slow.getresponse().status == 200
        slow.close()
        quick.close()
    assert upstream.asked == ["/quick", "/slow"]


def accepts(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5):
        return True
    return False


@pytest.mark.parametrize("path", ["/metrics", "/readyz"])
def test_what_is_for_the_operator_stays_inside(proxy: Proxy, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        proxy.open(path)
    with refused.value as answer:
        assert answer.code == 404
