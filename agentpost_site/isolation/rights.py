"""Keys that are none, or that lack the right: every operation refuses them, before it looks at anything."""

from http import HTTPStatus

import orjson

from agentpost_site.isolation.api import NO_BODY, Probes
from agentpost_site.isolation.discovery import SIGNED, Operation, operations
from agentpost_site.isolation.exchange import Answer, Caller, Request, client_with
from agentpost_site.isolation.findings import Area
from agentpost_site.isolation.forms import Forms
from agentpost_site.isolation.world import World
from apikeys.secrets import new_secret

WITHOUT_A_SCOPE = {"api/v1/me": "tells a key only what that key is"}


def probe_rights(world: World) -> Area:
    """Demand 401 without a valid key, and 403 ``missing_scope`` with a key that lacks the scope, for own rows too."""
    area, forms = Area("API: keys without the right"), Forms()
    nobody, silent, reading = (_caller(world, name) for name in ("", "silent", "reading"))
    invented = Caller("invented key", world.ours, [], client_with(new_secret("live")), takes_back=True)
    for operation in operations():
        request = Probes(world, nobody, operation, forms.of(operation) or NO_BODY).own()
        if operation.route not in SIGNED:
            for caller in (nobody, invented):
                _demand(area, caller, request, HTTPStatus.UNAUTHORIZED, "unauthenticated")
        if operation.route not in {*SIGNED, *WITHOUT_A_SCOPE}:
            _demand(area, silent, request, HTTPStatus.FORBIDDEN, "missing_scope")
            if operation.method != "GET" and not _only_reads(operation):
                _demand(area, reading, request, HTTPStatus.FORBIDDEN, "missing_scope")
    return area


def _only_reads(operation: Operation) -> bool:
    """Return whether the view says that this action, though no GET, needs no more than the right to read."""
    scopes: dict[str, str] = getattr(operation.view, "scopes", {})
    return scopes.get(operation.action, "").endswith(":read")


def _caller(world: World, name: str) -> Caller:
    client = client_with(world.secrets.get(name, ""))
    return Caller(f"{name} key" if name else "no key", world.ours, [], client, takes_back=True)


def _demand(area: Area, caller: Caller, request: Request, status: int, code: str) -> None:
    answer = caller.ask(request)
    is_right = answer.status == status and _code(answer) == code
    area.demand(
        f"{caller.name}: {request.method} {request.path}",
        "" if is_right else f"status {answer.status}, {answer.text[:120]} instead of {int(status)} {code}",
    )


def _code(answer: Answer) -> str:
    try:
        return orjson.loads(answer.text.replace('"details":[],}', '"details":[]}'))["error"]["code"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return ""
