"""Check sums of what belongs to a place, to see that nothing touched it; and what of it must never be seen."""

import hashlib
import re
from collections.abc import Iterable, Iterator

from django.db import connection, models

from agentpost_site.isolation.discovery import environment_owned, our_models
from agentpost_site.isolation.world import Place
from environments.binding import inside
from environments.ids import decode
from environments.models import Environment, Invitation, Member, Organization, OrganizationOwned
from environments.object_store import object_store
from inboxes.models import Domain, Inbox

COLLEAGUES = (Member, Invitation)
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PUBLIC_ID = re.compile(r"[a-z]{3}_[0-9A-HJKMNP-TV-Z]{26}")
ROWS = """
    SELECT count(*) || ' ' || md5(coalesce(string_agg(md5((to_jsonb(t) - 'last_used_at')::text), '' ORDER BY id), ''))
      FROM {table} t WHERE {column} = %s
"""


def digest_of(place: Place) -> dict[str, str]:
    """Return the check sums of a place's rows, by table, and of its objects."""
    environment = decode("env", place.environment.pk)
    with inside(place.environment), connection.cursor() as cursor:
        found = {}
        for model, column in _tables():
            cursor.execute(ROWS.format(table=model._meta.db_table, column=column), [environment])
            found[model._meta.db_table] = cursor.fetchone()[0]
    return {**found, "objects": _objects(place.environment.pk)}


def _tables() -> Iterator[tuple[type[models.Model], str]]:
    for model in environment_owned():
        yield model, "environment_id"
    for model in our_models():
        columns = {field.column for field in model._meta.local_fields}
        if issubclass(model, OrganizationOwned) and "environment_id" in columns:
            yield model, "environment_id"
    yield Environment, "id"


def _objects(folder: str) -> str:
    found = sorted(object_store().objects(folder))
    return f"{len(found)} {hashlib.sha256(repr(found).encode()).hexdigest()}"


class Marks:
    """What one place must never see of others: every id of theirs, their canaries, and the names that are theirs alone.

    ``sees_colleagues`` is for whoever may list the members and invitations of the whole organization.
    """

    def __init__(self, viewer: Place, victims: Iterable[Place], *, sees_colleagues: bool = False) -> None:
        self._ids: set[str] = set()
        self._texts: list[str] = []
        for place in victims:
            is_of_the_house = place.organization == viewer.organization
            shared = COLLEAGUES if is_of_the_house and sees_colleagues else ()
            self._ids |= set(_public_ids(place, (*shared, Organization) if is_of_the_house else ()))
            self._texts += [place.canary, place.unique, *_addresses(place)]
            self._texts += [] if is_of_the_house and sees_colleagues else [user.email for user in place.people.values()]

    def seen_in(self, text: str, asked: Iterable[str]) -> str:
        """Return the first mark in a text that was not itself asked for, or an empty string."""
        for known in asked:
            text = text.replace(known, "")
        found = self._ids.intersection([*PUBLIC_ID.findall(text), *UUID.findall(text)])
        return next(iter(found), "") or next((mark for mark in self._texts if mark in text), "")


def _public_ids(place: Place, shared: tuple[type[models.Model], ...]) -> Iterator[str]:
    for model in our_models():
        if getattr(model._meta.pk, "prefix", "") and model not in shared:
            for identifier in place.ids(model):
                yield identifier
                yield str(decode(model._meta.pk.prefix, identifier))


def _addresses(place: Place) -> list[str]:
    with inside(place.environment):
        emails = Inbox.objects.in_environment(place.environment).values_list("email", flat=True)
        return [*emails, *Domain.objects.in_environment(place.environment).values_list("name", flat=True)]
