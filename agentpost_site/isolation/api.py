"""Every operation of the API, asked about what is foreign and about what does not exist."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from django.db import models

from agentpost_site.isolation.discovery import SIGNED, Operation, operations
from agentpost_site.isolation.exchange import Caller, Request, client_with, compare, undone
from agentpost_site.isolation.findings import Area
from agentpost_site.isolation.forms import PLACING_HEADERS, PLACING_QUERY, QUERY_MOMENTS, QUERY_REFERENCES, Form, Forms
from agentpost_site.isolation.world import Place, World, of_the_same_moment
from environments.models import Environment, Invitation, Member

NO_BODY = Form()
SECRETS = {"token"}  # parameters of a path that are a right, and name no row
NO_KEY_MAY = {("PUT", "transport"), ("DELETE", "transport")}  # acts of people: every key is answered 403


@dataclass(frozen=True)
class Pair:
    """The same request twice: about a victim's row, and about none."""

    what: str
    foreign: Request
    missing: Request


def callers(world: World, **options: bool) -> list[Caller]:
    """Return the keys that probes ask with, the narrowest first, each with the places it must not see."""
    ours, theirs, stranger = world.places
    narrow, dev, other = (client_with(world.secrets[name]) for name in ("narrow", "dev", "stranger"))
    return [
        Caller("key of ours alone", ours, [theirs, stranger], narrow, is_thorough=True, **options),
        Caller("dev key", ours, [theirs, stranger], dev, is_of_the_organization=True, **options),
        Caller("key of another organization", stranger, [ours, theirs], other, **options),
    ]


def hasty(caller: Caller, *victims: Place) -> Caller:
    """Return the same caller, asking only what is not a repetition; of these victims alone, when some are named."""
    return replace(caller, is_thorough=False, victims=victims or caller.victims)


