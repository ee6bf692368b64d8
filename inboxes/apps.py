"""Where the app says which domains are its own."""

from collections.abc import Collection

from django.apps import AppConfig


class InboxesConfig(AppConfig):
    """Inboxes, domains, filter rules and suppressions."""

    name = "inboxes"

    def ready(self) -> None:
        from environments import mailboxes

        mailboxes.judge_through(is_of_agents)


def is_of_agents(domain: str, organization_ids: Collection[str]) -> bool:
    """Return whether agents may read mail to the domain: see ``environments.mailboxes``."""
    from inboxes.services.addresses import is_of_agents

    return is_of_agents(domain, organization_ids)
