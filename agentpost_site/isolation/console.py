"""Every page of the console, as people see it who belong to one environment only."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from http import HTTPStatus

from django.apps import apps
from django.db import models
from django.test import Client

from agentpost_site.isolation.discovery import PARAMETER, Page, pages
from agentpost_site.isolation.exchange import Caller, Request, compare, look
from agentpost_site.isolation.findings import Area
from agentpost_site.isolation.ground import HOST
from agentpost_site.isolation.world import Place, World
from environments.console.site import site
from environments.models import Environment, Organization, User
from inboxes.models import Domain, Inbox
from mail.models import Draft, Message, Thread
from webhooks.models import Event, WebhookEndpoint

INDEX = "/console/"
NOBODYS_SLUG = "env-u0123456789ab"
KNOWN_PARAMETERS = {"object_id", "token", "uidb64", "url", "app_label"}
ENDS_THE_SESSION = {"logout", "account_logout"}
LISTS_AND_ROWS = ("_changelist", "_change", "approvals", "approval")
OF_NO_MODELS_ADDRESS = {"approvals": Draft}  # by the first part of the page's address, what its rows are
REPEATING = ("_history", "_delete")  # pages that find their row as its own page does
FIELDS = ("label", "name", "email", "reason")
NARROWED_BY = [  # lists, the parameters that narrow them, and whose ids these take
    ("webhooks/webhookdelivery/", "endpoint", WebhookEndpoint),
    ("webhooks/event/", "inbox", Inbox),
    ("environments/auditentry/", "within", Environment),
    ("environments/auditentry/", "target", WebhookEndpoint),
    ("environments/auditentry/export/", "target", WebhookEndpoint),
    ("approvals/", "inbox", Inbox),
    ("mail/draft/compose/", "inbox", Inbox),
]
DONE_TO_MANY = ("add_labels", "remove_labels", "release_selected", "discard_selected")
TOLD = [  # own rows, what may be done with them, and the field that takes another's id
    (Domain, "catch-all", "inbox", Inbox),
    (Event, "resend", "endpoint", WebhookEndpoint),
]


def sessions(world: World) -> list[Caller]:
    """Return who looks: an admin and a plain member of ours alone, and the owner of the other organization."""
    ours, theirs, stranger = world.places
    return [
        Caller("environment admin", ours, [theirs, stranger], signed_in(ours.people["admin"]), is_thorough=True),
        Caller("environment member", ours, [theirs, stranger], signed_in(ours.people["member"])),
        Caller("another owner", stranger, [ours, theirs], signed_in(stranger.people["owner"], stranger)),
    ]


def signed_in(user: User, place: Place | None = None) -> Client:
    """Return a session of this person; standing in a place, when one is named."""
    client = Client(SERVER_NAME=HOST, raise_request_exception=False)
    client.force_login(user)
    client.get(INDEX, {"environment": place.environment.pk} if place else {})
    return client


def probe_console(people: Sequence[Caller], world: World) -> list[Area]:
    """Look at every page, and ask every page with an id for foreign rows; return areas of pages, forms and controls."""
    area, control = Area("Console: pages"), Area("Console: own rows are found")
    operator = Caller("operator", world.ours, [], _operator(world.ours))
    for page in pages(of_the_console=True):
        for gap in set(page.parameters) - KNOWN_PARAMETERS:
            area.miss(f"/{page.route}: path parameter {gap}")
        for person in people:
            _probe_page(area, person, page, world)
        _control(control, operator, page, world)
    return [area, _probe_forms(people[0], world), _probe_switching(people, world), control]


def _operator(place: Place) -> Client:
    user = User.objects.filter(is_superuser=True).first() or User.objects.create_superuser("operator@example.com")
    return signed_in(user, place)


def _probe_page(area: Area, person: Caller, page: Page, world: World) -> None:
    """Look at a page, or ask it for foreign rows; whoever is not thorough, at lists and rows only."""
    if not person.is_thorough and not page.name.endswith(LISTS_AND_ROWS):
        return
    if not page.parameters:
        if page.name not in ENDS_THE_SESSION:
            look(area, person, Request("GET", f"/{page.route}"))
        return
    for victim in person.victims:
        for what, foreign, missing in _values(page, victim, world):
            for method in ("GET", "POST") if person.is_thorough and victim is person.victims[0] else ("GET",):
                theirs, none = (_request(method, page, value, person.home) for value in (foreign, missing))
                compare(area, person, f"({what} of {victim.name})", theirs, none)


def _values(page: Page, victim: Place, world: World) -> Iterator[tuple[str, str, str]]:
    """Yield what can stand in the page's path: of a victim, and of nobody."""
    if "object_id" in page.parameters:
        model = _model(page)
        identifier = victim.first(model)
        if identifier and not (model is Organization and victim.organization == world.ours.organization):
            yield model._meta.verbose_name, identifier, world.missing[model]
    else:  # a link, an unknown address: an environment's id is as good as any
        yield "id", victim.environment.pk, world.missing[Environment]


