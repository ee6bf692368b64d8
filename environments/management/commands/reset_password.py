"""Make the link behind which a person chooses a password, where no mail can bring it."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from environments import clock
from environments.models import User
from environments.provisioning import MACHINE, Outcome, ProvisioningCommand, email_argument
from environments.services import accounts, second_factors


class Command(ProvisioningCommand):
    """Nothing changes until the link is followed; a second factor stays unless it is taken away here."""

    help = (
        "Make a link behind which a person chooses a new password, good once and for a few hours, to be passed on to "
        "them. For servers without a relay, and for people who lost the device with their second factor."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take whose, and whether their second factor goes."""
        super().add_arguments(parser)
        parser.add_argument("--email", required=True, type=email_argument)
        parser.add_argument(
            "--remove-second-factor", action="store_true", help="take their second factor and recovery codes away, now"
        )

    def carry_out(self, *, email: str, remove_second_factor: bool, **_: Any) -> Outcome:
        """Return the link."""
        user = User.objects.filter(email=email).first()
        if user is None or not accounts.may_sign_in(user):
            raise CommandError(f"Nobody signs in as {email}.")
        if remove_second_factor and second_factors.remove(user):
            accounts.note(user, "member.second_factor_removed", None, actor=MACHINE)
        link, ends = accounts.reset_link(user), clock.now() + timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)
        accounts.note(user, "member.password_link_made", None, actor=MACHINE)
        return Outcome(link, {"email": email, "link": link, "expires_at": clock.written(ends)})