class Probes:
    """What can be asked of one operation by one caller."""

    def __init__(self, world: World, caller: Caller, operation: Operation, form: Form) -> None:
        self.world, self.caller, self.operation, self.form = world, caller, operation, form

    def own(self, **changed: str) -> Request:
        """Return the operation's request about the caller's own rows, with some ids of the path changed."""
        values = {name: changed.get(name) or self._own_id(model) for name, model in self.operation.parameters.items()}
        body = dict(self.form.example)
        for name, (model, is_list) in self.form.references.items():
            body[name] = _held(self._own_id(model), is_list=is_list)
        asked = tuple(value for name, value in values.items() if name in changed)
        return Request(
            self.operation.method,
            self.operation.path(values),
            body=body if self.operation.takes_a_body else None,
            asked=asked,
        )

    def _own_id(self, model: type[models.Model] | None) -> str:
        return (model and self.caller.home.first(model)) or "none"

    def pairs(self) -> Iterator[Pair]:
        """Yield every pair for every victim."""
        for victim in self.caller.victims:
            yield from self._paths(victim)
            yield from self._places(victim)
            yield from self._fields(victim)

    def pairs_of_paths(self) -> Iterator[Pair]:
        """Yield the pairs that name rows in the path alone."""
        for victim in self.caller.victims:
            yield from self._paths(victim)

    def _paths(self, victim: Place) -> Iterator[Pair]:
        """Name a victim's row in the path: each parameter alone with each id, then all of them at once."""
        for name, model in self.operation.parameters.items():
            is_thorough = self.caller.is_thorough and self.operation.method == "GET"
            for identifier in self._foreign(name, model, victim)[: None if is_thorough else 2]:
                missing = self.world.missing[model]
                yield Pair(f"({name} of {victim.name})", self.own(**{name: identifier}), self.own(**{name: missing}))
        everything = {name: model and victim.first(model) for name, model in self.operation.parameters.items()}
        if len(everything) > 1 and all(everything.values()):
            missing_ids = {name: self.world.missing[model] for name, model in self.operation.parameters.items()}
            yield Pair(f"(all of {victim.name})", self.own(**everything), self.own(**missing_ids))

    def _foreign(self, name: str, model: type[models.Model] | None, victim: Place) -> list[str]:
        if model is None or self._is_shared(model, victim):
            return []
        return [*([victim.environment.slug] if model is Environment else []), *victim.ids(model)]

    def _is_shared(self, model: type[models.Model], victim: Place) -> bool:
        """Return whether a row is of the organization that both belong to: colleagues are, and who is invited."""
        is_colleague = model is Member and "environment" not in self.operation.parameters
        is_of_one_house = victim.organization == self.caller.home.organization
        return is_of_one_house and (is_colleague or model is Invitation)

    def _places(self, victim: Place) -> Iterator[Pair]:
        """Name a victim's environment in query, header and body: with a row of one's own, with theirs, with none."""
        repeats = "environment" in self.operation.parameters and not self.caller.is_thorough
        if repeats or not self.operation.is_of_an_environment:
            return
        missing = self.world.missing[Environment]
        for where in ("query", "header", "body"):
            if where == "body" and not self.operation.takes_a_body:
                continue
            names = (victim.environment.pk, victim.environment.slug)
            for name in names if self.caller.is_thorough else names[:1]:
                own = self.own()
                yield Pair(f"({where} names {victim.name})", _placed(own, where, name), _placed(own, where, missing))
            theirs, none = self._items(victim)
            if theirs:
                yield Pair(
                    f"({where} and path of {victim.name})",
                    _placed(self.own(**theirs), where, victim.environment.pk),
                    _placed(self.own(**none), where, missing),
                )

    def _items(self, victim: Place) -> tuple[dict[str, str], dict[str, str]]:
        items = {name: model for name, model in self.operation.parameters.items() if model not in {None, Environment}}
        theirs = {name: victim.first(model) or "none" for name, model in items.items()}
        return theirs, {name: self.world.missing[model] for name, model in items.items()}

    def _fields(self, victim: Place) -> Iterator[Pair]:
        """Name a victim's rows in the fields of the body and in filters of the query."""
        for name, (model, is_list) in self.form.references.items():
            if model is Member and victim.organization == self.caller.home.organization:
                continue
            for identifier in victim.ids(model):
                yield self._pair(name, victim, identifier, model, is_list=is_list)
        for name in sorted(self.form.query & QUERY_REFERENCES.keys()):
            model = QUERY_REFERENCES[name]
            for identifier in victim.ids(model):
                yield self._filtered(name, victim, identifier, self.world.missing[model])
        for name in sorted(self.form.query):
            model = QUERY_MOMENTS.get((self.operation.action, name))
            for identifier in victim.ids(model) if model else ():
                yield self._filtered(name, victim, identifier, of_the_same_moment(identifier))
        if not self.operation.is_of_an_environment and self.form.query & PLACING_QUERY:
            missing, own = self.world.missing[Environment], self.own()
            for name in (victim.environment.pk, victim.environment.slug):
                yield Pair(f"(query names {victim.name})", _placed(own, "query", name), _placed(own, "query", missing))

    def _filtered(self, name: str, victim: Place, identifier: str, missing: str) -> Pair:
        """Return a pair whose query names a row."""
        foreign, none = (self.own().with_query(name, one).asking(one) for one in (identifier, missing))
        return Pair(f"(query {name} of {victim.name})", foreign, none)

    def _pair(self, name: str, victim: Place, identifier: str, model: Any, *, is_list: bool) -> Pair:
        """Return a pair whose field names a row; what is stored of a name that led nowhere is taken back."""
        own, missing = replace(self.own(), is_undone=True), self.world.missing[model]
        return Pair(
            f"(body {name} of {victim.name})",
            own.with_field(name, _held(identifier, is_list=is_list)).asking(identifier),
            own.with_field(name, _held(missing, is_list=is_list)).asking(missing),
        )


def _held(identifier: str, *, is_list: bool) -> Any:
    return [identifier] if is_list else identifier


def _placed(request: Request, where: str, name: str) -> Request:
    """Return the request with the environment of this name put there."""
    asking = request.asking(name)
    if where == "query":
        return asking.with_query("environment_id", name)
    if where == "header":
        return asking.with_header("AgentPost-Environment", name)
    return asking.with_field("environment_id", name)