def _model(page: Page) -> type[models.Model]:
    _, app, model, *_ = page.route.split("/")
    return OF_NO_MODELS_ADDRESS.get(app) or apps.get_model(app, model)


def _request(method: str, page: Page, value: str, home: Place) -> Request:
    path = "/" + PARAMETER.sub(value, page.route)
    path = path if "(?P" not in path else f"{INDEX}{value}"
    form = (("post", "yes"), ("_standing_in", home.environment.pk)) if method == "POST" else None
    return Request(method, path, form=form, asked=(value,))


def _control(area: Area, operator: Caller, page: Page, world: World) -> None:
    """Demand that an operator finds a row of ours where the others find none of theirs."""
    if "object_id" not in page.parameters or not page.name or page.name.endswith(REPEATING):
        return
    model, home = _model(page), world.ours
    row = home.first(model)
    if row is None:
        area.miss(f"{model._meta.label} has no row in ours")
        return
    found = operator.ask(_request("GET", page, row, home))
    missing = operator.ask(_request("GET", page, world.missing[model], home))
    area.demand(f"/{page.route}", "" if _is_page(found.status) or found.status != missing.status else "nobody sees it")


def _is_page(status: int) -> bool:
    return status < HTTPStatus.BAD_REQUEST or status == HTTPStatus.FORBIDDEN


def _probe_forms(person: Caller, world: World) -> Area:
    """Filter lists by foreign rows, search for foreign words, and name foreign rows in forms."""
    area = Area("Console: filters, searches and forms")
    for model in site._registry:  # noqa: SLF001 - the list of pages
        base = f"{INDEX}{model._meta.app_label}/{model._meta.model_name}/"
        relations = [field for field in model._meta.local_fields if isinstance(field, models.ForeignKey)]
        for victim in person.victims:
            _search(area, person, base, victim)
        for field in relations:
            _name(area, person, base, field, person.victims[0], world)
        _autocomplete(area, person, model, relations, person.victims[0])
    for victim in person.victims:
        _narrow_and_tell(area, person, victim, world)
        _write(area, person, victim)
        _select(area, person, victim, world)
    return area


def _narrow_and_tell(area: Area, person: Caller, victim: Place, world: World) -> None:
    """Name a victim's row where a list is narrowed by one, and where an act on a row of one's own takes another."""
    for path, parameter, model in NARROWED_BY:
        pair = (victim.first(model), world.missing[model])
        theirs, none = (Request("GET", f"{INDEX}{path}", query=((parameter, pk),), asked=(pk,)) for pk in pair if pk)
        compare(area, person, f"({parameter} of {victim.name})", theirs, none)
    for own, act, field, model in TOLD:
        path = f"{INDEX}{own._meta.app_label}/{own._meta.model_name}/{person.home.first(own)}/{act}/"
        pair = (victim.first(model), world.missing[model])
        theirs, none = (Request("POST", path, form=((field, pk),), asked=(pk,)) for pk in pair if pk)
        compare(area, person, f"({field} of {victim.name})", theirs, none)


def _select(area: Area, person: Caller, victim: Place, world: World) -> None:
    """Do to many messages what may be done to a victim's, and begin a conversation of one's own at it."""
    pair = [pk for pk in (victim.first(Message), world.missing[Message]) if pk]
    for action in DONE_TO_MANY:
        form = (("action", action), ("index", "0"), ("labels", "probed"))
        theirs, none = (
            Request("POST", f"{INDEX}mail/message/", form=(*form, ("_selected_action", pk)), asked=(pk,)) for pk in pair
        )
        compare(area, person, f"({action} of {victim.name})", theirs, none)
    page = f"{INDEX}mail/thread/{person.home.first(Thread)}/change/"
    for name in ("before", "after"):
        theirs, none = (Request("GET", page, query=((name, pk),), asked=(pk,)) for pk in pair)
        compare(area, person, f"({name} a message of {victim.name})", theirs, none)


