"""Opening a transport: a configuration in, a carrier out."""

from __future__ import annotations

from django.conf import settings

from mail.transports.configs import Config
from mail.transports.direct import DirectToMx
from mail.transports.names import Names
from mail.transports.relay import SmtpRelay
from mail.transports.session import Manner, Security
from mail.transports.targets import EVERYWHERE, Reach
from mail.transports.values import Carrier


def carrier_of(config: Config) -> Carrier:
    """Return a fresh carrier; it belongs to the event loop that uses it first, and keeps connections until closed.

    What an environment names may be reached at public addresses only, and in AGENTPOST_PRIVATE_TARGETS; the operator's
    own relay anywhere. Raises ValueError for a configuration that is not permitted any more.
    """
    reach = Reach.of(settings.AGENTPOST_PRIVATE_TARGETS)
    name = settings.AGENTPOST_SHARED_DOMAIN
    if config.kind == "direct":
        return DirectToMx(settings.AGENTPOST_MX_PORT, Manner(name), reach, Names(settings.AGENTPOST_DNS_SERVERS))
    if config.kind == "smtp":
        security = Security(config["security"])
        manner = Manner(name, security, config["username"] or "", config["password"] or "")
        return SmtpRelay(config["host"], config["port"], manner, reach if config.environment_id else EVERYWHERE)
    from mail.transports.providers import ProviderCarrier  # takes half a second to import

    return ProviderCarrier(config, reach)
