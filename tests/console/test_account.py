"""A person's own account: signing in with a second factor, passwords, sessions; and what guessing meets."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from axes.models import AccessLog
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from environments import clock
from environments.callers import SYSTEM
from environments.models import AuditEntry, User
from environments.services.accounts import reset_link
from environments.services.members import add_member
from environments.services.second_factors import TooManyGuesses, WrongCode, enrol, prove, recovery_codes_left
from environments.tasks import forget_sessions, forget_sign_ins, mail_password_reset
from tests.console.factors import SECRET, code_at, with_factor
from tests.console.house import House
from tests.console.pages import ANEW
from tests.mail.sink import running_sink

PASSWORD = "correct horse battery staple"
OTHER = "a quite different passphrase"
SIGN_IN, STEP = "/console/login/", "/console/account/second-factor/sign-in/"
ACCOUNT, SESSIONS = "/console/account/", "/console/account/sessions/"
ENROL, PROVE = "/console/account/second-factor/", "/console/account/second-factor/prove/"
RESET = "/console/account/password/reset/"
PAGES = [
    ACCOUNT, SESSIONS, ENROL, PROVE, "/console/password_change/", "/console/account/identity/",
    "/console/account/second-factor/codes/", "/console/account/second-factor/off/",
]  # fmt: skip


@pytest.fixture
def owner(acme: House) -> User:
    user = acme.people["owner"]
    user.set_password(PASSWORD)
    user.save()
    return user


def sign_in(user: User, client: Client | None = None, password: str = PASSWORD, **more: Any) -> Client:
    client = client or Client()
    client.post(SIGN_IN, {"username": user.email, "password": password, **more})
    return client


def is_in(client: Client) -> bool:
    return client.get("/console/").status_code == 200


def actions(house: House) -> list[str]:
    rows = AuditEntry.objects.in_organization(house.organization).order_by("sequence")
    return list(rows.values_list("action", flat=True))


def told(response: HttpResponse, *leave_out: str) -> tuple[int, bytes]:
    body = ANEW.sub(b"", response.content)
    for text in leave_out:
        body = body.replace(text.encode(), b"")
    return response.status_code, body


@pytest.mark.parametrize(("days", "left"), [(89, 1), (91, 0)])
def test_who_signed_in_is_remembered_for_ninety_days(owner: User, days: int, left: int) -> None:
    with time_machine.travel(clock.now() - timedelta(days=days)):
        sign_in(owner)
    assert AccessLog.objects.count() == 1
    assert (forget_sign_ins(0), AccessLog.objects.count()) == (1 - left, left)


# --- Signing in -------------------------------------------------------------------------------------------------------


def test_who_has_a_second_factor_is_in_only_after_it(owner: User) -> None:
    with_factor(owner)
    client = Client()
    response = client.post(SIGN_IN, {"username": owner.email, "password": PASSWORD})
    assert response["Location"] == STEP
    assert not is_in(client)
    assert "not right" in client.post(STEP, {"code": "000000"}).content.decode()
    assert client.post(STEP, {"code": code_at()})["Location"] == "/console/"
    assert is_in(client)


def test_the_second_step_is_nothing_without_the_first(owner: User, client: Client) -> None:
    with_factor(owner)
    assert client.post(STEP, {"code": code_at()})["Location"] == SIGN_IN
    assert not is_in(client)


def test_signing_in_changes_the_session_and_what_was_planted_signs_nobody_in(owner: User) -> None:
    client = Client()
    client.get(RESET)
    session = client.session
    session["planted"] = "yes"
    session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    sign_in(owner, client)
    assert client.session.session_key != session.session_key
    assert not Session.objects.filter(pk=session.session_key).exists()


@pytest.mark.parametrize(
    "wanted",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "http://localhost/", "javascript:alert(1)"],
)
def test_no_other_site_is_led_to(wanted: str, owner: User) -> None:
    client = Client()
    response = client.post(f"{SIGN_IN}?next={wanted}", {"username": owner.email, "password": PASSWORD, "next": wanted})
    assert response["Location"] == "/console/"
    assert client.get(f"{SIGN_IN}?next={wanted}")["Location"] == "/console/"
    for where in (PROVE, ENROL):
        assert wanted not in client.get(where, {"next": wanted}, follow=True).content.decode()


def test_signing_in_leads_to_where_one_wanted_to_go(owner: User) -> None:
    where = f"{SIGN_IN}?next={SESSIONS}"
    assert Client().post(where, {"username": owner.email, "password": PASSWORD})["Location"] == SESSIONS
    with_factor(owner)
    client = Client()
    client.post(where, {"username": owner.email, "password": PASSWORD})
    assert client.post(STEP, {"code": code_at()})["Location"] == SESSIONS


def test_forms_need_their_token(owner: User) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post(SIGN_IN, {"username": owner.email, "password": PASSWORD}).status_code == 403
    client.force_login(owner)
    assert {client.post(where, {}).status_code for where in [*PAGES, "/console/logout/"] if where != ACCOUNT} == {403}


def test_a_link_signs_nobody_out(owner: User) -> None:
    client = sign_in(owner)
    client.get("/console/logout/")
    assert is_in(client)
    client.post("/console/logout/")
    assert not is_in(client)


@pytest.mark.parametrize("where", PAGES)
def test_an_account_is_for_whoever_is_signed_in(where: str, client: Client, db: None) -> None:
    assert client.get(where)["Location"].startswith(f"{SIGN_IN}?next=")


# --- Codes ------------------------------------------------------------------------------------------------------------


def test_a_code_is_good_once(owner: User) -> None:
    with_factor(owner)
    code = code_at()
    assert prove(owner, code)
    with pytest.raises(WrongCode):
        prove(owner, code)
    with time_machine.travel(clock.now() + timedelta(seconds=31), tick=False):
        with pytest.raises(WrongCode):
            prove(owner, code)
        assert prove(owner, code_at())


def test_a_code_of_long_ago_or_to_come_is_none(owner: User) -> None:
    with_factor(owner)
    for minutes in (-2, 2):
        with pytest.raises(WrongCode):
            prove(owner, code_at(clock.now() + timedelta(minutes=minutes)))


def test_the_code_that_set_it_up_does_not_sign_in_too(owner: User) -> None:
    code = code_at()
    enrol(owner, SECRET, code)
    with pytest.raises(WrongCode):
        prove(owner, code)


def test_a_recovery_code_is_good_once(owner: User) -> None:
    _, codes = enrol(owner, SECRET, code_at())
    assert prove(owner, f"{codes[0][:5]} {codes[0][5:]}")
    with pytest.raises(WrongCode):
        prove(owner, codes[0])
    assert (len(codes), recovery_codes_left(owner)) == (10, 9)


def test_ten_wrong_codes_close_the_account_for_a_while_wherever_they_come_from(owner: User) -> None:
    with_factor(owner)
    for _ in range(10):
        with pytest.raises(WrongCode):
            prove(owner, "nonsense")
    with pytest.raises(TooManyGuesses):
        prove(owner, code_at())
    with time_machine.travel(clock.now() + timedelta(minutes=16), tick=False):
        assert prove(owner, code_at())


def test_wrong_codes_count_for_who_is_signed_in_too(owner: User) -> None:
    client = sign_in(owner)
    with_factor(owner)
    for _ in range(10):
        assert "not right" in client.post(PROVE, {"code": "nonsense"}).content.decode()
    assert "Too many wrong codes" in client.post(PROVE, {"code": code_at()}).content.decode()


def confirmed(client: Client) -> Client:
    """Return the client whose person has just given the password once more."""
    client.post("/console/account/identity/", {"current": PASSWORD})
    return client


def test_secrets_lie_sealed(owner: User) -> None:
    client = confirmed(sign_in(owner))
    secret = client.get(ENROL).context["secret"]
    assert secret not in str(dict(client.session))
    client.post(ENROL, {"code": code_at(secret=secret)})
    stored = str(list(Authenticator.objects.filter(user=owner).values_list("data", flat=True)))
    assert secret not in stored
    assert Authenticator.objects.filter(user=owner).count() == 2


# --- Setting a second factor up, and taking it away -------------------------------------------------------------------


def test_a_second_factor_is_set_up_and_its_recovery_codes_are_shown_once(owner: User, acme: House) -> None:
    client = confirmed(sign_in(owner))
    secret = client.get(ENROL, {"next": SESSIONS}).context["secret"]
    assert client.get(ENROL).context["secret"] == secret
    assert "not right" in client.post(ENROL, {"code": "000000"}).content.decode()
    response = client.post(ENROL, {"code": code_at(secret=secret), "next": SESSIONS})
    codes = response.context["codes"]
    assert len(codes) == 10
    assert f'href="{SESSIONS}"' in response.content.decode()
    assert not any(codes[0] in client.get(where).content.decode() for where in (ACCOUNT, SESSIONS))
    assert client.get(ENROL)["Location"] == ACCOUNT
    assert actions(acme)[-1] == "member.second_factor_enrolled"


def test_who_sets_one_up_gives_the_password_again_first(owner: User) -> None:
    client = sign_in(owner)  # a moment ago, which whoever took the session since did not do
    led = client.get(ENROL)["Location"]
    assert led.startswith("/console/account/identity/?next=")
    assert client.post(ENROL, {"code": "000000"})["Location"].startswith("/console/account/identity/")
    assert "not your password" in client.post(led, {"current": "wrong"}).content.decode()
    assert client.post(led, {"current": PASSWORD})["Location"] == ENROL
    assert client.get(ENROL).status_code == 200
    with time_machine.travel(clock.now() + timedelta(minutes=16), tick=False):
        assert client.get(ENROL)["Location"].startswith("/console/account/identity/")


@pytest.mark.parametrize("what", ["off", "codes"])
def test_it_is_taken_away_or_renewed_only_by_who_proves_it(what: str, owner: User, acme: House) -> None:
    client, where = sign_in(owner), f"/console/account/second-factor/{what}/"
    with_factor(owner)
    led = client.post(where)["Location"]
    assert led == f"{PROVE}?next={where.replace('/', '%2F')}"
    assert Authenticator.objects.filter(user=owner, type="totp").exists()
    client.post(led, {"code": code_at()})
    client.post(where)
    assert Authenticator.objects.filter(user=owner, type="totp").exists() == (what == "codes")
    wanted = {"off": "member.second_factor_removed", "codes": "member.recovery_codes_made"}[what]
    assert actions(acme)[-1] == wanted


# --- Passwords --------------------------------------------------------------------------------------------------------


def test_changing_the_password_ends_the_other_sessions(owner: User, acme: House) -> None:
    here, there = sign_in(owner), sign_in(owner)
    assert is_in(there)
    given = {"current": PASSWORD, "password": OTHER, "again": OTHER}
    assert here.post("/console/password_change/", {**given, "current": "wrong"}).status_code == 200
    assert here.post("/console/password_change/", given)["Location"] == ACCOUNT
    assert (is_in(here), is_in(there)) == (True, False)
    assert len(here.get(SESSIONS).context["sessions"]) == 1
    assert actions(acme)[-1] == "member.password_changed"


def test_asking_for_a_reset_tells_nothing(owner: User, acme: House) -> None:
    unplaced = User.objects.create_user("unplaced@acme.example", PASSWORD)
    asked = (owner.email, "nobody@acme.example", "unplaced@acme.example")
    answers = [told(Client(REMOTE_ADDR=f"192.0.2.{n}").post(RESET, {"email": email})) for n, email in enumerate(asked)]
    assert len(set(answers)) == 1
    jobs = ProcrastinateJob.objects.filter(task_name="environments.tasks.mail_password_reset").order_by("pk")
    assert [job.args for job in jobs] == [{"user_id": owner.pk}, {"user_id": 0}, {"user_id": unplaced.pk}]
    assert not mail_password_reset(unplaced.pk)


def test_the_link_is_made_when_it_is_mailed_and_begins_with_the_public_url(owner: User, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    Client().post(RESET, {"email": owner.email.upper()}, headers={"host": "evil.example"})
    with running_sink() as sink:
        settings.AGENTPOST_RELAY_URL = sink.url
        assert mail_password_reset(owner.pk)
        assert not mail_password_reset(0)
        [mail] = sink.taken
    assert mail.recipients == [owner.email]
    assert b"evil.example" not in mail.raw
    assert settings.AGENTPOST_PUBLIC_URL.encode() in mail.raw


def test_without_a_relay_the_log_says_what_to_do_and_no_secret(
    owner: User, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.AGENTPOST_RELAY_URL = ""
    assert not mail_password_reset(owner.pk)
    [line] = caplog.messages
    assert "manage.py reset_password" in line
    assert (owner.email in line, "/reset/" in line) == (False, False)


def test_no_link_goes_to_an_inbox_that_an_agent_reads(acme: House, settings: Any) -> None:
    from environments.binding import inside
    from inboxes.models import Domain

    with inside(acme.production):
        Domain.objects.in_environment(acme.production).update(status="verified")
    emails = ("support@acme-production.example", "me@m.agentpost.localhost", '"me"@m.agentpost.localhost')
    readers = [User.objects.create_superuser(email, PASSWORD) for email in emails]
    owner, _ = add_member(acme.organization, "agent@acme-development.example", "admin", actor=SYSTEM)
    with running_sink() as sink:
        settings.AGENTPOST_RELAY_URL = sink.url
        assert not any(mail_password_reset(reader.pk) for reader in [*readers, owner.user])
        assert sink.taken == []


def test_a_link_sets_a_password_once_and_ends_all_sessions(owner: User, acme: House) -> None:
    elsewhere, client = sign_in(owner), Client()
    owner.refresh_from_db()
    link = urlsplit(reset_link(owner)).path
    led = client.get(link)["Location"]
    assert link.rpartition("/")[0].rpartition("/")[2] not in led
    assert "differ" in client.post(led, {"password": OTHER, "again": "x"}).content.decode()
    assert client.post(led, {"password": OTHER, "again": OTHER})["Location"] == SIGN_IN
    assert (is_in(elsewhere), is_in(client)) == (False, False)
    assert is_in(sign_in(owner, password=OTHER))
    assert "not valid" in Client().get(link).content.decode()
    assert "member.password_reset" in actions(acme)


def test_a_reset_leaves_the_second_factor(owner: User) -> None:
    with_factor(owner)
    client = Client()
    led = client.get(urlsplit(reset_link(owner)).path)["Location"]
    client.post(led, {"password": OTHER, "again": OTHER})
    assert client.post(SIGN_IN, {"username": owner.email, "password": OTHER})["Location"] == STEP


@pytest.mark.parametrize("case", ["late", "of another", "nonsense", "no number", "session of none"])
def test_any_other_link_is_not_valid(case: str, owner: User, acme: House) -> None:
    link = urlsplit(reset_link(owner)).path
    uid, token = link.strip("/").split("/")[-2:]
    other = urlsplit(reset_link(acme.people["admin"])).path.strip("/").split("/")[-2]
    asked = {
        "late": link,
        "of another": link.replace(f"/{uid}/", f"/{other}/"),
        "nonsense": link.replace(token, "nonsense"),
        "no number": link.replace(f"/{uid}/", "/eHh4/"),
        "session of none": link.replace(token, "set"),
    }[case]
    moment = clock.now() + timedelta(hours=5 if case == "late" else 0)
    with time_machine.travel(moment, tick=False):
        assert "not valid" in Client().get(asked).content.decode()


def test_asking_is_slowed_down_in_the_database(owner: User) -> None:
    statuses = [Client().post(RESET, {"email": owner.email}).status_code for _ in range(11)]
    assert (statuses[0], statuses[-1]) == (302, 429)
    assert ProcrastinateJob.objects.filter(task_name="environments.tasks.mail_password_reset").count() <= 10


# --- Guessing ---------------------------------------------------------------------------------------------------------


def test_a_lock_is_told_in_the_same_words_for_everybody_and_recorded(owner: User, acme: House) -> None:
    def locked(email: str) -> tuple[int, bytes]:
        client = Client()
        for _ in range(10):
            client.post(SIGN_IN, {"username": email, "password": "wrong"})
        return told(client.post(SIGN_IN, {"username": email, "password": PASSWORD}), email)

    assert locked(owner.email) == locked("nobody@acme.example")
    assert actions(acme).count("member.locked_out") == 1
    assert "too many attempts" in locked(owner.email)[1].decode()


def test_guessing_while_signed_in_as_somebody_else_counts(owner: User, acme: House) -> None:
    neighbour = Client()
    neighbour.force_login(acme.people["stranger"])
    for _ in range(10):
        neighbour.post(SIGN_IN, {"username": owner.email, "password": "wrong"})
    assert neighbour.post(SIGN_IN, {"username": owner.email, "password": PASSWORD}).status_code == 429


def test_wrong_passwords_count_on_every_page_that_asks_for_one(owner: User) -> None:
    client = sign_in(owner)
    for _ in range(10):
        client.post("/console/password_change/", {"current": "wrong", "password": OTHER, "again": OTHER})
    response = client.post("/console/account/identity/", {"current": PASSWORD})
    assert response.status_code == 429
    assert "<title>" in response.content.decode()


def test_what_counts_guesses_is_a_table_and_no_memory_of_a_process(owner: User) -> None:
    for _ in range(10):
        Client().post(SIGN_IN, {"username": owner.email, "password": "wrong"})
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM axes_accessattempt")
    assert is_in(sign_in(owner))


def test_what_was_typed_as_a_secret_is_not_kept(owner: User) -> None:
    client = sign_in(owner)
    given = {"current": "wrong-secret", "password": OTHER, "again": OTHER}
    client.post("/console/password_change/", given)
    with connection.cursor() as cursor:
        cursor.execute("SELECT post_data FROM axes_accessattempt")
        [(kept,)] = cursor.fetchall()
    assert not any(text.replace(" ", "+") in kept or text in kept for text in ("wrong-secret", OTHER))


# --- Sessions ---------------------------------------------------------------------------------------------------------

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def test_sessions_say_where_and_with_what_one_is_signed_in_and_end_at_once(owner: User, acme: House) -> None:
    here = sign_in(owner)
    there = sign_in(owner, Client(HTTP_USER_AGENT=FIREFOX, REMOTE_ADDR="192.0.2.7"))
    page = here.get(SESSIONS)
    assert "Firefox on Linux" in page.content.decode()
    assert "192.0.2.7" in page.content.decode()
    [other] = [row for row, _, is_this in page.context["sessions"] if not is_this]
    here.post(SESSIONS, {"session": other.pk})
    assert (is_in(here), is_in(there)) == (True, False)
    assert actions(acme)[-1] == "member.session_ended"


def test_all_others_end_together(owner: User) -> None:
    clients = [sign_in(owner) for _ in range(3)]
    clients[0].post(SESSIONS, {"session": "others"})
    assert [is_in(client) for client in clients] == [True, False, False]


@pytest.mark.parametrize("which", ["theirs", "-1", "nonsense", "99999999999999999999", "²", ""])
def test_nobody_ends_the_session_of_somebody_else(which: str, owner: User, acme: House, globex: House) -> None:
    stranger = globex.people["owner"]
    stranger.set_password(PASSWORD)
    stranger.save()
    theirs = sign_in(stranger)
    [(row, *_)] = theirs.get(SESSIONS).context["sessions"]
    client = sign_in(owner)
    response = client.post(SESSIONS, {"session": row.pk if which == "theirs" else which}, follow=True)
    assert "There is no such session" in response.content.decode()
    assert is_in(theirs)


@pytest.mark.parametrize(("after", "stays"), [(timedelta(hours=11), True), (timedelta(hours=13), False)])
def test_an_unused_session_runs_out(after: timedelta, stays: bool, owner: User) -> None:
    client = sign_in(owner)
    assert is_in(client)
    with time_machine.travel(clock.now() + after, tick=False):
        assert is_in(client) == stays


def test_a_session_ends_after_two_weeks_however_much_it_is_used(owner: User) -> None:
    client, start = sign_in(owner), clock.now()
    for hours in range(0, 14 * 24, 10):
        with time_machine.travel(start + timedelta(hours=hours), tick=False):
            assert is_in(client)
    with time_machine.travel(start + timedelta(days=14, minutes=1), tick=False):
        assert not is_in(client)


def test_the_browser_forgets_the_session_when_it_closes(owner: User) -> None:
    cookie = sign_in(owner).cookies[settings.SESSION_COOKIE_NAME]
    assert (cookie["max-age"], cookie["expires"], cookie["httponly"]) == ("", "", True)


def test_what_ran_out_is_forgotten(owner: User) -> None:
    sign_in(owner).get(ACCOUNT)
    with time_machine.travel(clock.now() + timedelta(days=1), tick=False):
        client = sign_in(owner)
        assert forget_sessions(0) == 1
        assert is_in(client)


# --- The pages --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["owner", "admin", "environment_admin", "environment_member", "operator", "stranger"])
def test_everybody_sees_their_own_account_and_nothing_of_others(role: str, acme: House) -> None:
    client = Client()
    client.force_login(acme.people[role])
    shown = client.get(ACCOUNT).content.decode()
    assert acme.people[role].email in shown
    others = [user.email for name, user in acme.people.items() if name != role]
    assert not any(email in shown + client.get(SESSIONS).content.decode() for email in others)


@pytest.mark.parametrize("where", [ACCOUNT, SESSIONS])
def test_pages_take_as_many_queries_for_many_sessions_as_for_one(
    where: str, owner: User, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    client = sign_in(owner)
    client.get(where)
    with django_assert_max_num_queries(15) as few:
        client.get(where)
        number = len(few)
    for _ in range(19):
        sign_in(owner)
    with django_assert_max_num_queries(number):
        client.get(where)


def test_nothing_of_allauth_is_a_page_of_the_console(db: None) -> None:
    from environments.console.site import site

    apps = {model._meta.app_label for model in site._registry}
    assert not apps & {"account", "mfa", "usersessions", "axes"}
    assert not re.search(r"signup|email/", " ".join(str(url.pattern) for url in site.get_urls()))