def _write(area: Area, person: Caller, victim: Place) -> None:
    """Write a mail from a victim's inbox."""
    senders = (f"{user}@{victim.unique}.example" for user in ("support", "nobody"))
    theirs, none = (_composing(sender) for sender in senders)
    compare(area, person, f"(sender of {victim.name})", theirs, none)


def _composing(sender: str) -> Request:
    form = (("sender", sender), ("to", "somebody@example.com"), ("text_body", "probed"))
    return Request("POST", f"{INDEX}mail/draft/compose/", form=form, asked=(sender,))


def _search(area: Area, person: Caller, base: str, victim: Place) -> None:
    nobody = "canary0123456789abcdef"
    theirs, none = (Request("GET", base, query=(("q", word),), asked=(word,)) for word in (victim.canary, nobody))
    compare(area, person, f"(search for {victim.name})", theirs, none)


def _name(area: Area, person: Caller, base: str, field: models.ForeignKey, victim: Place, world: World) -> None:
    """Name a victim's row where a list filters by it, and where a form refers to it."""
    model = field.related_model
    foreign, missing = victim.first(model), world.missing.get(model)
    is_shared = model is Organization and victim.organization == person.home.organization
    if foreign is None or missing is None or is_shared or model is User:
        return
    lookup = f"{field.name}__id__exact"
    theirs, none = (Request("GET", base, query=((lookup, pk),), asked=(pk,)) for pk in (foreign, missing))
    compare(area, person, f"({lookup} of {victim.name})", theirs, none)
    blank = tuple((name, "probed") for name in FIELDS)
    theirs, none = (
        Request("POST", f"{base}add/", form=((field.name, pk), *blank), asked=(pk,)) for pk in (foreign, missing)
    )
    compare(area, person, f"({field.name} of {victim.name})", theirs, none)


def _autocomplete(
    area: Area, person: Caller, model: type[models.Model], relations: Sequence[models.ForeignKey], victim: Place
) -> None:
    for field in relations:
        query = (
            ("app_label", model._meta.app_label),
            ("model_name", str(model._meta.model_name)),
            ("field_name", field.name),
            ("term", victim.canary),
        )
        look(area, person, Request("GET", f"{INDEX}autocomplete/", query=query, asked=(victim.canary,)))


def _probe_switching(people: Sequence[Caller], world: World) -> Area:
    """Try to stand in a foreign environment, by id and by slug, to find it among all, and to post forms of it."""
    area, missing = Area("Console: switching environments"), world.missing[Environment]
    for person in people:
        for victim in person.victims:
            for name, nobodys in ((victim.environment.pk, missing), (victim.environment.slug, NOBODYS_SLUG)):
                for theirs, none in zip(_switches(name), _switches(nobodys), strict=True):
                    compare(area, person, f"(environment of {victim.name})", theirs, none)
    return area


def _switches(name: str) -> Iterator[Request]:
    asked = (name,)
    yield Request("GET", INDEX, query=(("environment", name),), asked=asked)
    yield Request("POST", f"{INDEX}environment/", form=(("environment", name),), asked=asked)
    yield Request("GET", f"{INDEX}organization/", query=(("q", name),), asked=asked)
    yield Request("POST", f"{INDEX}inboxes/inbox/add/", form=(("_standing_in", name),), asked=asked)


def probe_rows(person: Caller, world: World) -> Area:
    """Look at lists and rows alone: what suffices when a single wall is down."""
    area = Area("Console: lists and rows")
    for page in pages(of_the_console=True):
        if page.name.endswith(LISTS_AND_ROWS):
            _probe_page(area, person, page, world)
    return area


def probe_slugs(world: World) -> Area:
    """Ask for a foreign slug on the page of one's own environment."""
    area = Area("Console: clashes")
    person = replace(sessions(world)[0], takes_back=True)
    page = f"{INDEX}environments/environment/{world.ours.environment.pk}/change/"
    for victim in person.victims:
        theirs, none = (_renaming(page, slug) for slug in (victim.environment.slug, NOBODYS_SLUG))
        compare(area, person, f"(slug of {victim.name})", theirs, none)
    return area


def _renaming(page: str, slug: str) -> Request:
    form = (("section", "general"), ("name", "probed"), ("description", "probed"))
    return Request("POST", page, form=(*form, ("slug", slug)), asked=(slug,))
