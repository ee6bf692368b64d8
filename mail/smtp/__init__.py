"""Mail comes in: the SMTP and LMTP front. It speaks the protocol only, and is told who lives here and where mail goes.

`serve(options, resolve, examine, store)` is a whole process; `start_listeners` is the same inside a running event loop.
"""

from mail.intake import Arrival, Attempt, Examination, Examine, Note, Recipient, Refused, Resolve, Store
from mail.smtp.options import Limits, SmtpOptions
from mail.smtp.server import Listeners, serve, start_listeners

__all__ = [
    "Arrival",
    "Attempt",
    "Examination",
    "Examine",
    "Limits",
    "Listeners",
    "Note",
    "Recipient",
    "Refused",
    "Resolve",
    "SmtpOptions",
    "Store",
    "serve",
    "start_listeners",
]
