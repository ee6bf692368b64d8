"""Mail comes in: the SMTP and LMTP front. It speaks the protocol only, and is told who lives here and where mail goes.

`serve(options, resolve, examine, store)` is a whole process; `start_listeners` is the same inside a running event loop.
"""

from mail.intake import (
    Account,
    Admit,
    Arrival,
    Attempt,
    Examination,
    Examine,
    Login,
    Note,
    Recipient,
    Refused,
    Resolve,
    Store,
    Submission,
    Submit,
)
from mail.smtp.options import Limits, SmtpOptions
from mail.smtp.server import Listeners, serve, start_listeners

__all__ = [
    "Account",
    "Admit",
    "Arrival",
    "Attempt",
    "Examination",
    "Examine",
    "Limits",
    "Listeners",
    "Login",
    "Note",
    "Recipient",
    "Refused",
    "Resolve",
    "SmtpOptions",
    "Store",
    "Submission",
    "Submit",
    "serve",
    "start_listeners",
]
