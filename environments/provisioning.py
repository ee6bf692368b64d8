"""What the commands that provision share: names, one object out, one line when refused.

A command is an argument list and one service call. Whatever it makes, it makes in one transaction, one command after
the other; what exists already is returned as it is.
"""

import argparse
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, NoReturn

import orjson
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.db import DatabaseError, OperationalError, connection, transaction
from psycopg.errors import UndefinedTable
from rest_framework.exceptions import APIException
from rest_framework.serializers import Serializer

from environments.answers import as_refusal
from environments.callers import Actor
from environments.errors import Refusal
from environments.ids import is_id
from environments.models import Environment, EnvironmentMembership, Member, Organization, User

MACHINE = Actor("system", name="manage.py")
BAD_ARGUMENTS = 2


@dataclass(frozen=True)
class Outcome:
    """What a command did: a line for a reader, an object for a machine, and a remark that belongs to neither.

    ``failure`` says what is not well all the same: it goes to stderr, and the command ends with 1.
    """

    line: str
    result: dict[str, Any]
    remark: str = ""
    failure: str = ""


class ProvisioningCommand(BaseCommand):
    """The base of the commands that provision.

    Prints one readable line, or with ``--json`` exactly one object; whatever is refused becomes one line on stderr and
    a status other than 0.
    """

    requires_system_checks = ()  # they speak in several lines
    takes_turns = True  # False for a command that changes nothing
    in_one_transaction = True  # False for a command whose work has transactions of its own

    def add_arguments(self, parser: CommandParser) -> None:
        """Take ``--json``; a subclass adds what the thing is made of."""
        parser.add_argument("--json", action="store_true", dest="as_json", help="print one JSON object")

    def carry_out(self, *args: Any, **options: Any) -> Outcome:
        """Do the work, in the transaction that is open; every subclass does. May raise Refusal or CommandError."""
        raise NotImplementedError

    def create_parser(self, prog_name: str, subcommand: str, **options: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **options)
        parser.called_from_command_line = False  # so that it raises, instead of printing its usage
        return parser

    def run_from_argv(self, argv: list[str]) -> None:
        try:
            super().run_from_argv(argv)
        except CommandError as problem:  # of the arguments: Django lets only these out
            self.stderr.write(_in_one_line(f"CommandError: {str(problem).removeprefix('Error: ')}"))
            raise SystemExit(BAD_ARGUMENTS) from None

    def handle(self, *_args: Any, as_json: bool, **options: Any) -> None:
        """Do the work, then print. Raises CommandError."""
        outcome = self._carried_out(options)
        if outcome.remark:
            self.stderr.write(outcome.remark, self.style.NOTICE)
        self.stdout.write(orjson.dumps(outcome.result).decode() if as_json else outcome.line)
        if outcome.failure:
            self.stderr.write(outcome.failure)
            raise SystemExit(1)

    def _carried_out(self, options: dict[str, Any]) -> Outcome:
        try:
            with transaction.atomic() if self.in_one_transaction else nullcontext():
                if self.takes_turns:
                    take_turn()
                return self.carry_out(**options)
        except DatabaseError as problem:
            _explain(problem)
        except (Refusal, APIException) as problem:
            raise CommandError(_sentence(as_refusal(problem) or Refusal())) from problem


def take_turn() -> None:
    """Wait until no other command provisions; the turn ends with the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('provisioning', 0))")


def _explain(problem: DatabaseError) -> NoReturn:
    """Raise the one line behind a database error that an operator can mend; any other is a fault, and stays one."""
    if isinstance(problem.__cause__, UndefinedTable):
        message = "The database has no tables yet: run manage.py migrate --database owner, or start the server once."
        raise CommandError(message) from problem
    if isinstance(problem, OperationalError):
        reason = next(iter(str(problem).strip().splitlines()), "")
        raise CommandError(f"The database does not answer: {reason}") from problem
    raise problem


def _sentence(refusal: Refusal) -> str:
    if not refusal.details:
        return _in_one_line(f"{refusal.message} {refusal.fix}")
    return _in_one_line(" ".join(f"{detail['field']}: {detail['message']}" for detail in refusal.details))


def _in_one_line(text: str) -> str:
    return " ".join(text.split())


# --- Arguments --------------------------------------------------------------------------------------------------------


def email_argument(text: str) -> str:
    """Return the address in lower case, as ``type=`` of an argument."""
    try:
        validate_email(text.strip())
    except ValidationError:
        raise argparse.ArgumentTypeError(f"{text!r} is not an e-mail address") from None
    return text.strip().lower()


def add_organization_argument(parser: CommandParser) -> None:
    """Take ``--organization``."""
    parser.add_argument("--organization", required=True, help="its id or slug")


def add_environment_arguments(parser: CommandParser) -> None:
    """Take ``--environment`` and what may be needed to tell it from another organization's."""
    parser.add_argument("--environment", required=True, help="its id, its slug, or organization/slug")
    parser.add_argument("--organization", help="id or slug; needed when several organizations use the slug")


