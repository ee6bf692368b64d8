"""Approvals by keyboard, in a real browser against a whole AgentPost."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.chromium import CHROMIUM
from tests.site.instance import Instance

OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]

pytestmark = pytest.mark.usefixtures("chromium")


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with Instance(tmp_path_factory.mktemp("approvals") / "var") as running:
        yield running


@contextlib.contextmanager
def signed_in(instance: Instance) -> Iterator[Page]:
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS) as browser,
    ):
        page = browser.new_page(base_url=f"http://127.0.0.1:{instance.http_port}")
        page.goto("/console/?environment=development")
        page.fill("input[type=email], input[name=username], input[name=login]", instance.told("sign in as"))
        page.fill("input[type=password]", instance.told("password"))
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "login" not in url)
        page.goto("/console/?environment=development")
        yield page


def ask(instance: Instance, subject: str) -> str:
    """Let the agent write a draft and ask for a yes; return the address of the draft."""
    inbox = instance.get("/api/v1/inboxes")["data"][0]["id"]
    given = {"to": "bob@example.com", "subject": subject, "text_body": "Hello"}
    draft = instance.call("POST", f"/api/v1/inboxes/{inbox}/drafts", given)["id"]
    instance.call("POST", f"/api/v1/drafts/{draft}/submit", {})
    return f"/api/v1/drafts/{draft}"


def state(instance: Instance, draft: str) -> Any:
    return instance.get(draft)["state"]


def test_a_queue_is_worked_off_by_keyboard(instance: Instance) -> None:
    first, second, third = (ask(instance, subject) for subject in ("First", "Second", "Third"))
    with signed_in(instance) as page:
        page.goto("/console/approvals/")
        for key, subject in (("j", "Second"), ("k", "First")):
            page.keyboard.press(key)
            page.wait_for_selector(f".drafts-head:has-text('{subject}')")
        page.keyboard.press("a")
        page.wait_for_selector(".drafts-armed")
        assert (state(instance, first), page.inner_text(".drafts-announcement")) == (
            "pending_approval", "Press a again, or Enter, to approve.",
        )  # fmt: skip
        page.keyboard.press("Escape")
        assert page.query_selector(".drafts-armed") is None
        page.keyboard.press("r")
        page.keyboard.type("as is, asap")  # an a and an s that decide nothing
        assert [state(instance, draft) for draft in (first, second, third)] == ["pending_approval"] * 3
        page.keyboard.press("Control+Enter")
        page.wait_for_selector(".drafts-head:has-text('Second')")
        assert instance.get(first)["rejection_reason"] == "as is, asap"
        page.keyboard.press("a")
        page.keyboard.press("Enter")
        page.wait_for_selector(".drafts-head:has-text('Third')")
        page.keyboard.press("s")
        page.keyboard.press("s")
        page.wait_for_selector("text=Nothing waits for a decision")
    assert [state(instance, draft) for draft in (first, second, third)] == ["rejected", "approved", "sent"]
