"""Check that every mail and file is in the object store as it was stored, and that nothing else is."""

from typing import Any

from django.core.files.storage import default_storage
from django.core.management.base import CommandParser

from environments.provisioning import Outcome, ProvisioningCommand
from mail.services.inventory import take_inventory


class Command(ProvisioningCommand):
    """Reads, unless it is told to delete strays."""

    takes_turns = False
    in_one_transaction = False  # it goes from environment to environment
    help = "Check that every mail and file is in the object store; exits with 1 when one is missing or damaged."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take how closely to look, and whether to tidy up."""
        super().add_arguments(parser)
        parser.add_argument(
            "--contents", action="store_true", help="read every object and compare its SHA-256, and not its size alone"
        )
        parser.add_argument(
            "--delete-strays", action="store_true", help="delete objects that no row has named for a day"
        )

    def carry_out(self, *, contents: bool, delete_strays: bool, **_: Any) -> Outcome:
        """Return what was found."""
        found = take_inventory(with_contents=contents)
        for key in found.strays if delete_strays else ():
            default_storage.delete(key)
        counts = f"{len(found.missing)} missing, {len(found.damaged)} damaged, {len(found.strays)} strays"
        line = f"{found.objects} objects: {counts}"
        trouble = [
            f"{len(keys)} objects are {what}, the first of them {keys[0]}."
            for what, keys in (("missing", found.missing), ("damaged", found.damaged))
            if keys
        ]
        return Outcome(line, {**vars(found), "deleted_strays": delete_strays}, failure="\n".join(trouble))
