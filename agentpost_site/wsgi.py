"""The application for a WSGI server."""

import os
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentpost_site.settings")

PIECE = 65536
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class MeasuredBody:
    """Give a body that comes in chunks its length: of a body without one, Django reads nothing, and says nothing.

    No more of it is taken than one octet above the limit, which the application then refuses.
    """

    def __init__(self, application: Application) -> None:
        self.application = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if not environ.get("CONTENT_LENGTH") and environ.get("wsgi.input_terminated"):
            body = _read(environ["wsgi.input"], _limit() + 1)
            environ["wsgi.input"], environ["CONTENT_LENGTH"] = BytesIO(body), str(len(body))
        return self.application(environ, start_response)


def _limit() -> int:
    from django.conf import settings

    return settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def _read(stream: Any, most: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while size < most and (piece := stream.read(min(PIECE, most - size))):
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)


application = MeasuredBody(get_wsgi_application())
