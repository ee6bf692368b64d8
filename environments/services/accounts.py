"""What a person does about their own account: passwords, sessions, and what the record says of it."""

from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from procrastinate.contrib.django import app

from environments import clock
from environments.callers import SYSTEM, Actor
from environments.models import Invitation, Member, User
from environments.services.audit import record

RESET = "environments.tasks.mail_password_reset"
NOBODY = 0  # whose reset is asked for where an address is nobody's: the queue must not tell


def places_of(user: User) -> QuerySet[Member]:
    """Return the person's places, over all organizations; in an order in which locks may be taken."""
    return Member.everywhere.filter(user=user).select_related("organization").order_by("organization")


def may_sign_in(user: User) -> bool:
    """Return whether signing in leads anywhere: for operators, for members, and for who is invited to become one."""
    if not user.is_active:
        return False
    invited = Invitation.everywhere.filter(
        email=user.email, status=Invitation.Status.PENDING, expires_at__gt=clock.now()
    )
    return user.is_superuser or places_of(user).exists() or invited.exists()


def note(user: User, action: str, address: str | None, *, actor: Actor | None = None, **after: Any) -> None:
    """Record in each organization of the person what became of their account; never with a secret."""
    for place in places_of(user):
        by = actor or Actor("member", place.pk, user.email, address)
        record(place.organization_id, by, action, place.pk, after=after or None)


# --- Passwords --------------------------------------------------------------------------------------------------------


def change_password(user: User, password: str, *, address: str | None, session_key: str | None) -> None:
    """Give the person another password; all their sessions end but this one."""
    with transaction.atomic():
        _set_password(user, password)
        end_sessions(user, but=session_key)
        note(user, "member.password_changed", address)


def reset_password(user: User, password: str, *, address: str | None) -> None:
    """Give the person who followed a link a password; all their sessions end. A second factor stays."""
    with transaction.atomic():
        _set_password(user, password)
        end_sessions(user)
        note(user, "member.password_reset", address)


def _set_password(user: User, password: str) -> None:
    user.set_password(password)
    user.save(update_fields=["password"])


def ask_for_reset(email: str) -> None:
    """Have a link mailed to the person with this address, if there is one; the caller cannot tell.

    The link is made when it is mailed: what waits in the queue names a person and opens nothing. Whether that person
    may sign in is asked then too, so that one address takes as long as another.
    """
    user = User.objects.filter(email=email.strip().lower()).only("pk").first()
    app.configure_task(RESET).defer(user_id=user.pk if user else NOBODY)


def reset_link(user: User) -> str:
    """Return the link behind which the person chooses a password: good once, for PASSWORD_RESET_TIMEOUT seconds.

    It begins with AGENTPOST_PUBLIC_URL, whatever host a request names.
    """
    given = {"uidb64": urlsafe_base64_encode(force_bytes(user.pk)), "token": default_token_generator.make_token(user)}
    return f"{settings.AGENTPOST_PUBLIC_URL}{reverse('account_reset_password_from_key', kwargs=given)}"


# --- Sessions ---------------------------------------------------------------------------------------------------------


def sessions_of(user: User) -> QuerySet[UserSession]:
    """Return the sessions in which the person is signed in now, the one used last first."""
    alive = Session.objects.filter(expire_date__gt=clock.now()).values("session_key")
    used_since = clock.now() - settings.SESSION_IDLE
    rows = UserSession.objects.filter(user=user, last_seen_at__gt=used_since, session_key__in=alive)
    ordered: QuerySet[UserSession] = rows.order_by("-last_seen_at", "-pk")
    return ordered


def end_session(user: User, session_id: int, *, address: str | None) -> bool:
    """End one of the person's own sessions, at once; return whether there was such a one."""
    with transaction.atomic():
        found = UserSession.objects.filter(user=user, pk=session_id).first()
        if found is None:
            return False
        _end([found])
        note(user, "member.session_ended", address)
    return True


def end_other_sessions(user: User, session_key: str | None, *, address: str | None) -> int:
    """End all of the person's sessions but this one, at once; return how many."""
    with transaction.atomic():
        ended = end_sessions(user, but=session_key)
        if ended:
            note(user, "member.sessions_ended", address, sessions=ended)
    return ended


def rename_session(before: str | None, after: str | None) -> None:
    """Follow a session that got another key; what was kept of it stays its own."""
    UserSession.objects.filter(session_key=before).update(session_key=after)


def end_sessions(user: User, *, but: str | None = None) -> int:
    """End the person's sessions, all or all but one, and return how many."""
    return _end(list(UserSession.objects.filter(user=user).exclude(session_key=but or "")))


def _end(sessions: list[UserSession]) -> int:
    Session.objects.filter(session_key__in=[session.session_key for session in sessions]).delete()
    UserSession.objects.filter(pk__in=[session.pk for session in sessions]).delete()
    return len(sessions)


def forget_ended_sessions() -> int:
    """Delete the sessions that have run out, and what was kept about them; return how many."""
    Session.objects.filter(expire_date__lte=clock.now()).delete()
    kept = Session.objects.values("session_key")
    idle = UserSession.objects.filter(last_seen_at__lte=clock.now() - settings.SESSION_IDLE)
    Session.objects.filter(session_key__in=list(idle.values_list("session_key", flat=True))).delete()
    deleted, _ = UserSession.objects.exclude(session_key__in=kept).delete()
    return int(deleted)


# --- Guessing ---------------------------------------------------------------------------------------------------------


def note_lockout(email: str, address: str | None) -> None:
    """Record that somebody guessed this person's password too often from one address."""
    user = User.objects.filter(email=email).first()
    if user is not None:
        note(user, "member.locked_out", None, actor=Actor(SYSTEM.kind, name=SYSTEM.name, address=address))
