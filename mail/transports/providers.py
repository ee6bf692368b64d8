"""Providers of mail with an HTTP API, each through its django-anymail backend."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import requests
from anymail.exceptions import AnymailAPIError, AnymailConfigurationError, AnymailError
from django.core.mail import EmailMessage
from django.utils.module_loading import import_string

from mail.transports.bounded import BoundedCarrier
from mail.transports.configs import Config
from mail.transports.departure import WITHHELD, Departure, for_all
from mail.transports.provider_mails import Unfit, message_for
from mail.transports.targets import Reach, check_api_url
from mail.transports.values import LONGEST_REPLY, Ending, Parcel, Result

AT_ONCE = 8
REQUEST_SECONDS = 30.0
OVERALL_SECONDS = 120.0
TAKEN = {"sent", "queued"}
REFUSED = {"rejected", "invalid"}
FAILED = "failed"
# The provider will answer otherwise once somebody has mended the configuration, paid, or waited.
LATER = {401, 402, 403, 404, 407, 408, 409, 425, 429}
LATER_CODES = {"AccountSuspendedException", "SendingPausedException", "MailFromDomainNotVerifiedException",
               "LimitExceededException", "TooManyRequestsException", "ThrottlingException"}  # fmt: skip
LEAST_ERROR = 400
CLIENT_ERRORS = range(400, 500)


@dataclass(frozen=True, slots=True)
class Provider:
    """How a provider is reached; ``options`` makes the backend's arguments of the configuration."""

    backend: str
    options: Callable[[Config], dict[str, Any]]
    regions: Mapping[str, str]


def _as_they_are(config: Config) -> dict[str, Any]:
    return {name: value for name, value in config.values if name not in {"region", "api_url"} | OF_WEBHOOKS}


def _for_ses(config: Config) -> dict[str, Any]:
    client = {
        "aws_access_key_id": config["access_key_id"],
        "aws_secret_access_key": config["secret_access_key"],
        "region_name": config["region"],
        "config": {"connect_timeout": 10, "read_timeout": REQUEST_SECONDS, "retries": {"total_max_attempts": 1}},
    }
    if config["api_url"]:
        client["endpoint_url"] = config["api_url"]
    return {"client_params": client, "configuration_set_name": config["configuration_set_name"]}


OF_WEBHOOKS = {"webhook_key", "signing_secret", "inbound_secret", "webhook_signing_key", "webhook_verification_key"}
NOWHERE_ELSE: Mapping[str, str] = {}
PROVIDERS: Mapping[str, Provider] = {
    "amazon_ses": Provider("anymail.backends.amazon_ses.EmailBackend", _for_ses, NOWHERE_ELSE),
    "brevo": Provider("anymail.backends.brevo.EmailBackend", _as_they_are, NOWHERE_ELSE),
    "mailersend": Provider("anymail.backends.mailersend.EmailBackend", _as_they_are, NOWHERE_ELSE),
    "mailgun": Provider("anymail.backends.mailgun.EmailBackend", _as_they_are, {"eu": "https://api.eu.mailgun.net/v3"}),
    "mailjet": Provider("anymail.backends.mailjet.EmailBackend", _as_they_are, NOWHERE_ELSE),
    "mandrill": Provider("anymail.backends.mandrill.EmailBackend", _as_they_are, NOWHERE_ELSE),
    "postmark": Provider("anymail.backends.postmark.EmailBackend", _as_they_are, NOWHERE_ELSE),
    "resend": Provider("anymail.backends.resend.EmailBackend", _as_they_are, NOWHERE_ELSE),
    "sendgrid": Provider(
        "anymail.backends.sendgrid.EmailBackend", _as_they_are, {"eu": "https://api.eu.sendgrid.com/v3/"}
    ),
    "sparkpost": Provider(
        "anymail.backends.sparkpost.EmailBackend", _as_they_are, {"eu": "https://api.eu.sparkpost.com/api/v1/"}
    ),
}


