"""The client."""

from __future__ import annotations

import dataclasses
from typing import Any, Optional

import httpx2
from typing_extensions import Self

from agentpost import webhooks
from agentpost._settings import settings_from, user_agent
from agentpost._sync.api_keys import ApiKeys
from agentpost._sync.attachments import Attachments
from agentpost._sync.audit import Audit
from agentpost._sync.connection import Connection
from agentpost._sync.domains import Domains
from agentpost._sync.drafts import Drafts
from agentpost._sync.environments import Environments
from agentpost._sync.events import Events
from agentpost._sync.filter_rules import FilterRules
from agentpost._sync.inboxes import Inboxes
from agentpost._sync.intake import Intake
from agentpost._sync.labels import Labels
from agentpost._sync.messages import Messages
from agentpost._sync.org import Org
from agentpost._sync.realtime import Realtime
from agentpost._sync.resource import Resource
from agentpost._sync.search import Search
from agentpost._sync.suppressions import Suppressions
from agentpost._sync.threads import Threads
from agentpost._sync.tools import Tools
from agentpost._sync.transport import Transports
from agentpost._sync.webhook_deliveries import WebhookDeliveries
from agentpost._sync.webhook_endpoints import WebhookEndpoints
from agentpost.errors import ConfigurationError
from agentpost.models import Me


class AgentPost(Resource):
    """A client of one AgentPost server under one key.

    ``api_key``, ``base_url`` and ``environment`` (an id or a slug) are taken from ``AGENTPOST_API_KEY``,
    ``AGENTPOST_BASE_URL`` and ``AGENTPOST_ENVIRONMENT`` where they are not given; the last with the first alone, since
    another key may not reach that environment. ``timeout`` is in seconds, for connecting, for sending and for each wait
    for the answer; a call is made again up to ``max_retries`` times where that can do no harm.

    ``expect_environment`` is the id or slug of the environment that the code is meant for. Every call is then made in
    it, and none before the server has said that the key can never reach a live environment, and does reach this one.

    Raises ConfigurationError without a key or with a URL that is none, EnvironmentMismatchError for a live key where an
    environment is expected. Each of its calls raises APIError when it is refused, APIConnectionError when there is no
    answer, UnexpectedAnswerError for one that is not AgentPost's, ConfigurationError for what no call can be made of.
    """

    webhooks = webhooks

    def __init__(
        self,
        api_key: Optional[str] = None,
        environment: Optional[str] = None,
        base_url: Optional[str] = None,
        *,
        expect_environment: Optional[str] = None,
        timeout: float = 60.0,
        max_retries: int = 3,
    ) -> None:
        settings = settings_from(
            api_key=api_key,
            base_url=base_url,
            environment=environment,
            expect_environment=expect_environment,
            timeout=timeout,
            max_retries=max_retries,
        )
        http = httpx2.Client(headers={"User-Agent": user_agent()}, follow_redirects=False)
        self._furnish(Connection(settings, http))

    def _furnish(self, connection: Connection) -> None:
        super().__init__(connection)
        self.api_keys = ApiKeys(connection)
        self.attachments = Attachments(connection)
        self.audit = Audit(connection)
        self.domains = Domains(connection)
        self.drafts = Drafts(connection)
        self.environments = Environments(connection)
        self.events = Events(connection)
        self.filter_rules = FilterRules(connection)
        self.inboxes = Inboxes(connection)
        self.intake = Intake(connection)
        self.labels = Labels(connection)
        self.messages = Messages(connection)
        self.org = Org(connection)
        self.realtime = Realtime(connection)
        self.search = Search(connection)
        self.suppressions = Suppressions(connection)
        self.threads = Threads(connection)
        self.tools = Tools(connection)
        self.transport = Transports(connection)
        self.webhook_deliveries = WebhookDeliveries(connection)
        self.webhook_endpoints = WebhookEndpoints(connection)

    def me(self) -> Me:
        """Return what the key is: its organization, the environments that it reaches, its scopes."""
        return self._get("/me", Me)

    def with_options(self, **options: Any) -> AgentPost:
        """Return a client over the same connections with another ``timeout``, ``max_retries`` or ``environment``.

        For one call: ``client.with_options(timeout=5).messages.get(id)``. Raises ConfigurationError for another option.
        """
        unknown = options.keys() - {"timeout", "max_retries", "environment"}
        if unknown:
            raise ConfigurationError(f"No such option: {', '.join(sorted(unknown))}.")
        connection = self._connection
        client = object.__new__(type(self))
        client._furnish(connection.with_settings(dataclasses.replace(connection.settings, **options)))
        return client

    def close(self) -> None:
        """Close all connections."""
        self._connection.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
