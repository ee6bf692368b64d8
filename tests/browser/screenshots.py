"""Pictures of the console's main pages, for the documentation: ``make screenshots``.

A fresh AgentPost is started beside whatever runs, filled with Northwind's month, and looked at as its owner.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from tests.browser.people import People, Person
from tests.browser.steps import stand_in
from tests.chromium import CHROMIUM

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "docs" / "screenshots"
OPTIONS = ["--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-color-profile=srgb"]
PHONE = {"width": 375, "height": 812}

PAGES = {  # the picture's name: where it is taken; {…} are ids that Northwind's story names
    "overview": "/console/?days=30",
    "organization": "/console/organization/",
    "inboxes": "/console/inboxes/inbox/",
    "messages": "/console/mail/message/",
    "search": "/console/mail/message/?q=from:adatum.example+order",
    "conversation": "/console/mail/message/{message order}/change/ > Show the conversation",
    "message": "/console/mail/message/{message vat}/change/",
    "html": "/console/mail/message/{message newsletter}/change/?tab=html",
    "timeline": "/console/mail/message/{message order-answer}/change/?tab=timeline",
    "quarantine": "/console/mail/message/{message phishing}/change/",
    "approvals": "/console/approvals/",
    "drafts": "/console/mail/draft/",
    "endpoints": "/console/webhooks/webhookendpoint/",
    "endpoint": "/console/webhooks/webhookendpoint/ > crm.northwind.example",
    "deliveries": "/console/webhooks/webhookdelivery/",
    "delivery": "/console/webhooks/webhookdelivery/?state=failed > message.received",
    "events": "/console/webhooks/event/",
    "environment": "/console/environments/environment/{production}/change/",
    "going-live": "/console/environments/environment/{production}/delivery-mode/",
    "domains": "/console/inboxes/domain/ > news.northwind.example",
    "keys": "/console/apikeys/apikey/",
    "new-key": "/console/apikeys/apikey/add/?preset=propose",
    "filter-rules": "/console/inboxes/filterrule/",
    "suppressions": "/console/inboxes/suppression/",
    "people": "/console/environments/member/",
    "audit": "/console/environments/auditentry/",
    "account": "/console/account/",
}
AT_NIGHT = ("overview", "conversation", "approvals")
IN_A_HAND = ("overview", "conversation", "approvals", "messages")
ELSEWHERE = {"captured": ("fabrikam", "/console/mail/message/{message return-copy}/change/")}


def take_all() -> None:
    """Write every picture anew."""
    from tests.browser.palette import shrunk
    from tests.mail.sink import running_sink
    from tests.site.instance import Instance

    TARGET.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="agentpost-", ignore_cleanup_errors=True) as place, running_sink() as sink:
        Path(place).chmod(0o711)  # root's PostgreSQL runs as nobody
        (folder := Path(place) / "data").mkdir()
        with Instance(folder, AGENTPOST_RELAY_URL=sink.url) as instance, sync_playwright() as playwright:
            story = _furnished(instance)
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
            blank = browser.new_page()
            for name, picture in _pictures(browser, f"http://127.0.0.1:{instance.http_port}", story):
                (TARGET / f"{name}.png").write_bytes(shrunk(picture, blank))
            browser.close()


def _furnished(instance: Any) -> dict[str, str]:
    command = [sys.executable, "-m", "tests.browser.northwind"]
    made = subprocess.run(command, cwd=ROOT, env=instance.environment, stdout=subprocess.PIPE, check=True)
    story: dict[str, str] = json.loads(made.stdout)
    return story


def _pictures(browser: Browser, base: str, story: dict[str, str]) -> Iterator[tuple[str, bytes]]:
    people = People(browser, base)
    by_day = _owner(people, story)
    for name, where in PAGES.items():
        yield name, _taken(by_day, where, story)
    at_night = _owner(people, story, color_scheme="dark")
    for name in AT_NIGHT:
        yield f"{name}-dark", _taken(at_night, PAGES[name], story)
    in_a_hand = _owner(people, story, viewport=PHONE, device_scale_factor=2)
    for name in IN_A_HAND:
        yield f"{name}-phone", _taken(in_a_hand, PAGES[name], story)
    for name, (environment, where) in ELSEWHERE.items():
        stand_in(by_day, story[environment])
        yield name, _taken(by_day, where, story)
    people.leave()
    if problems := people.problems():
        sys.exit("\n".join(problems))


def _owner(people: People, story: dict[str, str], **options: Any) -> Person:
    owner = people("owner", **options)
    owner.sign_in(story["owner"], story["password"])
    stand_in(owner, story["production"])
    return owner


def _taken(person: Person, where: str, story: dict[str, str]) -> bytes:
    """Go there, on through the link whose words follow ``>``, and return what the screen shows."""
    path, _, link = where.partition(" > ")
    status = person.visit(path.format_map(story))
    if status != 200:
        sys.exit(f"{path} answered {status}")
    if link:
        person.page.locator("main a").filter(has_text=link).first.click()
    person.page.wait_for_load_state("networkidle")
    return person.page.screenshot(animations="disabled", caret="hide")


if __name__ == "__main__":
    import django

    django.setup()
    take_all()
