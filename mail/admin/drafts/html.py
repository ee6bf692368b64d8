"""The HTML of a draft as its recipients would see it, shut in as a stranger's is: an agent may quote one."""

from collections.abc import Sequence

from django.http import HttpResponse

from mail import extraction
from mail.admin.bodies import as_frame, frame
from mail.display import framed
from mail.models import Draft, DraftFile
from mail.services.quoting import as_html


def frame_of(draft: Draft, files: Sequence[DraftFile], *, with_remote: bool) -> HttpResponse:
    """Return the HTML of a draft as a page for a frame, with the pictures among its files; its text without any."""
    html = draft.html_body or as_html(draft.text_body or "")
    shown = frame(html, files, lambda: extraction.to_text(html), with_remote=with_remote)
    return as_frame(shown.page, with_remote=with_remote)


def draws_from_afar(html: str | None) -> bool:
    """Return whether HTML asks for pictures on other servers, so that it is worth offering to load them."""
    shown = framed(html, {}) if html else None
    return shown is not None and shown.remote_images > 0
