"""How a command ends when it cannot do its work: one line on stderr, and an exit status that says which kind it is."""

from enum import IntEnum
from typing import TYPE_CHECKING, Optional

if TYPE_CHECKING:
    from agentpost.errors import APIError


class Status(IntEnum):
    """What the process ends with; docs/cli.md lists them."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    NOT_ALLOWED = 3
    UNREACHABLE = 4
    NOTHING_CAME = 5
    INTERRUPTED = 130
    BROKEN_PIPE = 141


class Failure(Exception):
    """A command cannot go on: what is wrong, and what to do about it."""

    status = Status.REFUSED

    def __init__(self, message: str, fix: str = "", code: str = "", request_id: Optional[str] = None) -> None:
        super().__init__(message)
        self.message, self.fix, self.code, self.request_id = message, fix, code, request_id

    def __str__(self) -> str:
        """Return the one line: code, message, fix, and the request's id where there was a request."""
        code = f"{self.code}: " if self.code else ""
        request = f"({self.request_id})" if self.request_id else ""
        return " ".join(part for part in (f"agentpost: {code}{self.message}", self.fix, request) if part)


class Usage(Failure):
    """The command line asks for what cannot be."""

    status = Status.USAGE


class Unusable(Failure):
    """There is no key to ask with, or none that may be used."""

    status = Status.NOT_ALLOWED


class Unreachable(Failure):
    """The server did not answer, or not in time."""

    status = Status.UNREACHABLE


class NothingCame(Failure):
    """What was waited for did not come."""

    status = Status.NOTHING_CAME


class ReaderGone(Failure):
    """Whoever read what is printed has gone, as ``head`` does; nothing is said of it."""

    status = Status.BROKEN_PIPE


class Interrupted(Failure):
    """Ctrl-C, or no to a question; nothing is said of it."""

    status = Status.INTERRUPTED


UNAUTHENTICATED, FORBIDDEN, BROKEN = 401, 403, 500


def failure_of(problem: Exception) -> Optional[Failure]:
    """Return what a command's exception means for whoever typed it; None for a fault of ours."""
    if isinstance(problem, Failure):
        return problem
    if type(problem).__name__ == "Abort":
        return Interrupted("")
    if hasattr(problem, "format_message"):  # of Typer, whose class moved from one module to another
        return _usage(problem)
    return _of_library(problem)


def _usage(problem: Exception) -> Failure:
    if type(problem).__name__ == "NoArgsIsHelpError":
        problem.show()  # type: ignore[attr-defined]
        return Usage("")
    context = getattr(problem, "ctx", None)
    return Usage(problem.format_message(), f"Try {context.command_path} --help." if context else "")  # type: ignore[attr-defined]


def _of_library(problem: Exception) -> Optional[Failure]:
    from agentpost import errors

    if isinstance(problem, errors.APIError):
        return _refusal(problem)
    if isinstance(problem, (errors.ConfigurationError, OSError)):
        return Usage(str(problem))
    if isinstance(problem, errors.APIConnectionError):
        return Unreachable(str(problem), "agentpost doctor tells more.")
    if isinstance(problem, errors.AgentPostError):
        return Unreachable(str(problem), "Is this the URL of an AgentPost?")
    return None


def _refusal(problem: "APIError") -> Failure:
    if problem.status >= BROKEN:
        kind: type[Failure] = Unreachable
    else:
        kind = Unusable if problem.status in (UNAUTHENTICATED, FORBIDDEN) else Failure
    about = "; ".join(f"{one.get('field')}: {one.get('message')}" for one in problem.details)
    message = f"{problem.message} {about}" if about else problem.message
    return kind(message, problem.fix, problem.code, problem.request_id)
