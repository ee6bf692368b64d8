"""What a line of a log tells, and what it leaves out whatever went wrong."""

import logging
import sys
from types import TracebackType
from typing import Any

import orjson
import pytest
from django.db import DatabaseError, connection
from structlog.contextvars import bound_contextvars

from environments.binding import inside
from environments.models import Organization
from environments.telemetry.logs import Formatter, News, described, hidden
from tests.canaries import WORD, Cage
from tests.world import World

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def record(message: str, *args: Any, exc_info: Any = None, **extra: Any) -> logging.LogRecord:
    made = logging.LogRecord("mail.smtp", logging.ERROR, "session.py", 1, message, args, exc_info)
    made.__dict__.update(extra)
    return made


def line(*args: Any, **options: Any) -> dict[str, Any]:
    return orjson.loads(Formatter("json").format(record(*args, **options)))  # type: ignore[no-any-return]


def raised(problem: Exception) -> Any:
    try:
        raise problem
    except type(problem):
        return sys.exc_info()


def test_a_line_is_json_with_its_context() -> None:
    with bound_contextvars(session="smt_1", peer="192.0.2.1"):
        found = line("%d mails", 3)
    assert found["event"] == "3 mails"
    assert (found["level"], found["logger"], found["session"]) == ("ERROR", "mail.smtp", "smt_1")
    assert {"time", "process", "pid"} <= found.keys()


def test_a_line_for_people_begins_with_time_and_level() -> None:
    text = Formatter("text").format(record("hello", exc_info=raised(ValueError(WORD))))
    assert " ERROR mail.smtp hello" in text
    assert "ValueError at environments/test_logs.py:" in text
    assert WORD not in text


def test_a_line_of_a_request_names_request_route_key_and_environment(acme: World, monkeypatch: Any) -> None:
    found: list[dict[str, Any]] = []

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(orjson.loads(Formatter("json").format(record)))

    from mail.api import inboxes

    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError(WORD)

    monkeypatch.setattr(inboxes, "inbox_json", broken)
    handler = Keeping()
    logging.getLogger("environments.answers").addHandler(handler)
    answer = acme.api(environments=[acme.development]).post("/inboxes")
    logging.getLogger("environments.answers").removeHandler(handler)
    [told] = found
    assert told["request_id"] == answer["Request-Id"]
    assert (told["method"], told["route"]) == ("POST", "api/v1/inboxes")
    assert told["environment"] == acme.development.pk
    assert told["key"].startswith("key_")
    assert told["fault"][0].startswith("RuntimeError at ")


def test_a_line_in_an_environments_transaction_names_the_environment(acme: World) -> None:
    with inside(acme.development):
        assert line("hello")["environment"] == acme.development.pk


def test_what_postgresql_quotes_of_a_row_stays_out(acme: World) -> None:
    Organization.objects.create(name="One", slug=WORD)
    with pytest.raises(DatabaseError) as clash, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO environments_organization (id, name, slug, created_at, updated_at) "
            "VALUES (gen_random_uuid(), 'x', %s, now(), now())",
            [WORD],
        )
    assert WORD in str(clash.value)
    found = line("failed: %s", clash.value, exc_info=(type(clash.value), clash.value, clash.value.__traceback__))
    assert WORD not in str(found)
    assert "23505, environments_organization" in found["event"]


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        (ValueError(f"invalid literal: {WORD}"), "ValueError"),
        (UnicodeDecodeError("ascii", WORD.encode(), 0, 1, "no"), "UnicodeDecodeError"),
        (FileNotFoundError(2, "No such file", f"/srv/{WORD}"), "FileNotFoundError (No such file or directory)"),
        (KeyError(WORD), "KeyError"),
    ],
)
def test_an_exception_is_told_without_its_words(problem: Exception, told: str) -> None:
    assert described(problem) == told
    assert WORD not in str(line("%s", problem, exc_info=raised(problem)))


def test_exceptions_behind_an_exception_are_told_too() -> None:
    problem = RuntimeError(WORD)
    problem.__cause__ = KeyError(WORD)
    faults = line("x", exc_info=raised(problem))["fault"]
    assert [fault.partition(" ")[0] for fault in faults] == ["RuntimeError", "KeyError"]


def test_whoever_asks_for_words_gets_them() -> None:
    text = Formatter("text", full=True).format(record("x", exc_info=raised(ValueError("the words"))))
    assert "ValueError: the words" in text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("from ada.lovelace+x@example.com to", "from …@example.com to"),
        ("<1@example.com>", "<…@example.com>"),
        ("Bearer abc.def", "Bearer …"),
        ("ap_sk_live_0123456789", "ap_sk_live_…"),
        ("whsec_abc=", "whsec_…"),
        ("postgres://agentpost:secret@db/agentpost", "postgres://agentpost:…@db/agentpost"),
        ("at 12:30, 5 of 6", "at 12:30, 5 of 6"),
    ],
)
def test_addresses_and_secrets_are_hidden(text: str, told: str) -> None:
    assert hidden(text) == told


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("form", ["text", "json"])
def test_what_a_terminal_would_act_on_is_escaped(form: str, full: bool) -> None:
    raw = "mail of x\u009b2J\x1b]0;a\a\r\n\u2028\u2029\u202e\u200b\ud800\x7f.example, ünïcode"
    told = Formatter(form, full=full).format(record("%s", raw))
    assert told.isprintable()
    escaped = r"mail of x\x9b2J\x1b]0;a\x07\r\n\u2028\u2029\u202e\u200b\ud800\x7f.example, ünïcode"
    assert escaped in (told if form == "text" else orjson.loads(told)["event"])


def test_a_job_is_told_without_its_arguments() -> None:
    job = {"id": 7, "task_name": "environments.tasks.mail_notice"}
    made = record(f"Job environments.tasks.mail_notice[7](facts={WORD})", job=job, action="job_error")
    made.name = "procrastinate.worker"
    assert "Job environments.tasks.mail_notice[7]: job_error" in Formatter("text").format(made)


def test_a_path_with_a_token_is_told_by_its_route(rf: Any) -> None:
    request = rf.get(f"/api/v1/unsubscribe/{WORD}")
    request.resolver_match = None
    assert WORD not in line("%s: %s", "Service Unavailable", request.path, request=request)["event"]


@pytest.mark.parametrize(
    ("path", "status", "is_told"), [("/readyz", 503, False), ("/readyz", 500, True), ("/api/v1/me", 503, True)]
)
def test_of_readiness_only_its_refusal_is_no_news(rf: Any, path: str, status: int, *, is_told: bool) -> None:
    made = record("Service Unavailable", request=rf.get(path), status_code=status)
    assert News().filter(made) is is_told


@pytest.mark.parametrize("text", [WORD, "ap_sk_live_0123456789abc", "whsec_MfKQ9r8GKYqr", "DETAIL:  Key (slug)"])
def test_the_cage_catches(text: str) -> None:
    cage = Cage()
    cage.look_at(f"a line with {text} in it", "test")
    assert cage.findings
