"""The keys that sign an environment's mail, ready to sign."""

from environments.models import Environment
from inboxes.services import signing_keys
from mail.signing import Key, load


def keys_for(environment: Environment, domain_name: str) -> list[Key]:
    """Return the keys to give to ``mail.signing.sign`` for mail whose From is in this domain; perhaps none.

    Runs inside the environment, with one query. Raises CannotOpen, as ``inboxes.services.signing_keys.keys_for`` does.
    """
    found = signing_keys.keys_for(environment, domain_name)
    return [Key(each.domain, each.selector, load(each.private)) for each in found]
