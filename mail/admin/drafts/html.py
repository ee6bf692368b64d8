"""The HTML of a draft as its recipients would see it, shut in as a stranger's is: an agent may quote one."""

import base64
from collections.abc import Sequence

from django.http import HttpResponse

from mail import extraction
from mail.admin.bodies import LARGEST_OF_ALL, LARGEST_PICTURE, PICTURES, as_frame, content_of
from mail.display import Framed, framed
from mail.models import Draft, DraftFile
from mail.services.quoting import as_html, shown_images


def frame_of(draft: Draft, files: Sequence[DraftFile], *, with_remote: bool) -> HttpResponse:
    """Return the HTML of a draft as a page for a frame, with the pictures among its files; its text without any."""
    html = draft.html_body or as_html(draft.text_body or "")
    shown = framed(html, _pictures(draft, files), with_remote=with_remote)
    shown = shown or framed(as_html(extraction.to_text(html)), {}) or Framed("", 0)
    return as_frame(shown.page, with_remote=with_remote)


def draws_from_afar(html: str | None) -> bool:
    """Return whether HTML asks for pictures on other servers, so that it is worth offering to load them."""
    shown = framed(html, {}) if html else None
    return shown is not None and shown.remote_images > 0


def _pictures(draft: Draft, files: Sequence[DraftFile]) -> dict[str, str]:
    """Return the pictures that the HTML shows out of the draft's own files, by Content-ID."""
    wanted, found, left = shown_images(draft.html_body), dict[str, str](), LARGEST_OF_ALL
    for file in files:
        is_shown = file.content_id in wanted and file.content_type in PICTURES
        if is_shown and file.size <= min(LARGEST_PICTURE, left) and (content := content_of(file.blob)):
            left -= file.size
            found[file.content_id] = f"data:{file.content_type};base64,{base64.b64encode(content).decode()}"
    return found
