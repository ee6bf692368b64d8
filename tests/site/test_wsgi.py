"""Bodies as a server hands them over: with a length, or in chunks and without one."""

from io import BytesIO
from typing import Any

import pytest

from agentpost_site.wsgi import MeasuredBody


def received(body: bytes, **environ: Any) -> tuple[bytes, str | None]:
    """Return what of a body reaches the application, and the length it is told."""
    found: list[tuple[bytes, str | None]] = []

    def application(given: dict[str, Any], _: Any) -> list[bytes]:
        found.append((given["wsgi.input"].read(), given.get("CONTENT_LENGTH")))
        return []

    MeasuredBody(application)({"wsgi.input": BytesIO(body), "wsgi.input_terminated": True, **environ}, None)
    return found[0]


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537, 300_000])
def test_a_body_in_chunks_arrives_whole_with_its_length(size: int) -> None:
    assert received(b"x" * size) == (b"x" * size, str(size))


def test_a_body_with_a_length_is_left_alone() -> None:
    assert received(b"abc", CONTENT_LENGTH="2") == (b"abc", "2")


def test_a_server_that_does_not_end_the_body_is_not_waited_for() -> None:
    assert received(b"abc", **{"wsgi.input_terminated": False}) == (b"abc", None)


def test_a_body_beyond_the_limit_is_taken_one_octet_too_far(settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    assert received(b"x" * 1000) == (b"x" * 101, "101")