def probe_operations(
    everybody: Sequence[Caller], world: World, wanted: str = "", *, controls: bool = True
) -> list[Area]:
    """Ask every operation (whose route starts as ``wanted``) about foreign rows with every key.

    Returns the area, and that of the controls: an operation that nobody can use at all would prove nothing.
    """
    area, control, forms = Area("API: foreign ids"), Area("API: own rows are found"), Forms()
    for operation in operations():
        if not operation.route.startswith(wanted):
            continue
        form = forms.of(operation)
        for gap in _gaps(operation, form):
            area.miss(f"{operation.name}: {gap}")
        probes = [Probes(world, caller, operation, form or NO_BODY) for caller in everybody]
        for probe in probes:
            for pair in probe.pairs():
                compare(area, probe.caller, pair.what, pair.foreign, pair.missing)
        if controls:
            _control(control, operation, probes)
    return [area, control] if controls else [area]


def _gaps(operation: Operation, form: Form | None) -> Iterator[str]:
    """Yield what about an operation no probe knows."""
    yield from (
        f"path parameter {name}"
        for name, model in operation.parameters.items()
        if model is None and name not in SECRETS
    )
    if form is None:
        yield "not in the API's description"
        return
    yield from form.unknown()
    if operation.is_of_an_environment and not (form.headers >= PLACING_HEADERS):
        yield "takes no AgentPost-Environment header"


def _control(area: Area, operation: Operation, probes: list[Probes]) -> None:
    """Demand that somebody gets another answer about a row of their own: else the comparison proves nothing."""
    if not operation.parameters:
        succeeded = any(_undone(probe, probe.own()) < HTTPStatus.BAD_REQUEST for probe in probes)
    else:
        succeeded = any(_tells_own_from_missing(probe) for probe in probes)
    area.demand(operation.name)
    is_excused = operation.route in SIGNED or _is_for_people(operation)  # a link proves itself; ``links`` asks about it
    if not succeeded and not is_excused:
        area.miss(f"{operation.name}: nobody gets an answer about a row of their own")


def _is_for_people(operation: Operation) -> bool:
    return (operation.method, operation.route.rpartition("/")[2]) in NO_KEY_MAY


def _tells_own_from_missing(probe: Probes) -> bool:
    missing = {name: probe.world.missing[model] for name, model in probe.operation.parameters.items() if model}
    return _undone(probe, probe.own()) != _undone(probe, probe.own(**missing))


def _undone(probe: Probes, request: Request) -> int:
    """Return the status of the answer, and take back what the call wrote."""
    with undone():
        return probe.caller.ask(request).status


def probe_other_methods(caller: Caller, world: World) -> Area:
    """Ask HEAD and OPTIONS of every route about foreign rows: nobody wrote them, so nobody thinks of them."""
    area = Area("API: HEAD and OPTIONS")
    for operation in {operation.route: operation for operation in operations()}.values():
        for method in ("HEAD", "OPTIONS"):
            twin = Operation(operation.route, method, "metadata", operation.view)
            for pair in Probes(world, caller, twin, NO_BODY).pairs_of_paths():
                compare(area, caller, pair.what, pair.foreign, pair.missing)
    return area


def probe_every_id(caller: Caller, world: World) -> Area:
    """Ask every reading operation about ids of the others that are of another kind than its path is made for."""
    area = Area("API: ids of every kind on every path")
    for operation in operations():
        items = [name for name, model in operation.parameters.items() if model is not Environment]
        if operation.method == "GET" and len(items) == 1 and "environment" not in operation.parameters:
            _every_kind(area, Probes(world, caller, operation, NO_BODY), items[0])
    return area


def _every_kind(area: Area, probes: Probes, item: str) -> None:
    for model, missing in probes.world.missing.items():
        for victim in probes.caller.victims:
            for identifier in victim.ids(model)[:1] if model is not probes.operation.parameters[item] else ():
                foreign, none = probes.own(**{item: identifier}), probes.own(**{item: missing})
                compare(area, probes.caller, "", foreign, none)