class ProviderCarrier(BoundedCarrier):
    """Hands mails to a provider, for several recipients at once."""

    takes_groups = True

    def __init__(self, config: Config, reach: Reach) -> None:
        super().__init__(OVERALL_SECONDS)
        check_api_url(config["api_url"], reach)
        self.name = config.kind
        self._provider = PROVIDERS[config.kind]
        self._options = self._backend_options(config)
        self._turns = asyncio.Semaphore(AT_ONCE)  # so that nothing waits for a thread once it may leave
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix=f"transport-{config.kind}")
        self._backend: Any = import_string(self._provider.backend)

    def _backend_options(self, config: Config) -> dict[str, Any]:
        options = {**self._provider.options(config), "ignore_recipient_status": True}
        options["ignore_unsupported_features"] = True
        if config.kind != "amazon_ses":
            options["timeout"] = REQUEST_SECONDS
            if url := config["api_url"] or self._provider.regions.get(config["region"] or ""):
                options["api_url"] = url
        return options

    async def attempt(self, parcel: Parcel, departure: Departure) -> dict[str, Result]:
        """Hand a mail over to the provider, in a thread."""
        try:
            message = message_for(parcel)
        except Unfit as problem:
            refusal = Result(Ending.REFUSED, str(problem), enhanced_code="5.6.0", host=self.name)
            return for_all(parcel.recipients, refusal)
        await self._turns.acquire()
        posting: Future[None] | None = None
        try:
            if not await departure.permitted():
                return for_all(parcel.recipients, WITHHELD)
            departure.is_in_doubt = True
            posting = self._begin(message)
        finally:
            if posting is None:
                self._turns.release()
        try:
            await asyncio.wrap_future(posting)
        except (AnymailError, OSError, ValueError) as problem:
            return for_all(parcel.recipients, self._failed(problem, departure))
        return self._answers(parcel, message)

    def _begin(self, message: EmailMessage) -> Future[None]:
        """Have a free thread post a mail, at once; the turn ends with its work, even if nobody waits for that."""
        loop = asyncio.get_running_loop()
        posting = self._threads.submit(self._post, message)
        posting.add_done_callback(lambda _: _tell(loop, self._turns.release))
        return posting

    def _post(self, message: EmailMessage) -> None:
        """Post a mail, on a connection of its own; blocks."""
        self._backend(**self._options).send_messages([message])

    def _failed(self, problem: Exception, departure: Departure) -> Result:
        """Return what a failed request means: nobody has the mail, or nobody knows."""
        status, code = _status_of(problem)
        if status is None and not isinstance(problem, AnymailAPIError | OSError | AnymailConfigurationError):
            departure.is_in_doubt = False
            return Result(Ending.REFUSED, _sentence(problem), enhanced_code="5.6.0", host=self.name)
        is_answer = status is not None and status >= LEAST_ERROR
        departure.is_in_doubt = not is_answer and not _is_unsent(problem)
        if is_answer and status in CLIENT_ERRORS and status not in LATER and code not in LATER_CODES:
            return Result(Ending.REFUSED, _sentence(problem), code=status, host=self.name)
        return replace(departure.deferred(_sentence(problem), self.name), code=status)

    def _answers(self, parcel: Parcel, message: Any) -> dict[str, Result]:
        response = getattr(message.anymail_status, "esp_response", None)
        has_failed = getattr(response, "status_code", 0) >= LEAST_ERROR
        found = {email.lower(): status for email, status in message.anymail_status.recipients.items()}
        is_taken = any(status.status in TAKEN for status in found.values())
        return {
            one: self._answer(found.get(one.lower()), is_taken=is_taken, has_failed=has_failed)
            for one in parcel.recipients
        }

    def _answer(self, status: Any, *, is_taken: bool, has_failed: bool) -> Result:
        """Return what the provider said about one recipient; whom it does not mention shares the fate of the mail."""
        said = status.status if status else "unknown"
        identifier = str(status.message_id or "") if status else ""
        if said in REFUSED or (said == FAILED and has_failed):
            return Result(Ending.REFUSED, f"{self.name}: {said}", host=self.name, provider_id=identifier)
        ending = Ending.ACCEPTED if said in TAKEN or is_taken or identifier else Ending.DEFERRED
        return Result(ending, f"{self.name}: {said}", host=self.name, tls="https", provider_id=identifier)

    async def close(self) -> None:
        """See ``Carrier.close``."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _tell(loop: asyncio.AbstractEventLoop, act: Callable[[], None]) -> None:
    with suppress(RuntimeError):  # the loop has ended
        loop.call_soon_threadsafe(act)


def _status_of(problem: BaseException) -> tuple[int | None, str]:
    """Return the status of the provider's answer, if there was one, and its code for the error, if it has codes."""
    response = getattr(problem, "response", None)
    if isinstance(response, dict):
        return response.get("ResponseMetadata", {}).get("HTTPStatusCode"), response.get("Error", {}).get("Code", "")
    return getattr(problem, "status_code", None), ""


def _is_unsent(problem: BaseException) -> bool:
    """Tell whether the mail never left: the configuration was wrong, or there was no connection."""
    texts = (str(problem), str(problem.__cause__ or ""))
    unconnected = ("Failed to establish a new connection", "NameResolutionError", "Could not connect to the endpoint")
    return isinstance(problem, requests.ConnectTimeout | AnymailConfigurationError) or any(
        each in text for each in unconnected for text in texts
    )


def _sentence(problem: BaseException) -> str:
    """Return what went wrong, on one line; requests and answers are left out of it, since they may hold secrets."""
    response = getattr(problem, "response", None)
    said = getattr(response, "text", "") if not isinstance(response, dict) else str(response.get("Error", ""))
    return " ".join(f"{str(problem).partition(chr(10))[0]} {said}".split())[:LONGEST_REPLY]
