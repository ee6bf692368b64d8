"""The bytes of mail in the console: HTML in a sandbox, and files to keep. Nothing that a stranger wrote is run."""

import base64
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from http import HTTPStatus
from typing import Any, ClassVar
from urllib.parse import quote

from django.http import HttpResponse, HttpResponseNotAllowed
from django.urls import URLPattern, path

from environments.console.admins import EnvironmentModelAdmin
from environments.console.reach import ConsoleRequest
from environments.models import Environment
from mail.display import Framed, framed
from mail.models import Attachment, Blob, DraftFile, Message
from mail.services import blobs
from mail.services.quoting import as_html, original_text, shown_images

PICTURES = {"image/png", "image/jpeg", "image/gif", "image/webp"}  # never SVG, which can hold script
LARGEST_PICTURE, MOST_PICTURES, LARGEST_OF_ALL = 2_000_000, 40, 8_000_000
READABLE = 256 * 1024  # bytes of a raw mail that a page shows
SANDBOX = "sandbox allow-popups allow-popups-to-escape-sandbox"
FRAME_POLICY = (
    "default-src 'none'; img-src {images}; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; "
    f"frame-ancestors 'self'; {SANDBOX}"
)
READING = ("GET", "HEAD")


def framed_body(environment: Environment, message: Message, *, with_remote: bool) -> Framed:
    """Return a message's HTML as a page for a frame; its text where the HTML cannot be shown safely."""
    pictures: Iterable[Attachment] = ()
    if message.html_body and message.has_attachments:
        rows = Attachment.objects.in_environment(environment).filter(message=message, content_type__in=PICTURES)
        small = rows.filter(size__lte=LARGEST_PICTURE).exclude(content_id="")
        pictures = small.select_related("blob").order_by("pk")[:MOST_PICTURES]
    html = message.html_body or as_html(original_text(message))
    return frame(html, pictures, lambda: original_text(message), with_remote=with_remote)


def frame(html: str, files: Iterable[Attachment | DraftFile], text: Callable[[], str], *, with_remote: bool) -> Framed:
    """Return HTML as a page for a frame, with those of the files that it shows; its text where it cannot be shown."""
    shown = framed(html, inline_images(html, files), with_remote=with_remote)
    return shown or framed(as_html(text()), {}) or Framed("", 0)


def inline_images(html: str, files: Iterable[Attachment | DraftFile]) -> dict[str, str]:
    """Return the pictures among the files that the HTML shows, as ``data:`` addresses by Content-ID."""
    wanted, found, left = shown_images(html), dict[str, str](), LARGEST_OF_ALL
    for file in files:
        name = file.content_id.strip("<>")
        is_shown = {name, quote(name)} & wanted and file.content_type in PICTURES and len(found) < MOST_PICTURES
        if is_shown and file.size <= min(LARGEST_PICTURE, left) and (content := content_of(file.blob)):
            left -= file.size
            found[name] = f"data:{file.content_type};base64,{base64.b64encode(content).decode()}"
    return found


def content_of(blob: Blob, most: int | None = None) -> bytes | None:
    """Return the bytes of a blob, no more than ``most``; None where the object store has lost them."""
    try:
        return blobs.read(blob) if most is None else blobs.beginning(blob, most)
    except OSError:
        return None


def as_file(content: bytes, filename: str, content_type: str = "application/octet-stream") -> HttpResponse:
    """Return bytes as a file to keep, which no browser shows or runs (RFC 6266, RFC 8187)."""
    plain = "".join(one if one.isascii() and one.isprintable() and one not in '"\\/%' else "_" for one in filename)
    answer = HttpResponse(content, content_type=content_type)
    answer["Content-Disposition"] = (
        f"attachment; filename=\"{plain[:150]}\"; filename*=UTF-8''{quote(filename, safe='')}"
    )
    answer["Content-Security-Policy"] = f"default-src 'none'; {SANDBOX.split(maxsplit=1)[0]}"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "private, no-store"
    return answer


def as_frame(page: str, *, with_remote: bool) -> HttpResponse:
    """Return a page that may be shown in a frame of ours and can do nothing there."""
    answer = HttpResponse(page)
    answer["Content-Security-Policy"] = FRAME_POLICY.format(images="data: https:" if with_remote else "data:")
    answer["X-Frame-Options"] = "SAMEORIGIN"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["X-DNS-Prefetch-Control"] = "off"
    answer["Referrer-Policy"] = "no-referrer"
    answer["Cache-Control"] = "private, no-store"
    return answer


View = Callable[..., HttpResponse]


def only_reading(view: View) -> View:
    """Let a view answer for the row that its path names, and to nothing but reading."""

    @wraps(view)
    def answered(self: Any, request: ConsoleRequest, object_id: str) -> HttpResponse:
        row = self.found(request, object_id)
        if request.method not in READING:
            return HttpResponseNotAllowed(READING)
        return view(self, request, row)

    return answered


class WithFiles(EnvironmentModelAdmin):
    """Pages of rows that have bytes; ``gives`` names the views that give them, by the last part of their address."""

    gives: ClassVar[Mapping[str, str]] = {}

    def get_urls(self) -> list[URLPattern]:
        return [*(self._file_url(name, view) for name, view in self.gives.items()), *super().get_urls()]

    def _file_url(self, name: str, view: str) -> URLPattern:
        wrapped = self.admin_site.admin_view(getattr(self, view))
        return path(f"<path:object_id>/{name}/", wrapped, name=f"mail_{self.opts.model_name}_{name}")

    def file(self, request: ConsoleRequest, row: Any, blob: Blob, filename: str, content_type: str) -> HttpResponse:
        """Return a blob as a file, or a page that says that its bytes are gone."""
        content = content_of(blob)
        if content is not None:
            return as_file(content, filename, content_type)
        return self.admin_site.page(
            request, "console/mail/missing.html", HTTPStatus.GONE, title="The bytes are gone", object=row, blob=blob
        )
