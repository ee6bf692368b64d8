"""What people, agents and strangers do, in the words of the tests."""

import hashlib
import hmac
import json
import smtplib
import struct
import time
import urllib.error
import urllib.request
from base64 import b32decode
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import make_msgid
from typing import Any

from tests.browser.people import People, Person
from tests.site.instance import Instance

PATIENCE = 30.0


@dataclass(frozen=True)
class Agent:
    """A program that holds a key."""

    base: str
    key: str

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Return the status and the body of an answer."""
        content = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.base}/api/v1{path}", content, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as refusal:
            return refusal.code, json.loads(refusal.read())

    def done(self, method: str, path: str, body: Any = None) -> Any:
        """Return what a call that must succeed answers."""
        status, answer = self.call(method, path, body)
        assert status < 300, answer
        return answer


def first_owner(people: People, instance: Instance) -> Person:
    """Return who was let in by the first start, signed in."""
    owner = people("owner")
    owner.sign_in(instance.told("sign in as"), instance.told("password"))
    assert owner.path() == "/console/"
    return owner


def member(people: People, northwind: dict[str, str], who: str, name: str = "") -> Person:
    """Return one of Northwind's people at a browser of their own, signed in."""
    person = people(name or who)
    person.sign_in(northwind[who], northwind["password"])
    return person


def stand_in(person: Person, environment: str) -> None:
    """Let a person's pages be of the environment with this id, or slug."""
    assert person.visit(f"/console/?environment={environment}") == 200


def switch_to(person: Person, name: str) -> None:
    """Use the switcher that every page has."""
    person.page.locator("#environment-switcher > summary").click()
    person.page.locator("#environment-switcher button[name=environment]").filter(has_text=name).first.click()
    person.page.wait_for_load_state()


def save(person: Person) -> None:
    person.page.locator("[name=_save]").first.click()
    person.page.wait_for_load_state()


def write_to(instance: Instance, address: str, subject: str, text: str, html: str = "") -> None:
    """Let a stranger's mail client deliver."""
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = "Nora Field <nora@customer.example>", address, subject
    mail["Message-ID"] = make_msgid(domain="customer.example")
    mail.set_content(text)
    if html:
        mail.add_alternative(html, subtype="html")
    with smtplib.SMTP("127.0.0.1", instance.smtp_port, timeout=PATIENCE) as server:
        server.sendmail("nora@customer.example", [address], mail.as_bytes())


def eventually(question: Callable[[], Any], what: str) -> Any:
    """Return the first answer that is something."""
    deadline = time.monotonic() + PATIENCE
    while not (answer := question()):
        assert time.monotonic() < deadline, f"{what} did not come"
        time.sleep(0.2)
    return answer


def shown_after_reloading(person: Person, words: str) -> None:
    """Wait until the page shows these words, loading it again as a person would."""

    def is_shown() -> bool:
        if words in person.sees():
            return True
        person.page.reload()
        return False

    eventually(is_shown, words)


def code_of(secret: str, at: float | None = None) -> str:
    """Return what an authenticator app shows at that time (RFC 6238)."""
    step = struct.pack(">Q", int((time.time() if at is None else at) // 30))
    digest = hmac.new(b32decode(secret + "=" * (-len(secret) % 8)), step, hashlib.sha1).digest()
    offset = digest[-1] & 15
    return f"{(int.from_bytes(digest[offset : offset + 4]) & 0x7FFFFFFF) % 10**6:06d}"
