"""An environment as a whole: exported, copied from, imported and erased, while the others are left alone."""

import io
import secrets
import zipfile
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from agentpost_site.isolation.console import sessions
from agentpost_site.isolation.digests import Marks, digest_of
from agentpost_site.isolation.discovery import environment_owned
from agentpost_site.isolation.exchange import Request, compare
from agentpost_site.isolation.findings import Area, changed
from agentpost_site.isolation.furniture import furnish
from agentpost_site.isolation.world import Place, World
from environments.binding import inside
from environments.callers import SYSTEM
from environments.erasure import count_up_to
from environments.ids import new_id
from environments.models import Environment
from environments.services.archive import write_archive
from environments.services.environments import create_environment, delete_environment

CAPTURE = Environment.DeliveryMode.CAPTURE


def probe_whole(world: World) -> Area:
    """Copy theirs to ours, erase a third one; name foreign ones wherever one is named."""
    area = Area("Whole environments: copied, erased")
    _name_foreign_sources(area, world)
    _name_foreign_environments(area, world)
    _copy(area, world)
    _erase(area, world)
    return area


def probe_export(world: World) -> Area:
    """Demand that nothing of others is in an archive of ours, before any probe has sent us what it knows of them."""
    area = Area("Whole environments: exported")
    target = io.BytesIO()
    write_archive(world.ours.environment, target)
    marks = Marks(world.ours, (world.theirs, world.stranger))
    with zipfile.ZipFile(target) as archive:
        for name in archive.namelist():
            mark = marks.seen_in(archive.read(name).decode(errors="replace"), ())
            area.demand(name, f"shows {mark}" if mark else "")
    return area


def probe_import(world: World) -> Area:
    """Import ours beside itself, before any probe has sent us what it knows of others."""
    area = Area("Whole environments: imported")
    _import(area, world)
    return area


def _name_foreign_sources(area: Area, world: World) -> None:
    """Copy from where an admin of ours alone administers nothing: as unknown as what is not there."""
    person = sessions(world)[0]
    path = f"/console/environments/environment/{world.ours.environment.pk}/clone/"
    for victim in person.victims:
        for method in ("GET", "POST"):
            theirs, none = (_sourced(method, path, pk) for pk in (victim.environment.pk, world.missing[Environment]))
            compare(area, person, f"(copy from {victim.name})", theirs, none)


def _sourced(method: str, path: str, source: str) -> Request:
    given = (("source", source), ("digest", "probed"))
    placed = {"query": given} if method == "GET" else {"form": given}
    return Request(method, path, asked=(source,), **placed)


def _name_foreign_environments(area: Area, world: World) -> None:
    """Name the stranger's environment in commands as one of our organization: it must be as unknown as none."""
    ours, owner = world.ours.environment.pk, f"owner@{world.ours.organization.slug}.example"
    of_ours = ["--organization", world.ours.organization.slug]
    said = ["--by", owner, "--reason", "probed"]
    commands = {
        "export_environment": lambda pk: ["--environment", pk, *of_ours, "--output", "/nowhere/at/all"],
        "erase_environment": lambda pk: ["--environment", pk, *of_ours, *said, "--confirm", "probed"],
        "clone_environment": lambda pk: ["--from", pk, "--to", ours, *of_ours, "--by", owner, "--apply"],
    }
    for name, arguments in commands.items():
        asked = (world.stranger.environment.pk, new_id("env"))
        refusals = {_refusal(name, arguments(pk), pk) for pk in asked}
        area.demand(f"{name} across organizations", "" if len(refusals) == 1 else " / ".join(sorted(refusals)))


def _refusal(name: str, arguments: Sequence[str], asked: str) -> str:
    try:
        call_command(name, *arguments, stdout=io.StringIO(), stderr=io.StringIO())
    except CommandError as problem:
        return str(problem).replace(asked, "<asked>")
    return f"carried out for {asked}"


def _copy(area: Area, world: World) -> None:
    """Copy theirs, which is live, to ours on the owner's word: only ours changes, and lets out no more."""
    others = (world.theirs, world.stranger)
    before = {place.name: digest_of(place) for place in others}
    call_command(
        "clone_environment",
        *("--from", world.theirs.environment.pk, "--to", world.ours.environment.pk),
        *("--by", f"owner@{world.ours.organization.slug}.example", "--apply"),
        stdout=io.StringIO(),
    )
    _demand_unchanged(area, "copying", others, before)
    ours = Environment.objects.in_organization(world.ours.organization).get(pk=world.ours.environment.pk)
    area.demand("copying from a live environment", "" if ours.delivery_mode == CAPTURE else ours.delivery_mode)


def _import(area: Area, world: World) -> None:
    """Make an environment of an archive of ours, beside it: nobody's rows change, and nothing of others is in it."""
    before = {place.name: digest_of(place) for place in world.places}
    slug = f"imported-{secrets.token_hex(4)}"
    with TemporaryDirectory() as folder:
        path = Path(folder, "ours.zip")
        with path.open("wb") as file:
            write_archive(world.ours.environment, file)
        told = io.StringIO()
        options = ("--organization", world.ours.organization.slug, "--slug", slug)
        call_command("import_environment", str(path), *options, stdout=told, stderr=told)
    _demand_unchanged(area, "importing", world.places, before)
    imported = Environment.objects.in_organization(world.ours.organization).get(slug=slug)
    seen = Marks(world.ours, (world.theirs, world.stranger)).seen_in(told.getvalue() + _text_of(imported), ())
    area.demand("an imported environment", f"shows {seen}" if seen else "")
    delete_environment(imported, actor=SYSTEM, force=True)
    left = _left(imported)
    area.demand("an imported environment, erased", f"left {left}" if left else "")


def _text_of(environment: Environment) -> str:
    """Return all rows of an environment as PostgreSQL writes them."""
    with inside(environment), connection.cursor() as cursor:
        texts = []
        for model in environment_owned():
            cursor.execute(f"SELECT to_jsonb(t)::text FROM {model._meta.db_table} t")  # noqa: S608 - tables of ours
            texts += [text for (text,) in cursor.fetchall()]
    return "\n".join(texts)


def _erase(area: Area, world: World) -> None:
    """Erase a furnished environment beside ours: nothing of it is left, and everything of the others."""
    spare, _ = create_environment(world.ours.organization, "Spare", actor=SYSTEM, slug=f"spare-{secrets.token_hex(4)}")
    furnish(spare, f"spare{secrets.token_hex(8)}", f"s{secrets.token_hex(6)}")
    before = {place.name: digest_of(place) for place in world.places}
    call_command(
        "erase_environment",
        *("--environment", spare.pk, "--confirm", spare.slug, "--reason", "probed"),
        *("--by", f"owner@{world.ours.organization.slug}.example"),
        stdout=io.StringIO(),
    )
    _demand_unchanged(area, "erasing", world.places, before)
    left = _left(spare)
    area.demand("an erased environment", f"left {left}" if left else "")


def _left(environment: Environment) -> str:
    """Return what is left of an environment, or an empty string."""
    with inside(environment):
        return ", ".join(model._meta.label for model in count_up_to(environment, 1))


def _demand_unchanged(area: Area, what: str, places: Sequence[Place], before: dict[str, dict[str, str]]) -> None:
    for place in places:
        area.demand(f"{what} and {place.name}", changed(before[place.name], digest_of(place)))
