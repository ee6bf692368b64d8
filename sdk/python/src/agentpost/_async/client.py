"""The client."""

from __future__ import annotations

import dataclasses
from typing import Any, Optional

import httpx2
from typing_extensions import Self

from agentpost import webhooks
from agentpost._async.api_keys import AsyncApiKeys
from agentpost._async.attachments import AsyncAttachments
from agentpost._async.audit import AsyncAudit
from agentpost._async.connection import AsyncConnection
from agentpost._async.domains import AsyncDomains
from agentpost._async.drafts import AsyncDrafts
from agentpost._async.environments import AsyncEnvironments
from agentpost._async.events import AsyncEvents
from agentpost._async.filter_rules import AsyncFilterRules
from agentpost._async.inboxes import AsyncInboxes
from agentpost._async.intake import AsyncIntake
from agentpost._async.labels import AsyncLabels
from agentpost._async.messages import AsyncMessages
from agentpost._async.org import AsyncOrg
from agentpost._async.realtime import AsyncRealtime
from agentpost._async.resource import AsyncResource
from agentpost._async.search import AsyncSearch
from agentpost._async.suppressions import AsyncSuppressions
from agentpost._async.threads import AsyncThreads
from agentpost._async.tools import AsyncTools
from agentpost._async.transport import AsyncTransports
from agentpost._async.webhook_deliveries import AsyncWebhookDeliveries
from agentpost._async.webhook_endpoints import AsyncWebhookEndpoints
from agentpost._settings import settings_from, user_agent
from agentpost.errors import ConfigurationError
from agentpost.models import Me


class AsyncAgentPost(AsyncResource):
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
        http = httpx2.AsyncClient(headers={"User-Agent": user_agent()}, follow_redirects=False)
        self._furnish(AsyncConnection(settings, http))

    def _furnish(self, connection: AsyncConnection) -> None:
        super().__init__(connection)
        self.api_keys = AsyncApiKeys(connection)
        self.attachments = AsyncAttachments(connection)
        self.audit = AsyncAudit(connection)
        self.domains = AsyncDomains(connection)
        self.drafts = AsyncDrafts(connection)
        self.environments = AsyncEnvironments(connection)
        self.events = AsyncEvents(connection)
        self.filter_rules = AsyncFilterRules(connection)
        self.inboxes = AsyncInboxes(connection)
        self.intake = AsyncIntake(connection)
        self.labels = AsyncLabels(connection)
        self.messages = AsyncMessages(connection)
        self.org = AsyncOrg(connection)
        self.realtime = AsyncRealtime(connection)
        self.search = AsyncSearch(connection)
        self.suppressions = AsyncSuppressions(connection)
        self.threads = AsyncThreads(connection)
        self.tools = AsyncTools(connection)
        self.transport = AsyncTransports(connection)
        self.webhook_deliveries = AsyncWebhookDeliveries(connection)
        self.webhook_endpoints = AsyncWebhookEndpoints(connection)

    async def me(self) -> Me:
        """Return what the key is: its organization, the environments that it reaches, its scopes."""
        return await self._get("/me", Me)

    def with_options(self, **options: Any) -> AsyncAgentPost:
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

    async def aclose(self) -> None:
        """Close all connections."""
        await self._connection.http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
