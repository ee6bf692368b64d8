"""Log lines: where each was written and what it was about, and never what a mail, a key or a person says.

Exceptions are told by their kinds, places and whatever PostgreSQL names of a table: their words may quote a row, a mail
or a secret (docs/decisions/0069-what-logs-and-traces-may-tell.md). ``full`` keeps the words, for whoever looks for a
fault on data of their own.
"""

import logging
import os
import re
import sys
import traceback
from collections.abc import Mapping
from copy import copy
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import psycopg
import structlog
from structlog.contextvars import merge_contextvars
from structlog.typing import EventDict

from environments.telemetry.kinds import KIND_OF

LINKS = 8  # of a chain of exceptions
BEFORE_ADDRESS = " \t\r\n<>()[]\"',:;"
LONGEST = 8192  # characters of what one line tells
SECRET = re.compile(r"(ap_sk_\w{2,5}_|ap_tkt_|whsec_|[Bb]earer +|://[^\s/:@]*:)[^\s\"'@]+")


class Formatter(structlog.stdlib.ProcessorFormatter):
    """One line for each record, as JSON or to be read."""

    def __init__(self, form: str, *, full: bool = False) -> None:
        """``form`` is ``json`` or ``text``; ``full`` keeps the words of exceptions."""
        super().__init__(
            processors=[self.remove_processors_meta, _json if form == "json" else _text],
            foreign_pre_chain=[merge_contextvars, _about_request, _about_record],
        )
        self._full = full

    def format(self, record: logging.LogRecord) -> str:
        if not self._full:
            record = _without_words(record)
        return super().format(record)


class News(logging.Filter):
    """Leaves out that readiness was refused, by 503, which whoever asks for it knows."""

    def filter(self, record: logging.LogRecord) -> bool:
        path = getattr(getattr(record, "request", None), "path", "")
        return (path, getattr(record, "status_code", None)) != ("/readyz", 503)


def process_name() -> str:
    """Return what this process is: one of those of a server, or the command that it was started with."""
    program = Path(sys.argv[0])
    if program.parent.name == "granian":
        return "web"
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    name = words[0] if program.name == "manage.py" and words else program.name
    return KIND_OF.get(name, name)


PROCESS = process_name()


def _without_words(record: logging.LogRecord) -> logging.LogRecord:
    record = copy(record)
    if record.name.startswith("procrastinate") and (job := getattr(record, "job", None)):
        record.msg, record.args = f"Job {job['task_name']}[{job['id']}]: {getattr(record, 'action', '')}", ()
    if isinstance(record.args, tuple) and (request := getattr(record, "request", None)):
        record.args = tuple(_route(request) if one == request.path else one for one in record.args)
    if isinstance(record.args, Mapping):
        record.args = {name: _plain(value) for name, value in record.args.items()}
    elif record.args:
        record.args = tuple(_plain(value) for value in record.args)
    record.msg, record.args = hidden(record.getMessage()), ()
    if record.exc_info and record.exc_info[1]:
        record.fault, record.exc_info = fault(record.exc_info[1]), None
    return record


def _route(request: Any) -> str:
    """Return what stands for a path, which may hold a token."""
    return f"/{request.resolver_match.route}" if request.resolver_match else "an unknown path"


def _plain(value: Any) -> Any:
    return described(value) if isinstance(value, BaseException) else value


def hidden(text: str) -> str:
    """Return a text without the local parts of addresses, and without secrets: what no caller should have put there."""
    *before, last = text[:LONGEST].split("@")
    return SECRET.sub(r"\1…", "@".join([*(_without_last_word(piece) + "…" for piece in before), last]))


def printable(text: str) -> str:
    """Return a text with all that a terminal may act on, or take for the end of a line, as an escape."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def _without_last_word(text: str) -> str:
    return text[: 1 + max(text.rfind(mark) for mark in BEFORE_ADDRESS)]


def described(problem: BaseException) -> str:
    """Return an exception in words that quote nothing: its kind, and what PostgreSQL or the system names."""
    facts: list[Any] = []
    if isinstance(problem, OSError) and problem.errno:
        facts = [os.strerror(problem.errno)]
    if isinstance(cause := problem.__cause__ or problem, psycopg.Error):
        diagnosis = cause.diag
        facts = [cause.sqlstate, diagnosis.table_name, diagnosis.column_name, diagnosis.constraint_name]
    told = ", ".join(str(fact) for fact in facts if fact)
    return f"{type(problem).__name__} ({told})" if told else type(problem).__name__


def fault(problem: BaseException) -> list[str]:
    """Return an exception and those behind it, each with its places, the innermost last."""
    lines: list[str] = []
    seen: BaseException | None = problem
    while seen is not None and len(lines) < LINKS:
        frames = traceback.extract_tb(seen.__traceback__)
        places = " > ".join(f"{_module(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames)
        lines.append(f"{described(seen)} at {places}")
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return lines


def _module(path: str) -> str:
    return "/".join(path.split("/")[-2:])


def _about_record(_: Any, __: str, event: EventDict) -> EventDict:
    record: logging.LogRecord = event["_record"]
    found = {
        "time": structlog.processors.TimeStamper(fmt="iso", utc=True)(None, "", {})["timestamp"],
        "level": record.levelname,
        "logger": record.name,
        "process": PROCESS,
        "pid": record.process,
        "environment": event.pop("environment", None) or _environment(),
        "fault": getattr(record, "fault", None),
    }
    known = {name: value for name, value in found.items() if value is not None}
    return {**known, **event, "event": printable(event["event"])}


def _environment() -> str | None:
    """Return the environment that this thread's open transaction stands in."""
    from django.db import connection

    from environments.ids import encode

    uuid = getattr(connection, "agentpost_environment", None) if connection.in_atomic_block else None
    return encode("env", UUID(uuid)) if uuid else None


def _about_request(_: Any, __: str, event: EventDict) -> EventDict:
    """Tell of the request that the context holds as it is now, so that a request costs nothing until one is told."""
    request = event.pop("request", None)
    if request is None:
        return event
    match, caller = getattr(request, "resolver_match", None), getattr(request, "auth", None)
    environment = getattr(request, "environment", None)
    found = {
        "request_id": getattr(request, "request_id", None),
        "method": request.method,
        "route": match.route if match else None,
        "key": caller.actor.id if caller else None,
        "environment": environment.pk if environment else None,
    }
    return {**event, **{name: value for name, value in found.items() if value is not None}}


def _json(_: Any, __: str, event: EventDict) -> str:
    return orjson.dumps(event, default=str).decode()


def _text(_: Any, __: str, event: EventDict) -> str:
    first = [event.pop(name, "") for name in ("time", "level", "logger", "event")]
    behind = event.pop("fault", [])
    exc_info = event.pop("exc_info", None)
    told = " ".join(f"{name}={value}" for name, value in event.items() if name not in {"process", "pid"})
    words = ["".join(traceback.format_exception(*exc_info)).rstrip()] if exc_info else []
    return "\n".join([" ".join(filter(None, [*first, told])), *(f"    {line}" for line in behind), *words])
