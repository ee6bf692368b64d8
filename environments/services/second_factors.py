"""Second factors: codes of an app (TOTP, RFC 6238) and recovery codes, each good once, whichever process asks.

The rows are allauth's. How often somebody guessed, and which code was used last, lies with the factor in the database
and is changed under a lock, so that neither a second process nor a second request at the same moment is told yes.
"""

import base64
from datetime import timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from allauth.mfa.utils import decrypt, encrypt
from django.conf import settings
from django.db import transaction
from django.utils.crypto import constant_time_compare

from environments import clock
from environments.encryption import is_present
from environments.errors import Refusal
from environments.models import User

PURPOSE = "second factor"  # of what is sealed
SEALED = ("secret", "seed")  # of an app, of recovery codes
PERIOD = 30  # seconds, as every app assumes
GUESSES, WINDOW = 10, timedelta(minutes=15)
App, Recovery = Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES


class WrongCode(Refusal):
    """A code that is none, was used before, or belongs to another moment."""

    message = "That code is not right, or was used before."
    fix = "Wait for the next one in your app, or use a recovery code."


class TooManyGuesses(Refusal):
    """Wrong codes came too often; for a while right ones are refused too."""

    message = "Too many wrong codes."
    fix = "Try again in a quarter of an hour."


def is_enrolled(user: Any) -> bool:
    """Return whether the person signs in with a second factor."""
    return bool(user.is_authenticated) and Authenticator.objects.filter(user_id=user.pk, type=App).exists()


def new_secret() -> str:
    """Return a secret that an app may make codes of: 160 random bits in base 32."""
    return str(generate_totp_secret())


def enrol(user: User, secret: str, code: str) -> tuple[Authenticator, list[str]]:
    """Give the person a second factor; return it and the recovery codes, which are shown once.

    The code shows that their app holds the secret, and is used up by it. Raises WrongCode.
    """
    counter = _counter(secret, code, after=0)
    if counter is None:
        raise WrongCode
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        Authenticator.objects.filter(user=user).delete()
        factor = TOTP.activate(user, secret).instance
        _note(factor, last=counter)
        return factor, RecoveryCodes.activate(user).get_unused_codes()


def prove(user: User, code: str) -> Authenticator:
    """Return the factor that this code proves, an app's or a recovery code, and use it up.

    Raises WrongCode, also for one that was used, and TooManyGuesses after ten wrong ones in a quarter of an hour.
    """
    with transaction.atomic():
        rows = Authenticator.objects.select_for_update().filter(user=user).order_by("pk")
        factors = {row.type: row for row in rows}
        if App not in factors:
            raise WrongCode
        proven = _proven(factors, code)
    if proven is None:
        raise WrongCode
    return proven


def _proven(factors: dict[str, Authenticator], code: str) -> Authenticator | None:
    app = factors[App]
    guesses = _guesses(app)
    if len(guesses) >= GUESSES:
        raise TooManyGuesses
    counter = _counter(decrypt(app.data["secret"]), code, after=app.data.get("last", 0))
    if counter is not None:
        _note(app, last=counter, guesses=[])
        return app
    recovery = factors.get(Recovery)
    if recovery and RecoveryCodes(recovery).validate_code(_plain(code)):
        _note(app, guesses=[])
        return recovery
    _note(app, guesses=[*guesses, clock.now().timestamp()])
    return None


def _guesses(app: Authenticator) -> list[float]:
    since = (clock.now() - WINDOW).timestamp()
    return [at for at in app.data.get("guesses", []) if at > since]


def _counter(secret: str, code: str, *, after: int) -> int | None:
    """Return which step of time this code is of, if one near now and later than what was used."""
    now, tolerance = int(clock.now().timestamp()) // PERIOD, settings.MFA_TOTP_TOLERANCE
    for counter in range(max(now - tolerance, after + 1), now + tolerance + 1):
        if constant_time_compare(format_hotp_value(hotp_value(secret, counter)), _plain(code)):
            return counter
    return None


def _plain(code: str) -> str:
    return "".join(character for character in code if character.isalnum())


def _note(factor: Authenticator, **facts: Any) -> None:
    factor.data.update(facts)
    factor.save(update_fields=["data"])


def renew_recovery_codes(user: User) -> list[str]:
    """Make new recovery codes, in place of the old ones, and return them; they are shown once."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        Authenticator.objects.filter(user=user, type=Recovery).delete()
        return list(RecoveryCodes.activate(user).get_unused_codes())


def recovery_codes_left(user: User) -> int:
    """Return how many recovery codes were not used yet."""
    row = Authenticator.objects.filter(user=user, type=Recovery).first()
    return len(RecoveryCodes(row).get_unused_codes()) if row else 0


def remove(user: User) -> bool:
    """Take the second factor and its recovery codes away; return whether there was one."""
    deleted, _ = Authenticator.objects.filter(user=user).delete()
    return bool(deleted)


def all_ids() -> list[int]:
    """Return the ids of all factors, whosever they are."""
    return list(Authenticator.objects.order_by("pk").values_list("pk", flat=True))


def reseal(factor_id: int) -> dict[str, int]:
    """Seal what a factor keeps secret with the present key; return how much was sealed anew, and how much was so.

    Runs in a transaction. Raises CannotOpen.
    """
    factor = Authenticator.objects.select_for_update().filter(pk=factor_id).first()
    sealed = {name: factor.data[name] for name in SEALED if name in factor.data} if factor else {}
    former = {name: text for name, text in sealed.items() if not is_present(base64.b64decode(text))}
    if factor and former:
        _note(factor, **{name: encrypt(decrypt(text)) for name, text in former.items()})
    return {"resealed": len(former), "present": len(sealed) - len(former)}
