"""Requests that two servers could read differently: the front reads them as one thing, or refuses and hangs up."""

import re
from collections.abc import Iterator

import pytest

from tests.site.web import Web, serving

HOST = b"Host: 127.0.0.1\r\n"
HIDDEN = b"GET /hidden HTTP/1.1\r\n" + HOST + b"\r\n"
READ = b"POST /test/read HTTP/1.1\r\n" + HOST
CHUNKED = READ + b"Transfer-Encoding: chunked\r\n"


@pytest.fixture(scope="module")
def web(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with serving(tmp_path_factory.mktemp("smuggling"), "tests.site.streaming:application") as web:
        yield web


AMBIGUOUS = {  # what is refused, and ends the connection before anything behind it is read
    "two lengths": READ + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello" + HIDDEN,
    "a list of lengths": READ + b"Content-Length: 5, 5\r\n\r\nhello" + HIDDEN,
    "a length with a sign": READ + b"Content-Length: +5\r\n\r\nhello" + HIDDEN,
    "a length below nothing": READ + b"Content-Length: -5\r\n\r\nhello" + HIDDEN,
    "a length in hexadecimal": READ + b"Content-Length: 0x5\r\n\r\nhello" + HIDDEN,
    "a length that wraps around": READ + b"Content-Length: 18446744073709551621\r\n\r\nhello" + HIDDEN,
    "a blank before the colon": READ + b"Content-Length: 5\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a coding of another name": READ + b"Content-Length: 5\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "chunked that is not the last": READ + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a coding in HTTP/1.0": b"POST /test/read HTTP/1.0\r\n" + HOST
    + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a folded header": READ + b"Transfer-Encoding:\r\n chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a CR within a header": READ + b"X: a\rContent-Length: 5\r\n\r\n" + HIDDEN,
    "a NUL within a header": READ + b"X: a\x00b\r\n\r\n" + HIDDEN,
    "a header before the first": b"GET /healthz HTTP/1.1\r\n X: a\r\n" + HOST + b"\r\n" + HIDDEN,
    "chunks with bare LF": CHUNKED + b"\r\n5\nhello\n0\n\n" + HIDDEN,
    "a chunk in 0x": CHUNKED + b"\r\n0x5\r\nhello\r\n0\r\n\r\n" + HIDDEN,
    "a chunk below nothing": CHUNKED + b"\r\n-5\r\nhello\r\n0\r\n\r\n" + HIDDEN,
    "a chunk that wraps around": CHUNKED + b"\r\n10000000000000005\r\nhello\r\n0\r\n\r\n" + HIDDEN,
    "a chunk longer than it says": CHUNKED + b"\r\n5\r\nhelloXX\r\n0\r\n\r\n" + HIDDEN,
    "an extension that ends a chunk's line": CHUNKED + b"\r\n2;\nxx\r\n38\r\n0\r\n\r\n" + HIDDEN,
}  # fmt: skip


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_what_could_be_read_in_two_ways_is_refused_and_nothing_behind_it_is_read(web: Web, name: str) -> None:
    assert statuses(web.says(AMBIGUOUS[name])) == [400]


@pytest.mark.parametrize("path", ["/api/v1/me", "/api/v1/messages/wait", "/api/v1/inboxes/inb_1/messages/wait", "/mcp"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_body_without_an_end_is_never_a_fault_of_ours(web: Web, method: str, path: str) -> None:
    head = f"{method} {path} HTTP/1.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
    assert statuses(web.says(head.encode() + HOST + b"\r\nzz\r\n"))[0] in {400, 401, 405}


def test_where_both_are_named_the_coding_counts_and_the_connection_ends(web: Web) -> None:
    both = CHUNKED + b"Content-Length: %d\r\n\r\n0\r\n\r\n" % (5 + len(HIDDEN)) + HIDDEN
    assert statuses(web.says(both)) == [200]  # RFC 9112 section 6.1


LAST = b"GET /healthz HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n"
CLEAR = {  # what has one meaning, however odd: both requests are answered
    "the same length twice": READ + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "an underscore in its name": READ + b"Content_Length: 50\r\n\r\n",
    "a GET with a body": b"GET /test/read HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % len(HIDDEN) + HIDDEN,
    "chunks with extensions": CHUNKED + b'\r\n5;a="\r\nhello\r\n0\r\n\r\n',
    "trailers": CHUNKED + b"\r\n0\r\nContent-Length: 44\r\nHost: evil.example\r\n\r\n",
}


@pytest.mark.parametrize("name", CLEAR)
def test_what_has_one_meaning_is_answered_with_it(web: Web, name: str) -> None:
    assert statuses(web.says(CLEAR[name] + LAST)) == [200, 200]


def statuses(said: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d\d\d) ", said)]
