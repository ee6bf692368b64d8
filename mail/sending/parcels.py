"""Building what leaves: the stored bytes, in the form for their way, under the domain's signature."""

from environments.binding import inside
from inboxes.services.signing_keys import has_return_path
from mail import signing
from mail.sending.door import Job
from mail.sending.redirection import redirected
from mail.services import blobs, return_path
from mail.services.signing import keys_for
from mail.transports import Parcel


def parcel_of(job: Job, *, signed: bool) -> Parcel:
    """Return the parcel of a job; a provider signs by itself."""
    environment, inbox, domain = job.environment, job.inbox, job.inbox.domain_name
    with inside(environment):
        keys = keys_for(environment, domain) if signed else []
        sender = return_path.address_for(job.hand_overs[0], inbox, has_return_path=has_return_path(environment, domain))
        to = tuple(row.envelope_recipient for row in job.hand_overs)
        raw = blobs.read(job.message.raw)
        if _is_redirected(job):
            raw = redirected(raw, to[0])
    return Parcel(signing.sign(raw, keys) if keys else raw, sender, to, environment.pk, job.message.pk)


def _is_redirected(job: Job) -> bool:
    """Return whether the mail goes to somebody who is none of its recipients."""
    return not {row.envelope_recipient for row in job.hand_overs} <= set(job.message.envelope_recipients)