def validated(form: type[Serializer], **given: Any) -> dict[str, Any]:
    """Return what the API's own form makes of these values, those that are None left out.

    Raises APIException or Refusal for what the API would not take either.
    """
    reader = form(data={name: value for name, value in given.items() if value is not None})
    reader.is_valid(raise_exception=True)
    return reader.validated_data


# --- Names ------------------------------------------------------------------------------------------------------------


def organization_named(name: str) -> Organization:
    """Return the organization with this id or slug. Raises CommandError."""
    column = "pk" if is_id("org", name) else "slug"
    found = Organization.objects.filter(**{column: name}).first()
    if found is None:
        raise CommandError(f"There is no organization {_in_one_line(name)}.")
    return found


def environment_named(name: str, organization: str | None = None) -> Environment:
    """Return the environment with this id, slug or ``organization/slug``.

    ``organization`` is the id or slug of the organization, needed only when several have an environment of this slug.
    Raises CommandError.
    """
    owner, slash, slug = name.partition("/")
    if slash:
        return _only(environments_named(organization_named(owner), [slug]), name)
    if organization:
        return _only(environments_named(organization_named(organization), [name]), name)
    rows = Environment.everywhere.filter(**{"pk" if is_id("env", name) else "slug": name})
    return _only(list(rows[:2]), name)


def environments_named(organization: Organization, names: Sequence[str]) -> list[Environment]:
    """Return the organization's environments with these ids or slugs, in that order. Raises CommandError."""
    rows = Environment.objects.in_organization(organization)
    found = [rows.filter(**{"pk" if is_id("env", name) else "slug": name}).first() for name in names]
    for name, environment in zip(names, found, strict=True):
        if environment is None:
            raise CommandError(f"The organization {organization.slug} has no environment {_in_one_line(name)}.")
    return [environment for environment in found if environment]


def _only(found: Sequence[Environment], name: str) -> Environment:
    if not found:
        raise CommandError(f"There is no environment {_in_one_line(name)}.")
    if len(found) > 1:
        message = f"Several organizations have an environment {name}: add --organization, or give the environment's id."
        raise CommandError(message)
    return found[0]


def person_in_charge(environment: Environment, email: str) -> Actor:
    """Return the person with this address, as the one who acts on the environment's delivery mode.

    They are owner or admin of the organization, or admin of the environment. Raises CommandError for anybody else.
    """
    places = Member.objects.in_organization(environment.organization_id).select_related("user")
    member = places.filter(user__email=email, user__is_active=True).first()
    if member is None or not (member.reaches_every_environment or _administers(member, environment)):
        message = f"{email} is neither owner nor admin of the organization, nor admin of {environment.slug}."
        raise CommandError(message)
    return Actor("member", member.pk, member.user.email)


def person_in_charge_of_all(environment: Environment, email: str) -> Actor:
    """Return the person with this address, who is owner or admin of the organization. Raises CommandError."""
    places = Member.objects.in_organization(environment.organization_id).select_related("user")
    member = places.filter(user__email=email, user__is_active=True).first()
    if member is None or not member.reaches_every_environment:
        raise CommandError(f"{email} is neither owner nor admin of the organization.")
    return Actor("member", member.pk, member.user.email)


def operator_named(email: str) -> Actor:
    """Return the operator of the platform with this address, as the one who acts. Raises CommandError."""
    user = User.objects.filter(email=email, is_active=True, is_superuser=True).first()
    if user is None:
        raise CommandError(f"{email} is no operator of this server.")
    return Actor("operator", str(user.pk), user.email)


def _administers(member: Member, environment: Environment) -> bool:
    rows = EnvironmentMembership.objects.in_organization(environment.organization_id)
    return rows.filter(member=member, environment=environment, role=EnvironmentMembership.Role.ADMIN).exists()
