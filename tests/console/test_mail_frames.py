"""A stranger's HTML in the console: cleaned, shut in, and shown in a sandbox, in Debian's Chromium."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from playwright.sync_api import Error, Page, sync_playwright

from environments.binding import inside
from mail.admin.bodies import as_frame
from mail.display import framed
from mail.models import Attachment, Message
from mail.services import blobs
from tests.chromium import CHROMIUM
from tests.console.hostile import HOSTILE
from tests.console.house import House, message_fields
from tests.console.pages import page

QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
TITLE = "A page of ours"
OUTER = "<!doctype html><title>{}</title><iframe src='/frame' {}></iframe>"
SANDBOX = 'sandbox="allow-popups allow-popups-to-escape-sandbox" referrerpolicy="no-referrer"'
Shown = tuple[bytes, dict[str, str]]  # body and headers


class Stranger(ThreadingHTTPServer):
    """A server on this machine that remembers what it was asked for; what it was not given it answers with nothing."""

    daemon_threads = True

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.given: dict[str, Shown] = {}
        super().__init__(("127.0.0.1", 0), Answering)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def body(self, html: str) -> str:
        return html.replace("EVIL", self.url).replace("PORT", str(self.server_port))


class Answering(BaseHTTPRequestHandler):
    server: Stranger

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        body, headers = self.server.given.get(self.path, (b"", {}))
        self.send_response(200)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - as the base names it

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def stranger(chromium: str) -> Iterator[Stranger]:
    with Stranger() as server:
        yield server
        server.shutdown()


def look(opened: Page, ours: Stranger, stranger: Stranger, frame: Shown) -> list[str]:
    """Return what a body achieved that is shown in a frame of a page of ours: nothing, it is to be hoped."""
    said: list[str] = []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("dialog", lambda dialog: (said.append("PWNED"), dialog.dismiss()))
    ours.given["/frame"] = frame
    stranger.asked.clear()
    opened.goto(f"{ours.url}/")
    click(opened)
    opened.wait_for_timeout(100)
    achieved = [f"asked for {path}" for path in stranger.asked if path != "/favicon.ico"]
    achieved += [text for text in said if text == "PWNED"]
    if (opened.url, opened.title()) != (f"{ours.url}/", TITLE):
        achieved.append(f"led to {opened.url}, {opened.title()}")
    return achieved


def click(opened: Page) -> None:
    """Follow the link of a body, if it has one that a script or the whole window would be led away by."""
    with suppress(Error):  # the body may have led the frame away already
        link = opened.frames[-1].get_by_text("click me")
        if len(opened.frames) > 1 and link.count():
            link.first.click(timeout=2000, no_wait_after=True)


def of(answer: HttpResponse) -> Shown:
    return answer.content, dict(answer.headers)


FOLLOWED = {"link that takes the top"}  # a click opens it in a window of its own, which asks for it: as it should


def test_nothing_that_a_stranger_sends_runs_loads_or_leads_away(
    acme: House, signed_in: Callable[..., Client], stranger: Stranger
) -> None:
    client, shown = signed_in("environment_member"), {}
    for name, html in HOSTILE.items():
        message = with_html(acme, stranger.body(html))
        assert SANDBOX.split(maxsplit=1)[0] in client.get(page(message), {"tab": "html"}).content.decode()
        shown[name] = of(client.get(page(message, "frame")))
    achieved = look_at_all(stranger, shown, SANDBOX)
    assert {name: what for name, what in achieved.items() if what and name not in FOLLOWED} == {}
    assert achieved["link that takes the top"] in ([], ["asked for /top"])


def test_what_cleaning_would_miss_is_stopped_by_the_policy_alone(stranger: Stranger) -> None:
    shown = {name: of(as_frame(stranger.body(html), with_remote=False)) for name, html in HOSTILE.items()}
    achieved = look_at_all(stranger, shown, "")
    assert {name: what for name, what in achieved.items() if what and name not in {*FOLLOWED, "link of ours"}} == {}


def test_the_bodies_are_hostile_indeed(stranger: Stranger) -> None:
    shown = {
        name: (stranger.body(html).encode(), {"Content-Type": "text/html; charset=utf-8"})
        for name, html in HOSTILE.items()
    }
    achieved = look_at_all(stranger, shown, "")
    assert sum(bool(what) for what in achieved.values()) > 30


def look_at_all(stranger: Stranger, shown: dict[str, Shown], sandbox: str) -> dict[str, list[str]]:
    """Return what each body achieved in a browser."""
    found = {}
    with sync_playwright() as playwright, Stranger() as ours:
        ours.given["/"] = OUTER.format(TITLE, sandbox).encode(), {"Content-Type": "text/html"}
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        for name, frame in shown.items():
            with browser.new_context() as context:
                found[name] = look(context.new_page(), ours, stranger, frame)
        browser.close()
        ours.shutdown()
    return found


def with_html(house: House, html: str, **fields: Any) -> Message:
    environment, thread, blob = house.development, house.here("mail.thread"), house.here("mail.blob")
    given = message_fields(house.here("inboxes.inbox"), thread, blob, "HTML") | {"html_body": html} | fields
    with inside(environment):
        return Message.objects.in_environment(environment).create(environment=environment, **given)


def test_a_frame_says_what_it_may_do(acme: House, signed_in: Callable[..., Client]) -> None:
    answer = signed_in("environment_member").get(page(acme.here("mail.message"), "frame"))
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'; img-src data:; " in policy
    assert "sandbox allow-popups allow-popups-to-escape-sandbox" in policy
    assert ("allow-scripts" in policy, "allow-same-origin" in policy) == (False, False)
    assert (answer["X-Frame-Options"], answer["Referrer-Policy"]) == ("SAMEORIGIN", "no-referrer")


def test_every_other_page_may_be_framed_by_nobody(acme: House, signed_in: Callable[..., Client]) -> None:
    answer = signed_in("environment_member").get(page(acme.here("mail.message")))
    assert (answer["X-Frame-Options"], "frame-ancestors 'none'" in answer["Content-Security-Policy"]) == ("DENY", True)


REMOTE = "<img src='https://pictures.example/a.png' alt='A'>"


@pytest.mark.parametrize(("asked", "is_loaded"), [({}, False), ({"remote": "0"}, False), ({"remote": "1"}, True)])
def test_pictures_on_other_servers_are_loaded_only_for_whoever_asks(
    asked: dict[str, str], is_loaded: bool, acme: House, signed_in: Callable[..., Client]
) -> None:
    client, message = signed_in("environment_member"), with_html(acme, REMOTE)
    answer = client.get(page(message, "frame"), asked)
    is_allowed = "img-src data: https:" in answer["Content-Security-Policy"]
    assert (b"pictures.example" in answer.content, is_allowed) == (is_loaded, is_loaded)
    told = client.get(page(message), {"tab": "html", **asked}).content.decode()
    assert ("Load remote images" in told, "?remote=1" in told) == (not is_loaded, is_loaded)


def test_a_picture_of_the_mail_itself_is_shown_and_no_drawing_that_can_hold_script(
    acme: House, signed_in: Callable[..., Client], object_store: Path
) -> None:
    message = with_html(acme, "<img src='cid:logo@a'><img src='cid:drawing@a'>")
    attach(acme, message, "logo@a", "image/png", b"a picture")
    attach(acme, message, "drawing@a", "image/svg+xml", b"<svg/>")
    shown = signed_in("environment_member").get(page(message, "frame")).content.decode()
    assert '<img src="data:image/png;base64,YSBwaWN0dXJl"><img>' in shown


def attach(house: House, message: Message, content_id: str, kind: str, content: bytes) -> Attachment:
    environment = house.development
    with inside(environment):
        blob = blobs.keep(environment, [content])[blobs.digest(content)]
        return Attachment.objects.in_environment(environment).create(
            environment=environment,
            message=message,
            blob=blob,
            filename=f"{content_id}.x",
            content_type=kind,
            size=len(content),
            content_id=content_id,
            is_inline=True,
        )


def test_html_that_no_parser_should_be_given_is_shown_as_its_text(
    acme: House, signed_in: Callable[..., Client]
) -> None:
    message = with_html(acme, "<div>" * 5000 + "deep", text_body="Hello <b>there</b>")
    answer = signed_in("environment_member").get(page(message, "frame"))
    assert (answer.status_code, b"Hello &lt;b&gt;there&lt;/b&gt;" in answer.content) == (200, True)


def test_links_open_elsewhere_and_tell_nobody_where_from() -> None:
    shown = framed("<a href='https://shop.example/?a=1' target='_top' rel='opener'>x</a>", {})
    assert shown
    assert 'href="https://shop.example/?a=1" target="_blank" rel="noopener noreferrer nofollow"' in shown.page
