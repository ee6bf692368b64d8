"""Ways out: an SMTP relay, the recipients' own servers, providers. Nothing here knows the database.

``mail.sending`` alone may open them: what leaves has passed ``mail.services.muzzle``.
"""

from mail.transports.values import LONGEST_REPLY, Carrier, Ending, MayLeave, Parcel, Result

__all__ = ["LONGEST_REPLY", "Carrier", "Ending", "MayLeave", "Parcel", "Result"]
