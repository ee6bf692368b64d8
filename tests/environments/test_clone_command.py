"""clone_environment plans, then copies, on the word of somebody who administers both."""

import pytest

from environments.callers import SYSTEM
from environments.models import Environment, Member
from environments.services.environments import update_environment
from environments.services.members import add_member, add_to_environment
from tests.environments.commands import machine, refused
from tests.world import PERSON, World

OWNER = "owner@acme.example"
CLONE = ("clone_environment", "--from", "acme/production", "--to", "acme/development")


def fresh(environment: Environment) -> Environment:
    return Environment.objects.in_organization(environment.organization_id).get(pk=environment.pk)


def test_a_configuration_is_planned_then_copied(acme: World) -> None:
    update_environment(acme.production, {"daily_sending_quota": 7}, actor=PERSON)
    plan = machine(*CLONE, "--by", OWNER)
    assert (plan["applied"], fresh(acme.development).daily_sending_quota) == (False, None)
    assert [item["name"] for item in plan["items"] if item["verb"] == "change"] == ["daily_sending_quota"]
    assert machine(*CLONE, "--by", OWNER, "--apply")["applied"]
    assert fresh(acme.development).daily_sending_quota == 7
    assert machine(*CLONE, "--by", OWNER, "--apply")["digest"] != plan["digest"]


@pytest.mark.parametrize(
    ("there", "here", "verb"),
    [(7, None, "keep"), (7, 30, "keep"), (30, 7, "change"), (None, 7, "change"), (7, 7, "keep")],
)
def test_a_copy_never_shortens_how_long_mail_is_kept(
    acme: World, there: int | None, here: int | None, verb: str
) -> None:
    for environment, days in ((acme.production, there), (acme.development, here)):
        update_environment(environment, {"message_retention_days": days}, actor=PERSON)
    plan = machine(*CLONE, "--by", OWNER, "--apply")
    assert {item["name"]: item["verb"] for item in plan["items"]}["message_retention_days"] == verb
    assert fresh(acme.development).message_retention_days == (there if verb == "change" else here)


def test_whoever_copies_administers_both(acme: World) -> None:
    keeper: Member = add_member(acme.organization, "keeper@acme.example", "member", actor=SYSTEM)[0]
    add_to_environment(acme.development, keeper, "admin", actor=SYSTEM)
    assert "nor admin of production" in refused(*CLONE, "--by", "keeper@acme.example", "--apply")


@pytest.mark.parametrize("source", ["acme/development", "globex/production"])
def test_a_source_is_another_environment_of_the_same_organization(source: str, acme: World, globex: World) -> None:
    given = ("--from", source, "--to", "acme/development", "--by", OWNER)
    assert "Name two environments of one organization" in refused("clone_environment", *given)
