"""What the worker does about organizations: invitations run out."""

from datetime import timedelta

import time_machine

from environments import clock
from environments.callers import SYSTEM
from environments.models import Invitation
from environments.services.members import INVITATION_LIFE, invite, revoke_invitation
from environments.tasks import expire_invitations
from tests.world import World


def states(world: World) -> dict[str, str]:
    rows = Invitation.objects.in_organization(world.organization)
    return {row.email.partition("@")[0]: row.status for row in rows}


def invited(world: World, name: str) -> Invitation:
    invitation, _ = invite(world.organization.pk, f"{name}@acme.example", "member", actor=SYSTEM)
    return invitation


def test_an_invitation_runs_out_when_its_time_is_over_and_not_before(acme: World, globex: World) -> None:
    invited(acme, "fresh")
    with time_machine.travel(clock.now() - INVITATION_LIFE - timedelta(minutes=1)):
        for world in (acme, globex):
            invited(world, "late")
        revoke_invitation(invited(acme, "unwanted"), actor=SYSTEM)
    assert expire_invitations(0) == 2
    assert states(acme) == {"late": "expired", "unwanted": "revoked", "fresh": "pending"}
    assert states(globex) == {"late": "expired"}
    assert expire_invitations(0) == 0


def test_an_address_whose_invitation_ran_out_can_be_invited_again(acme: World) -> None:
    with time_machine.travel(clock.now() - INVITATION_LIFE - timedelta(minutes=1)):
        invited(acme, "late")
    expire_invitations(0)
    assert invited(acme, "late").status == "pending"
