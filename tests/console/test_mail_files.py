# ruff: noqa: E501 - a line for each name
"""Files in the console: given byte for byte, to be kept, and never shown."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from environments.binding import inside
from environments.models import AuditEntry
from mail.models import Attachment, Message
from mail.services import blobs
from tests.console.house import House
from tests.console.pages import page

RAW = b"From: a@b.example\r\nSubject: \xff raw\r\n\r\n<script>alert(1)</script>\r\n"


def give_bytes(house: House, content: bytes, filename: str = "a.pdf") -> tuple[Message, Attachment]:
    environment = house.development
    with inside(environment):
        blob = blobs.keep(environment, [content])[blobs.digest(content)]
        message = Message.objects.in_environment(environment).get(pk=house.here("mail.message").pk)
        message.raw = blob
        message.save()
        file = Attachment.objects.in_environment(environment).get(pk=house.here("mail.attachment").pk)
        file.blob, file.filename, file.content_type = blob, filename, "text/html"
        file.save()
    return message, file


def test_a_raw_mail_is_given_byte_for_byte(acme: House, signed_in: Callable[..., Client], object_store: Path) -> None:
    message, _ = give_bytes(acme, RAW)
    answer = signed_in("environment_member").get(page(message, "raw"))
    assert (answer.content, answer["Content-Type"]) == (RAW, "message/rfc822")
    assert answer["Content-Disposition"].startswith(f'attachment; filename="{message.pk}.eml"')


def test_a_raw_mail_is_shown_as_text_up_to_a_length(
    acme: House, signed_in: Callable[..., Client], object_store: Path
) -> None:
    message, _ = give_bytes(acme, RAW + b"x" * 300_000)
    shown = signed_in("environment_member").get(page(message), {"tab": "raw"}).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert ("Shown are the first" in shown, "x" * 270_000 in shown) == (True, False)


NAMES = [
    ("report.pdf", "filename=\"report.pdf\"; filename*=UTF-8''report.pdf"),
    ('a"; x=".html', "filename=\"a_; x=_.html\"; filename*=UTF-8''a%22%3B%20x%3D%22.html"),
    ("../../etc/passwd", "filename=\".._.._etc_passwd\"; filename*=UTF-8''..%2F..%2Fetc%2Fpasswd"),
    ("Rechnung für März.pdf", "filename=\"Rechnung f_r M_rz.pdf\"; filename*=UTF-8''Rechnung%20f%C3%BCr%20M%C3%A4rz.pdf"),
    ("a\r\nSet-Cookie: x=1", "filename=\"a__Set-Cookie: x=1\"; filename*=UTF-8''a%0D%0ASet-Cookie%3A%20x%3D1"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "expected"), NAMES)
def test_a_file_is_given_under_its_name_whatever_it_is_called(
    name: str, expected: str, acme: House, signed_in: Callable[..., Client], object_store: Path
) -> None:
    _, file = give_bytes(acme, b"<script>alert(1)</script>", name)
    answer = signed_in("environment_member").get(page(file, "download"))
    assert answer["Content-Disposition"] == f"attachment; {expected}"


def test_no_browser_shows_or_runs_a_file(acme: House, signed_in: Callable[..., Client], object_store: Path) -> None:
    _, file = give_bytes(acme, b"<script>alert(1)</script>", "page.html")
    answer = signed_in("environment_member").get(page(file, "download"))
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("application/octet-stream", "nosniff")
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_files_are_read_and_not_posted_to(acme: House, signed_in: Callable[..., Client]) -> None:
    assert signed_in("owner").post(page(acme.here("mail.message"), "frame")).status_code == 405


@pytest.mark.parametrize(("label", "what"), [("mail.message", "raw"), ("mail.attachment", "download")])
def test_an_operator_who_takes_bytes_has_looked(
    label: str, what: str, acme: House, signed_in: Callable[..., Client], object_store: Path
) -> None:
    give_bytes(acme, RAW)
    signed_in("operator").get(page(acme.here(label), what))
    looked = AuditEntry.objects.in_organization(acme.organization).get(action="operator.looked")
    assert (looked.target_id, looked.after["page"]) == (acme.here(label).pk, f"{label.replace('.', '_')}_{what}")


def test_a_file_of_a_draft_whose_bytes_are_gone_has_a_page_that_says_so(
    acme: House, signed_in: Callable[..., Client], object_store: Path
) -> None:
    answer = signed_in("environment_member").get(page(acme.here("mail.draftfile"), "download"))
    assert answer.status_code == 410
    assert "not in the object store" in answer.content.decode()
