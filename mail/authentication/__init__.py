"""Who sent a mail: SPF, DKIM, DMARC and ARC in one pure function, `authenticate`, that never raises."""

from mail.authentication.evaluation import authenticate
from mail.authentication.resolver import Resolver, Unanswered
from mail.authentication.trust import Trust, stripped
from mail.authentication.values import Authentication, Verdict

__all__ = ["Authentication", "Resolver", "Trust", "Unanswered", "Verdict", "authenticate", "stripped"]
