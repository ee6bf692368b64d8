"""Who is told of events while processes are killed: a receiver with bad days, and readers that go on."""

import asyncio
import contextlib
import hashlib
import hmac
import http.client
import random
import socket
import string
import threading
import time
import urllib.error
import urllib.parse
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import aiohttp
import orjson
from standardwebhooks import Webhook, WebhookVerificationError

from tests.site.instance import PATIENCE, Clients, Instance

AWAY = (OSError, http.client.HTTPException)  # what a client of a killed server meets; HTTPError is an OSError
PAGE = 100
SLOW = 0.4
QUIET = 2.0  # seconds without an event, after which a reader begins anew


class MoodyReceiver:
    """A webhook endpoint that answers 200, or 500, or nothing at all, or late, as a seeded die says, until ``calm``.

    ``received`` holds the bodies of each event id. ``forged`` counts what does not verify.
    """

    def __init__(self, seed: int) -> None:
        self.secret = ""
        self.calm = threading.Event()
        self.received: defaultdict[str, list[bytes]] = defaultdict(list)
        self.forged = 0
        self.before_answer: Callable[[], Any] = lambda: None
        self._moods = random.Random(seed)  # noqa: S311 - a die that falls the same way each time
        self._lock = threading.Lock()
        self._server = Listening(("127.0.0.1", 0), self._handler())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/hook"

    @contextmanager
    def listening(self) -> Iterator["MoodyReceiver"]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def receive(self, headers: dict[str, str], body: bytes) -> str:
        """Keep what came and return the mood of the moment."""
        with self._lock:
            self.received[headers["webhook-id"]].append(body)
            self.forged += not verifies(self.secret, headers, body)
            mood = self._moods.choices(["well", "broken", "silent", "slow"], weights=[88, 3, 3, 6])[0]
        self.before_answer()
        return "well" if self.calm.is_set() else mood

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                mood = receiver.receive({name.lower(): value for name, value in self.headers.items()}, body)
                if mood == "silent":
                    self.connection.shutdown(socket.SHUT_RDWR)
                    self.close_connection = True
                    return
                time.sleep(SLOW if mood == "slow" else 0)
                self.send_response(500 if mood == "broken" else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


class Listening(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: Any) -> None:
        """Say nothing: the clients of this server are killed."""


def verifies(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """Return whether both signatures are right, and the body is about the event that the header names."""
    signed = headers["x-agentpost-timestamp"].encode() + b"." + body
    ours = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    try:
        Webhook(secret).verify(body, headers)
    except WebhookVerificationError:
        return False
    return headers["x-agentpost-signature"] == ours and orjson.loads(body)["id"] == headers["webhook-id"]


class Reader:
    """Whoever follows the log while the server is killed, and goes on behind the last event that it saw.

    ``seen`` holds the id of each event, as often as it was shown, in the order in which it was.
    """

    def __init__(self, instance: Instance, seen: Iterable[str]) -> None:
        self.instance, self.seen = instance, list(seen)

    def read_on(self) -> None:
        """Read until there is nothing more for a while, or the server is away; called again and again."""
        raise NotImplementedError


class Poller(Reader):
    """``GET /events?after=``, page by page."""

    def read_on(self) -> None:
        for event in page_behind(self.instance, self.seen[-1])["data"]:
            self.seen.append(event["id"])


class Streamer(Reader):
    """Server-sent events, as a browser's EventSource reads them: it comes back with the last id."""

    def read_on(self) -> None:
        told, last = b"", {"Last-Event-ID": self.seen[-1]}
        with self.instance.opened("GET", "/api/v1/events/stream", timeout=QUIET, **last) as answer:
            for line in answer:
                if line.startswith(b"data: "):
                    told = line.removeprefix(b"data: ")
                elif line == b"\n" and told:  # what breaks off before its empty line has not been told
                    self.seen.append(orjson.loads(told)["id"])
                    told = b""


class Subscriber(Reader):
    """A WebSocket that is opened again when it breaks, and subscribes behind the last event."""

    def read_on(self) -> None:
        asyncio.run(self._listen())

    async def _listen(self) -> None:
        url = f"http://127.0.0.1:{self.instance.http_port}/ws"
        async with aiohttp.ClientSession() as session:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError, TypeError):  # TypeError: a frame that closes
                async with session.ws_connect(url, headers=self.instance.credentials()) as socket:
                    await socket.send_json({"type": "subscribe", "after": self.seen[-1]})
                    while True:
                        self._take(await socket.receive_json(timeout=QUIET))

    def _take(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "event":
            self.seen.append(frame["data"]["id"])


def page_behind(instance: Instance, cursor: str | None) -> Any:
    query = {"limit": PAGE} | ({"after": cursor} if cursor else {})
    return instance.call("GET", f"/api/v1/events?{urllib.parse.urlencode(query)}")


def whole_log(instance: Instance) -> list[dict[str, Any]]:
    """Return every event of the log, read from its beginning."""
    page = page_behind(instance, None)
    events = list(page["data"])
    while page["has_more"]:
        page = page_behind(instance, page["next_cursor"])
        events += page["data"]
    return events


@contextmanager
def reading(*readers: Reader) -> Iterator[None]:
    """Let each read in a thread of its own until the block ends."""
    is_over = threading.Event()

    def read_on_and_on(reader: Reader) -> None:
        while not is_over.is_set():
            with contextlib.suppress(*AWAY):
                reader.read_on()
            is_over.wait(0.05)

    threads = [threading.Thread(target=read_on_and_on, args=[reader], daemon=True) for reader in readers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        is_over.set()
        for thread in threads:
            thread.join(PATIENCE)


class Agents(Clients):
    """Clients of the API that make inboxes and send mail, and ask again until they are answered.

    Acknowledged are an event's type and the id in its data. ``refusals`` are the statuses of all refusals they met.
    """

    def __init__(self, instance: Instance, clients: int, **options: Any) -> None:
        super().__init__(clients, **options)
        self.instance, self.inbox_id = instance, instance.get("/api/v1/inboxes")["data"][0]["id"]
        self.refusals = set[int]()

    def do(self, number: int) -> tuple[str, str] | None:
        try:
            return self.send(number) if number % 2 else self.make_inbox(number)
        except urllib.error.HTTPError as refusal:
            self.refusals.add(refusal.code)
        except AWAY:
            pass
        return None

    def make_inbox(self, number: int) -> tuple[str, str]:
        body = {"client_id": f"survivor-{number}"}
        return "inbox.created", self.instance.call("POST", "/api/v1/inboxes", body)["id"]

    def send(self, number: int) -> tuple[str, str]:
        words = different_words(number)
        body = {"to": [f"{words[0]}@survival.example"], "subject": words[1], "text_body": " ".join(words)}
        path, key = f"/api/v1/inboxes/{self.inbox_id}/messages", {"Idempotency-Key": f"survivor-{number}"}
        return "message.captured", self.instance.call("POST", path, body, **key)["id"]


def different_words(number: int) -> list[str]:
    """Return what no brake takes for a repetition."""
    chance = random.Random(number)  # noqa: S311 - a die that falls the same way each time
    return ["".join(chance.choices(string.ascii_lowercase, k=8)) for _ in range(5)]
