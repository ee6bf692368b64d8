"""What the database holds unique: a value that somebody else has must be told apart by nobody.

Where the contract itself says that a name is taken (an address on the server, a slug in the organization), the answer
is the same whoever holds it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings

from agentpost_site.isolation.api import NO_BODY, Pair, Probes, callers
from agentpost_site.isolation.discovery import Operation, operations
from agentpost_site.isolation.exchange import Caller, compare
from agentpost_site.isolation.findings import Area
from agentpost_site.isolation.forms import UNIQUE_FIELDS, UNIQUE_HEADERS, Form, Forms
from agentpost_site.isolation.furniture import subdomain_address
from agentpost_site.isolation.world import Place, World
from environments.ids import new_id

KINDS = {
    "inboxes": "inbox",
    "domains": "domain",
    "webhook-endpoints": "endpoint-1",
    "environments": "environment",
    "drafts": "draft",
}
TOLD_BY_CONTRACT = {  # (caller, resource, field): why the answer may tell that the name is taken
    ("dev key", "environments", "slug"): "slugs are the organization's, and this key may create its environments",
    ("dev key", "environments", "client_id"): "so are the client ids of environments",
}


@dataclass(frozen=True)
class Taken:
    """A field, what a victim has in it, and what nobody has."""

    field: str
    foreign: Any
    missing: Any
    more: dict[str, Any]
    is_counted: bool = True


def probe_clashes(world: World) -> Area:
    """Ask for what others have already: client ids, addresses, domains, slugs, idempotency keys."""
    area, forms, everybody = Area("API: clashes"), Forms(), callers(world, takes_back=True)
    for operation in operations():
        form = forms.of(operation) or NO_BODY
        if not form.fields & UNIQUE_FIELDS and not form.headers & UNIQUE_HEADERS:
            continue
        for caller in everybody:
            for pair in _pairs(Probes(world, caller, operation, form)):
                compare(area, caller, pair.what, pair.foreign, pair.missing)
    return area


def _pairs(probes: Probes) -> Iterator[Pair]:
    operation, form = probes.operation, probes.form
    for victim in probes.caller.victims:
        for taken in _taken(operation, form, victim):
            if _is_told(probes.caller, victim, operation, taken.field):
                continue
            own = replace(probes.own(), is_counted=taken.is_counted)
            for name, value in taken.more.items():
                own = own.with_field(name, value)
            own = own.asking(*(text for value in taken.more.values() for text in _texts(value)))
            foreign = own.with_field(taken.field, taken.foreign).asking(*_texts(taken.foreign))
            missing = own.with_field(taken.field, taken.missing).asking(*_texts(taken.missing))
            yield Pair(f"({taken.field} of {victim.name})", foreign, missing)
        if form.headers & UNIQUE_HEADERS:
            foreign, missing = f"once-1-{victim.unique}", f"once-1-{_fresh()}"
            yield Pair(
                f"(Idempotency-Key of {victim.name})",
                probes.own().with_header("Idempotency-Key", foreign).asking(foreign),
                probes.own().with_header("Idempotency-Key", missing).asking(missing),
            )


def _is_told(caller: Caller, victim: Place, operation: Operation, field: str) -> bool:
    is_of_one_house = victim.organization == caller.home.organization
    return is_of_one_house and (caller.name, _resource(operation), field) in TOLD_BY_CONTRACT


def _resource(operation: Operation) -> str:
    words = [word for word in operation.route.removeprefix("api/v1/").split("/") if not word.startswith("<")]
    return words[-1]


def _taken(operation: Operation, form: Form, victim: Place) -> Iterator[Taken]:
    """Yield what of the victim's can be asked for in this operation."""
    resource, fresh, fields = _resource(operation), _fresh(), form.fields
    if "client_id" in fields:
        kind = KINDS[resource]
        more = {"domain": f"{fresh}.example", "slug": f"env-{fresh}"}
        more = {name: value for name, value in more.items() if name in fields and resource != "inboxes"}
        yield Taken("client_id", f"{kind}-{victim.unique}", f"{kind}-{fresh}", more)
    if "slug" in fields:
        yield Taken("slug", victim.environment.slug, f"env-{fresh}", {})
    if resource == "domains" and "domain" in fields:
        yield Taken("domain", f"{victim.unique}.example", f"{fresh}.example", {})
    if resource == "inboxes" and "email" in fields:
        yield from _addresses(victim, fresh)


def _addresses(victim: Place, fresh: str) -> Iterator[Taken]:
    """Yield addresses that are not to be had, since the victim has them, and since nobody may have them."""
    reserved = f"test-support@www.{settings.AGENTPOST_SHARED_DOMAIN}"
    yield Taken("email", f"support@{victim.unique}.example", f"support@{fresh}.example", {})
    yield Taken("email", f"free@{victim.unique}.example", f"free@{fresh}.example", {})
    for taken in (subdomain_address(victim.unique), subdomain_address(victim.unique).replace("test-", "free-")):
        yield Taken("email", taken, reserved, {}, is_counted=False)  # that nobody may have the other is no secret
    yield Taken("domain", f"{victim.unique}.example", f"{fresh}.example", {"username": "support"})


def _fresh() -> str:
    return "u" + new_id("x")[-12:].lower()


def _texts(value: Any) -> list[str]:
    """Return what an answer may repeat of a value that was asked for: itself, and the domain in it."""
    return [value, value.rpartition("@")[2]] if "@" in value else [value]
