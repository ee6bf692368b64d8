"""The whole application behind the front, over real connections: nothing of HTTP is lost on the way."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings

from tests.site.web import Web, serving


@pytest.fixture(scope="module")
def web(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with serving(tmp_path_factory.mktemp("web"), "tests.site.streaming:application") as web:
        yield web


def environ(web: Web, request: bytes) -> dict[str, str]:
    """Return the strings that the application is told of a request."""
    _, _, body = web.says(request).partition(b"\r\n\r\n")
    found: dict[str, str] = eval(body)  # noqa: S307 - what our own process printed
    return found


def head(path: str = "/api/test/environ", *lines: str) -> bytes:
    told = [f"GET {path} HTTP/1.1", "Host: here.example:8", "Connection: close", *lines, "", ""]
    return "\r\n".join(told).encode("latin-1")


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("Accept: one\r\nAccept: two", "HTTP_ACCEPT", "one,two"),
        ("Cookie: a=1\r\nCookie: b=2", "HTTP_COOKIE", "a=1; b=2"),
        ("X-Forwarded-For: 1.2.3.4", "REMOTE_ADDR", "127.0.0.1"),
        ("X-Forwarded-For: 1.2.3.4", "HTTP_X_FORWARDED_FOR", "1.2.3.4"),
        ("X-Forwarded-Proto: https", "wsgi.url_scheme", "http"),
        ("X-Forwarded-Host: evil.example", "HTTP_HOST", "here.example:8"),
        ("X-Name: \u00e9", "HTTP_X_NAME", "\u00e9"),
        ("X_Name: 1", "HTTP_X_NAME", None),
        ("Content-Type: a/b", "CONTENT_TYPE", "a/b"),
        ("Content-Type: a/b", "HTTP_CONTENT_TYPE", None),
        ("Content_Length: 7", "CONTENT_LENGTH", "0"),
        ("Proxy: x", "SERVER_PROTOCOL", "HTTP/1.1"),
    ],
)
def test_headers_reach_the_application_as_they_are_in_wsgi(web: Web, line: str, name: str, value: str | None) -> None:
    assert environ(web, head("/api/test/environ", line)).get(name) == value


def test_a_path_is_decoded_once_and_a_query_not_at_all(web: Web) -> None:
    told = environ(web, head("/api/test/%65nviron?a=%2520&b=%C3%A9"))
    assert told["PATH_INFO"] == "/api/test/environ"
    assert told["QUERY_STRING"] == "a=%2520&b=%C3%A9"


@pytest.mark.parametrize("path", ["/%FF%C3", "/%252e", "/a%2Fb", "/a//b", "/%00", "/console/%0A", "/*", "/%E2%82%AC"])
def test_strange_paths_are_not_found(web: Web, path: str) -> None:
    assert web.get(path)[0] == 404
    assert web.get(f"/api/v1{path}")[0] in {401, 404}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/healthz", 200),
        ("HEAD", "/healthz", 200),
        ("GET", "/api/v1/openapi.json", 200),
        ("HEAD", "/api/v1/openapi.json", 200),
        ("GET", "/static/unfold/css/styles.css", 200),
        ("GET", "/static/nowhere.css", 404),
        ("OPTIONS", "/api/v1/me", 401),
        ("TRACE", "/api/v1/me", 401),
        ("GET", "/nowhere", 404),
        ("GET", "/api/v1/nowhere", 404),
    ],
)
def test_each_method_is_answered_with_an_id(web: Web, method: str, path: str, status: int) -> None:
    found, headers, body = web.get(path, method)
    assert found == status
    assert re.fullmatch(r"req_[0-9A-Z]{26}", headers["Request-Id"])
    assert (body == b"") == (method == "HEAD")


def test_head_tells_the_length_that_get_has(web: Web) -> None:
    for path in ("/healthz", "/api/v1/openapi.json", "/test/large"):
        assert web.get(path, "HEAD")[1]["Content-Length"] == str(len(web.get(path)[2]))


def test_a_host_that_is_not_ours_is_refused(web: Web) -> None:
    assert web.get("/console/login/", Host="not-ours.example")[0] == 400
    assert web.says(b"GET /console/login/ HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.0 400 ")


def test_headers_that_come_twice_stay_two(web: Web) -> None:
    assert web.get("/test/slow")[1].get_all("Set-Cookie") == ["one=1", "two=2"]


def pieces(size: int) -> Iterator[bytes]:
    yield from (b"x" * min(70_000, size - start) for start in range(0, size, 70_000))


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("size", [0, 1, 65_537, 1024 * 1024, 3_000_000])
def test_a_body_arrives_whole_with_its_length(web: Web, size: int, chunked: bool) -> None:
    body: Any = pieces(size) if chunked else b"x" * size
    assert web.get("/test/read", "POST", body)[2] == f"{size} of {size}".encode()


def test_of_a_body_beyond_the_limit_one_octet_too_many_is_taken(web: Web) -> None:
    taken = settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1
    assert web.get("/test/read", "POST", pieces(taken + 70_000))[2] == f"{taken} of {taken}".encode()


def test_a_client_that_waits_for_100_is_told_to_go_on(web: Web) -> None:
    with web.connect() as client:
        client.sendall(b"POST /test/read HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 100 ")
        client.sendall(b"abc")
        assert b"3 of 3" in client.recv(1000)


def test_a_person_signs_in_to_the_console_with_its_cookie_only(web: Web) -> None:
    status, headers, body = web.get("/console/login/")
    token = re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', body)
    assert status == 200
    assert token
    form = urlencode({"csrfmiddlewaretoken": token[1].decode(), "username": "a@b.example", "password": "wrong"})
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    cookie = headers["Set-Cookie"].partition(";")[0]
    assert web.get("/console/login/", "POST", form, **kind)[0] == 403
    status, _, body = web.get("/console/login/", "POST", form, Cookie=cookie, **kind)
    assert (status, b"errornote" in body or b"correct" in body) == (200, True)


def test_an_upload_that_is_too_large_is_refused_by_django(django_db_setup: None, tmp_path: Path) -> None:
    limit = {"AGENTPOST_MAX_MESSAGE_SIZE": "1000"}
    with serving(tmp_path, "agentpost_site.asgi:application", **limit) as web:
        token = web.get("/console/login/")[1]["Set-Cookie"].partition(";")[0]
        form = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": token}
        assert web.get("/console/login/", "POST", b"a=" + b"x" * 3000, **form)[0] == 400
