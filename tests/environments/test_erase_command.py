"""erase_environment erases on the word of an owner or admin, and prints the certificate."""

import pytest

from environments.callers import SYSTEM
from environments.models import AuditEntry, Environment
from environments.services.audit import broken_links
from environments.services.members import add_member, add_to_environment
from tests.environments.commands import machine, refused
from tests.world import World

OWNER = "owner@acme.example"
ERASE = ("erase_environment", "--environment", "acme/development", "--reason", "Over")


def test_an_environment_is_erased_with_a_certificate(acme: World) -> None:
    told = machine(*ERASE, "--confirm", "development", "--by", OWNER)
    entry = AuditEntry.objects.in_organization(acme.organization).get(pk=told["audit_entry_id"])
    assert (told["environment_id"], told["erased_by"]["name"], entry.reason) == (acme.development.pk, OWNER, "Over")
    assert not Environment.objects.in_organization(acme.organization).filter(pk=acme.development.pk).exists()
    assert list(broken_links(acme.organization)) == []


NOT_ERASED = [  # arguments,                                            the refusal
    (("--confirm", "production", "--by", OWNER), "is not the slug"),
    (("--confirm", "development", "--by", "keeper@acme.example"), "neither owner nor admin"),
    (("--confirm", "development", "--by", "owner@globex.example"), "neither owner nor admin"),
]


@pytest.mark.parametrize(("arguments", "refusal"), NOT_ERASED)
def test_only_owners_and_admins_erase_and_only_what_they_name(
    arguments: tuple[str, ...], refusal: str, acme: World, globex: World
) -> None:
    keeper, _ = add_member(acme.organization, "keeper@acme.example", "member", actor=SYSTEM)
    add_to_environment(acme.development, keeper, "admin", actor=SYSTEM)
    assert refusal in refused(*ERASE, *arguments)
    assert Environment.objects.in_organization(acme.organization).filter(pk=acme.development.pk).exists()


def test_the_default_environment_is_not_erased(acme: World) -> None:
    given = ("--environment", "acme/production", "--confirm", "production", "--reason", "Over", "--by", OWNER)
    assert "The default environment cannot be deleted" in refused("erase_environment", *given)
