"""What a command works with: the client of its profile, and the way its answer is shown."""

import functools
import inspect
import itertools
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Annotated, Any, Callable, Optional

import typer

from agentpost.cli import terminal
from agentpost.cli.failures import Usage
from agentpost.cli.profiles import Credentials, credentials

if TYPE_CHECKING:
    from agentpost import AgentPost

MOST_OF_A_PAGE = 100
Limit = Annotated[int, typer.Option("--limit", "-n", min=0, help="How many at most; 0 for all.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Columns = Mapping[str, terminal.Column]


class Session:
    """One run of a command. The client is made when it is first asked for."""

    def __init__(self, profile: Optional[str], environment: Optional[str], as_json: bool) -> None:
        self.profile, self.environment, self.as_json = profile, environment, as_json

    @functools.cached_property
    def credentials(self) -> Credentials:
        """Return which server is asked, with which key. Raises Unusable."""
        return credentials(self.profile, self.environment)

    @functools.cached_property
    def client(self) -> "AgentPost":
        """Return the SDK's client. Raises Unusable, and ConfigurationError for what no client can be made of."""
        from agentpost import AgentPost

        found = self.credentials
        return AgentPost(api_key=found.api_key, base_url=found.base_url, environment=found.environment)

    def show_list(self, things: Iterable[Any], columns: Columns, empty: str) -> None:
        """Print things as a table, or as one JSON array."""
        rows = [api_json(thing) for thing in things]
        if self.as_json:
            self.print_json(rows)
        elif rows:
            terminal.table(rows, columns)
        else:
            terminal.warn(empty)

    def show(self, thing: Any, columns: Columns) -> None:
        """Print one thing, a line for each column, or as one JSON object."""
        row = api_json(thing)
        if self.as_json:
            self.print_json(row)
        else:
            terminal.card(row, columns)

    def print_json(self, value: Any) -> None:
        """Print one JSON document, indented where a person looks at it."""
        terminal.write(terminal.as_json(value, indent=2 if sys.stdout.isatty() else None))

    def done(self, sentence: str, outcome: Mapping[str, Any]) -> None:
        """Tell that something was done: as a sentence, or as one JSON object."""
        if self.as_json:
            self.print_json(outcome)
        else:
            terminal.say(sentence)


def first(listing: Callable[..., Iterable[Any]], limit: int, **filters: Any) -> list[Any]:
    """Return so many items of a list of the API, asking for no more pages than that takes; all of them for 0."""
    items = listing(limit=min(limit or MOST_OF_A_PAGE, MOST_OF_A_PAGE), **filters)
    return list(itertools.islice(items, limit or None))


def confirm(question: str, yes: bool) -> None:
    """Ask before something is lost, unless ``--yes`` has answered. Raises Usage where nobody can be asked."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise Usage("This deletes something, and nobody can be asked here.", "Add --yes.")
    typer.confirm(terminal.one_line(question), abort=True, err=True)


def api_json(thing: Any) -> dict[str, Any]:
    """Return one of the SDK's models, or a mapping with some in it, as the API's JSON has it."""
    return dict(_as_json(thing))


def _as_json(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return _as_json(value.model_dump(by_alias=True, exclude_unset=True))
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return {name: _as_json(part) for name, part in value.items()}
    return [_as_json(part) for part in value] if isinstance(value, (list, tuple)) else value


# --- Options that every command takes ---------------------------------------------------------------------------------

Environment = Annotated[
    Optional[str],
    typer.Option("--environment", "-e", metavar="ID|SLUG", help="The environment to work in.", show_default=False),
]
Profile = Annotated[
    Optional[str],
    typer.Option("--profile", "-p", metavar="NAME", help="The profile to use, as logged in.", show_default=False),
]
_SHARED = {
    "environment": Environment,
    "profile": Profile,
    "as_json": Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")],
}
_DEFAULTS = {"environment": None, "profile": None, "as_json": False}


def command(app: typer.Typer, name: Optional[str] = None) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function, whose first parameter is a Session, as a command with the options that every one takes."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        app.command(name)(_with_session(function))
        return function

    return register


def said_before(context: typer.Context, said: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that stand before the command, where none behind it says otherwise."""
    before = context.find_root().obj or {}
    return {name: value for name, value in before.items() if value and not said[name]}


def _with_session(function: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(function)
    def wrapper(context: typer.Context, **options: Any) -> None:
        said = {name: options.pop(name) for name in _SHARED}
        function(Session(**{**said, **said_before(context, said)}), **options)

    _, *own = inspect.signature(function).parameters.values()
    shared = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=_DEFAULTS[name], annotation=annotation)
        for name, annotation in _SHARED.items()
    ]
    context = inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
    parameters = [context] + [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own] + shared
    wrapper.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return wrapper
