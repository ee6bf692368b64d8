"""``agentpost login``, ``logout``, ``whoami`` and ``profiles``."""

import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Optional

import typer

from agentpost import _variables
from agentpost._variables import DEFAULT_BASE_URL, origin_of
from agentpost.cli.failures import Usage
from agentpost.cli.profiles import Profiles, profile_name
from agentpost.cli.session import Session, api_json, command, said_before

WHO = {
    "profile": "profile",
    "server": "base_url",
    "organization": lambda row: row["organization"]["name"],
    "key": "name",
    "kind": "kind",
    "environments": lambda row: named(row["environments"]),
    "works in": lambda row: works_in(row, row["environment"]),
    "scopes": lambda row: abridged(row["scopes"]),
    "expires": "expires_at",
}
MOST_NAMED = 8
PROFILES = {"profile": "profile", "server": "base_url", "environment": "environment", "used": "is_used"}


def add_to(program: typer.Typer) -> None:
    """Add the commands to the program."""
    program.command()(login)
    command(program, "logout")(logout)
    command(program, "whoami")(whoami)
    command(program, "profiles")(list_profiles)


def login(
    context: typer.Context,
    profile: Annotated[
        Optional[str], typer.Option("--profile", "-p", metavar="NAME", help="What to keep it as.", show_default=False)
    ] = None,
    base_url: Annotated[Optional[str], typer.Option(help="The server, as https://mail.example.com.")] = None,
    api_key: Annotated[
        Optional[str], typer.Option(help="The key. Better typed when asked, or piped in: others see arguments.")
    ] = None,
    environment: Annotated[
        Optional[str], typer.Option("--environment", "-e", metavar="ID|SLUG", help="The environment to work in.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Check a key, and keep it for the other commands in a file that only you may read."""
    from agentpost import AgentPost

    before = said_before(context, {"profile": profile, "environment": environment})
    name, environment = profile or before.get("profile") or profile_name(), environment or before.get("environment")
    server = _asked_server(base_url)
    key = api_key or _asked_key()
    with AgentPost(api_key=key, base_url=server, environment=environment) as client:
        me = api_json(client.me())
        slug = client.environments.get(environment).slug if environment else None
    Profiles().keep(name, {"base_url": server, "api_key": key, "environment": slug})
    _show(me, name, server, slug, as_json)


def _asked_server(base_url: Optional[str]) -> str:
    known = origin_of(base_url) if base_url else _variables.base_url()
    if known or not sys.stdin.isatty():
        return known or DEFAULT_BASE_URL
    return origin_of(typer.prompt("Base URL", default=DEFAULT_BASE_URL, err=True))


def _asked_key() -> str:
    key = typer.prompt("API key (not shown)", hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.readline()
    if not key.strip():
        raise Usage("There is no key on standard input.", "Pipe it in, or run agentpost login in a terminal.")
    return str(key).strip()


def _show(me: dict[str, Any], name: str, server: str, environment: Optional[str], as_json: bool) -> None:
    session = Session(name, environment, as_json)
    session.show({"profile": name, "base_url": server, "environment": environment, **me}, WHO)


def logout(session: Session) -> None:
    """Forget a profile's key. The key itself stays valid: revoke it in the console, or over the API."""
    name, profiles = session.profile or profile_name(), Profiles()
    if name not in profiles:
        raise Usage(f"There is no profile {name}.", "See agentpost profiles.")
    profiles.forget(name)
    session.done(f"Forgot the key of profile {name}. It is still valid.", {"profile": name, "forgotten": True})


def whoami(session: Session) -> None:
    """Show what the key is and may do. The key itself is never shown."""
    used = session.credentials
    me = api_json(session.client.me())
    asked_with = {"profile": used.profile, "base_url": used.base_url, "environment": used.environment}
    session.show({**asked_with, **me}, WHO)


def list_profiles(session: Session) -> None:
    """List the profiles that are logged in."""
    used, profiles = session.profile or profile_name(), Profiles()
    rows = [
        {"profile": name, "base_url": profiles[name]["base_url"], "environment": profiles[name].get("environment")}
        for name in profiles.names()
    ]
    session.show_list([{**row, "is_used": row["profile"] == used} for row in rows], PROFILES, "None: agentpost login.")


def named(places: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what environments are called, and their modes; of many, the first few and how many there are."""
    shown = [f"{place['slug']} ({place['delivery_mode']})" for place in places[:MOST_NAMED]]
    return shown if len(places) <= MOST_NAMED else [*shown, f"and {len(places) - MOST_NAMED} more"]


def works_in(me: Mapping[str, Any], asked: Optional[str]) -> Optional[str]:
    """Return the environment that commands work in: the one asked for, else the key's only one, else the default."""
    if asked:
        return asked
    places = me["environments"]
    found = places if len(places) == 1 else [place for place in places if place["is_default"]]
    return str(found[0]["slug"]) if found else None


def abridged(scopes: Sequence[str]) -> list[str]:
    """Return scopes with ``messages:*`` in place of reading and writing."""
    named = {scope.split(":")[0] for scope in scopes}
    both = {name for name in named if {f"{name}:read", f"{name}:write"} <= {*scopes}}
    pairs = {f"{name}:{verb}" for name in both for verb in ("read", "write")}
    return sorted({*scopes} - pairs | {f"{name}:*" for name in both})
