"""Domains: their records, what DNS says of them, the keys that sign, and what is lost again. DNS is a real server."""

from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import dns.zone
import orjson
import pytest
import time_machine
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from environments import clock
from environments.binding import inside
from environments.callers import SYSTEM
from environments.encryption import CannotOpen, unseal
from environments.models import AuditEntry, Environment
from inboxes.models import Domain, SigningKey
from inboxes.services import domains, signing_keys, verification
from inboxes.services.domains import trust
from inboxes.tasks import recheck_domain, recheck_domains
from mail.authentication import Resolver, authenticate
from mail.services.signing import keys_for
from mail.signing import sign
from tests.names import Names
from tests.world import Api, World, error_of
from webhooks.models import Event

SHARED, HOST = settings.AGENTPOST_SHARED_DOMAIN, settings.AGENTPOST_MAIL_HOST
DEV = {"AgentPost-Environment": "development"}
MAIL = b"From: a@acme.example\r\nTo: b@example.com\r\nSubject: Hi\r\n\r\nHi\r\n"


@pytest.fixture
def domain(api: Api) -> dict[str, Any]:
    answer = api.post("/domains", {"domain": "acme.example"}, **DEV)
    assert answer.status_code == 201, answer.content
    made: dict[str, Any] = answer.json()
    return made


def publish(dns: Names, domain: dict[str, Any], *purposes: str, **options: Any) -> None:
    """Put the domain's records into DNS, all of them or those of some purposes."""
    for record in domain["records"]:
        if not purposes or record["purpose"] in purposes:
            value = record["value"]
            given = (int(value.split()[0]), value.split()[1]) if record["type"] == "MX" else value.encode()
            dns.put(record["name"], record["type"], given)


def verified(api: Api, domain: dict[str, Any], later: float = 0) -> dict[str, Any]:
    with time_machine.travel(clock.now() + timedelta(seconds=later), tick=True):
        answer = api.post(f"/domains/{domain['id']}/verify")
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def record_of(domain: dict[str, Any], purpose: str) -> dict[str, Any]:
    found: dict[str, Any] = next(record for record in domain["records"] if record["purpose"] == purpose)
    return found


def told(world: World, kind: str) -> list[dict[str, Any]]:
    return [event.data for event in world.rows(Event) if event.type == kind]


def keys(world: World, *states: str) -> list[SigningKey]:
    return [key for key in world.rows(SigningKey) if key.state in (states or ("pending", "active", "retiring"))]


def test_a_new_domain_tells_every_record_to_publish(domain: dict[str, Any]) -> None:
    shown = {(one["purpose"], one["type"], one["name"]): one["value"] for one in domain["records"]}
    selectors = [record["selector"] for record in domain["records"] if record["purpose"] == "dkim"]
    assert [selector.rpartition("-")[2] for selector in selectors] == ["rsa", "ed25519"]
    assert list(shown) == [
        ("ownership", "TXT", "_agentpost.acme.example"),
        ("receiving", "MX", "acme.example"),
        ("spf", "TXT", "acme.example"),
        *(("dkim", "TXT", f"{selector}._domainkey.acme.example") for selector in selectors),
        ("dmarc", "TXT", "_dmarc.acme.example"),
        ("return_path_mx", "MX", "bounces.acme.example"),
        ("return_path_spf", "TXT", "bounces.acme.example"),
    ]
    assert shown["receiving", "MX", "acme.example"] == f"10 {HOST}."
    assert shown["spf", "TXT", "acme.example"] == f"v=spf1 a:{HOST} ~all"
    assert shown["return_path_spf", "TXT", "bounces.acme.example"] == f"v=spf1 a:{HOST} -all"
    assert {record["status"] for record in domain["records"]} == {"pending"}
    assert [record["purpose"] for record in domain["records"] if record["required"]] == ["ownership", "dkim"]


def test_all_records_in_dns_verify_the_domain_and_its_keys_sign(
    acme: World, api: Api, dns: Names, domain: dict[str, Any]
) -> None:
    publish(dns, domain)
    found = verified(api, domain)
    assert (found["status"], {record["status"] for record in found["records"]}) == ("verified", {"verified"})
    assert {record["key_state"] for record in found["records"] if record["purpose"] == "dkim"} == {"active"}
    assert told(acme, "domain.verified") == [{"domain_id": domain["id"], "domain": "acme.example"}]
    with inside(acme.development):
        assert signing_keys.has_return_path(acme.development, "acme.example")
        signed = sign(MAIL, keys_for(acme.development, "acme.example"))
    facts = {"peer": "192.0.2.1", "helo": "x", "envelope_sender": "a@acme.example"}
    verdicts = authenticate(signed, resolver=Resolver(settings.AGENTPOST_DNS_SERVERS), **facts).signatures
    assert [verdict.result for verdict in verdicts] == ["pass", "pass"]


def test_ownership_and_the_rsa_key_are_enough(acme: World, api: Api, dns: Names, domain: dict[str, Any]) -> None:
    publish(dns, domain, "ownership")
    assert verified(api, domain)["status"] == "pending"
    rsa = record_of(domain, "dkim")
    dns.put(rsa["name"], "TXT", rsa["value"].encode())
    found = verified(api, domain, later=10)
    assert found["status"] == "verified"
    assert record_of(found, "receiving")["status"] == "pending"
    with inside(acme.development):
        assert not signing_keys.has_return_path(acme.development, "acme.example")
        assert [key.algorithm for key in keys_for(acme.development, "acme.example")] == ["rsa-sha256"]


def txt(*values: str) -> tuple[str, tuple[bytes, ...]]:
    return "TXT", tuple(value.encode() for value in values)


def mx(*values: tuple[int, str]) -> tuple[str, tuple[tuple[int, str], ...]]:
    return "MX", values


GOOD_SPF = f"v=spf1 a:{HOST} ~all"
WRONG = [  # purpose, where, what is published there, status, what the reason says
    (
        "ownership",
        "_agentpost.acme.example",
        txt("agentpost-verification=other"),
        "failed",
        "of another claim",
    ),
    ("ownership", "_agentpost.acme.example", txt("hello"), "failed", "not this one"),
    ("ownership", "_agentpost.acme.example", txt('"{value}"'), "failed", "quotation marks"),
    ("ownership", "_agentpost.acme.example.acme.example", txt("{value}"), "failed", "appends the domain"),
    ("ownership", "_agentpost.acme.example", txt("hello", "{value}"), "verified", ""),
    ("receiving", "acme.example", mx((1, "aspmx.l.google.com")), "failed", "points to aspmx.l.google.com, not to"),
    ("receiving", "acme.example", mx((1, "mail.google.com"), (10, HOST)), "failed", "mail.google.com comes first"),
    ("receiving", "acme.example", mx((10, "mx.other.example"), (10, HOST)), "failed", "with the same number"),
    ("receiving", "acme.example", mx((10, f"{HOST}.acme.example")), "failed", "End the value with a dot"),
    ("receiving", "acme.example", mx((0, ".")), "failed", "a null MX"),
    ("receiving", "acme.example", mx((10, HOST), (20, "backup.example")), "verified", ""),
    ("spf", "acme.example", txt("v=spf1 -all", GOOD_SPF), "failed", "Found 2 SPF records"),
    ("spf", "acme.example", txt("v=spf1 include:x.example -all"), "failed", f"add a:{HOST}"),
    ("spf", "acme.example", txt(f"v=spf1 -all a:{HOST}"), "failed", "stands after all"),
    ("spf", "acme.example", txt(f"v=spf1 {'include:x.example ' * 10}a:{HOST} -all"), "failed", "11 DNS look-ups"),
    ("spf", "acme.example", txt("google-site-verification=1"), "pending", "no SPF (TXT) record"),
    ("spf", "acme.example", txt("google-site-verification=1", f"V=SPF1 +a:{HOST} ?all"), "verified", ""),
    ("dkim", "{name}", txt("{value}", "{value}x"), "failed", "has 2 TXT records"),
    ("dkim", "{name}", txt("v=DKIM1; k=rsa; p="), "failed", "revoked"),
    ("dkim", "{name}", txt("v=DKIM1; k=rsa; p=AAAA"), "failed", "Another key"),
    ("dkim", "{name}", txt("{value:.240}"), "failed", "cut off after"),
    ("dkim", "{name}", txt("{value}; t=y"), "failed", "test mode"),
    ("dkim", "{name}", txt("k=ed25519; {value}"), "verified", ""),
    ("dkim", "{name}.acme.example", txt("{value}"), "failed", "appends the domain"),
    ("dmarc", "_dmarc.acme.example", txt("v=DMARC1; p=none", "v=DMARC1; p=reject"), "failed", "two DMARC records"),
    ("dmarc", "_dmarc.acme.example", txt("v=DMARC1; rua=mailto:a@b.example"), "failed", "no policy"),
    ("dmarc", "_dmarc.acme.example", txt("v=DMARC1;p=reject"), "verified", ""),
    ("return_path_mx", "bounces.acme.example", mx((1, "feedback.ses.example")), "failed", "points to feedback"),
    ("return_path_spf", "bounces.acme.example", txt("v=spf1 include:ses.example ~all"), "failed", "does not name"),
]


@pytest.mark.parametrize(("purpose", "where", "published", "status", "reason"), WRONG)
def test_each_record_tells_what_is_wrong_with_it(
    api: Api,
    dns: Names,
    domain: dict[str, Any],
    purpose: str,
    where: str,
    published: tuple[str, tuple[Any, ...]],
    status: str,
    reason: str,
) -> None:
    wanted = record_of(domain, purpose)
    kind, values = published
    filled = [value.decode().format(**wanted).encode() if isinstance(value, bytes) else value for value in values]
    dns.put(where.format(**wanted), kind, *filled)
    found = record_of(verified(api, domain), purpose)
    assert (found["status"], reason in (found["reason"] or "")) == (status, True), found
    assert bool(found["found"]) == (status != "pending")


def test_an_spf_record_that_exists_is_shown_with_this_server_in_it(
    api: Api, dns: Names, domain: dict[str, Any]
) -> None:
    dns.put("acme.example", "TXT", b"v=spf1 include:_spf.google.com ip4:192.0.2.1 -all")
    found = record_of(verified(api, domain), "spf")
    assert found["value"] == f"v=spf1 include:_spf.google.com ip4:192.0.2.1 a:{HOST} -all"
    dns.put("acme.example", "TXT", found["value"].encode())
    again = record_of(verified(api, domain, later=10), "spf")
    assert (again["status"], again["reason"]) == ("verified", None)


def test_a_policy_of_the_domain_above_counts(api: Api, dns: Names) -> None:
    below = api.post("/domains", {"domain": "mail.acme.example"}, **DEV).json()
    dns.put("_dmarc.acme.example", "TXT", b"v=DMARC1; p=reject")
    found = record_of(verified(api, below), "dmarc")
    assert (found["status"], "holds for it too" in found["reason"]) == ("verified", True)


def test_a_check_comes_at_most_every_few_seconds(api: Api, domain: dict[str, Any]) -> None:
    verified(api, domain)
    answer = api.post(f"/domains/{domain['id']}/verify")
    assert (answer.status_code, error_of(answer)["code"], int(answer["Retry-After"]) <= 5) == (
        429,
        "rate_limited",
        True,
    )
    verified(api, domain, later=6)


def test_dns_is_asked_outside_of_every_transaction(
    api: Api, domain: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    depths = []
    real = __import__("inboxes.services.verification", fromlist=["ask"])
    ask = real.ask
    monkeypatch.setattr(real, "ask", lambda check: depths.append(len(connection.savepoint_ids)) or ask(check))
    before = len(connection.savepoint_ids)
    verified(api, domain)
    assert depths == [before]


def test_dns_that_does_not_answer_changes_nothing(
    acme: World, api: Api, dns: Names, domain: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(dns, domain)
    verified(api, domain)
    monkeypatch.setattr("inboxes.records.asking.SECONDS", 0.5)
    dns.failing |= {"_agentpost.acme.example"}
    dns.silent |= {"bounces.acme.example"}
    for hours in (1, 20, 50):
        found = verified(api, domain, later=hours * 3600)
    assert found["status"] == "verified"
    assert {record["status"] for record in found["records"]} == {"verified"}
    assert "gave no answer" in record_of(found, "ownership")["reason"]
    assert told(acme, "domain.unverified") == []


def test_a_domain_is_lost_after_several_checks_over_a_day(
    acme: World, api: Api, dns: Names, domain: dict[str, Any]
) -> None:
    publish(dns, domain)
    verified(api, domain)
    del dns.records["_agentpost.acme.example", "TXT"]
    statuses = [verified(api, domain, later=hours * 3600)["status"] for hours in (1, 2, 3, 20, 24, 26)]
    assert statuses == ["verified"] * 5 + ["pending"]
    [event] = told(acme, "domain.unverified")
    assert event["reason"].startswith("There is no TXT record at _agentpost.acme.example")
    actions = AuditEntry.objects.in_organization(acme.organization).filter(target_id=domain["id"])
    assert "domain.unverified" in actions.values_list("action", flat=True)


def test_a_record_that_comes_back_in_time_starts_the_count_anew(api: Api, dns: Names, domain: dict[str, Any]) -> None:
    publish(dns, domain)
    verified(api, domain)
    gone = dns.records.pop(("_agentpost.acme.example", "TXT"))
    for hours in (1, 2, 3):
        verified(api, domain, later=hours * 3600)
    dns.records["_agentpost.acme.example", "TXT"] = gone
    verified(api, domain, later=20 * 3600)
    del dns.records["_agentpost.acme.example", "TXT"]
    assert verified(api, domain, later=26 * 3600)["status"] == "verified"


def test_verifying_suspends_the_pending_claims_of_others_and_one_environment_holds_it(
    acme: World, globex: World, dns: Names, api: Api, domain: dict[str, Any]
) -> None:
    other = globex.api()
    theirs = other.post("/domains", {"domain": "acme.example"}, **DEV).json()
    publish(dns, domain)
    assert verified(api, domain)["status"] == "verified"
    assert other.get(f"/domains/{theirs['id']}").json()["status"] == "suspended"
    publish(dns, theirs, "dkim")
    dns.put(
        "_agentpost.acme.example", "TXT", *(record_of(one, "ownership")["value"].encode() for one in (domain, theirs))
    )
    found = verified(other, theirs)
    assert found["status"] == "suspended"
    assert "verified in another environment" in record_of(found, "ownership")["reason"]
    assert verified(api, domain, later=10)["status"] == "verified"


def test_a_domain_that_an_operator_vouched_for_is_never_lost_and_signs_once_dns_has_its_keys(
    acme: World, api: Api, dns: Names, domain: dict[str, Any]
) -> None:
    with inside(acme.development):
        trust(Domain.objects.in_environment(acme.development).get(), acme.development, actor=SYSTEM)
        assert keys_for(acme.development, "acme.example") == []
    statuses = {verified(api, domain, later=hours * 3600)["status"] for hours in (1, 2, 3, 30, 40)}
    assert statuses == {"verified"}
    publish(dns, domain, "dkim")
    verified(api, domain, later=50 * 3600)
    with inside(acme.development):
        assert len(keys_for(acme.development, "acme.example")) == 2


# --- Keys


def test_a_new_key_signs_once_dns_has_it_and_the_old_one_stays_published_for_a_week(
    acme: World, api: Api, dns: Names, domain: dict[str, Any]
) -> None:
    publish(dns, domain)
    verified(api, domain)
    old = {key.selector for key in keys(acme, "active")}
    rotated = api.post(f"/domains/{domain['id']}/rotate-keys").json()
    assert api.post(f"/domains/{domain['id']}/rotate-keys").json()["records"] == rotated["records"]
    assert {key.selector for key in keys(acme, "active")} == old
    assert len([record for record in rotated["records"] if record["purpose"] == "dkim"]) == 4
    assert verified(api, domain, later=10)["status"] == "verified"
    publish(dns, rotated)
    found = verified(api, domain, later=20)
    assert {key.selector for key in keys(acme, "retiring")} == old
    assert len(keys(acme, "active")) == 2
    assert {record["selector"] for record in found["records"] if "Leave it in DNS" in (record["reason"] or "")} == old
    with time_machine.travel(clock.now() + timedelta(days=8)):
        recheck_domains(0)
    assert {(key.selector, bytes(key.sealed_private)) for key in keys(acme, "retired")} == {(one, b"") for one in old}
    assert len(api.get(f"/domains/{domain['id']}").json()["records"]) == 8


def test_a_private_key_is_sealed_to_its_environment(acme: World, domain: dict[str, Any]) -> None:
    key = keys(acme)[0]
    assert b"\x30\x82" not in bytes(key.sealed_private)[:4]
    unseal(bytes(key.sealed_private), environment_id=acme.development.pk, purpose=SigningKey.PURPOSE)
    with pytest.raises(CannotOpen):
        unseal(bytes(key.sealed_private), environment_id=acme.production.pk, purpose=SigningKey.PURPOSE)


def test_two_environments_have_selectors_of_their_own(acme: World, globex: World, domain: dict[str, Any]) -> None:
    globex.api().post("/domains", {"domain": "acme.example"}, **DEV)
    selectors = [key.selector for world in (acme, globex) for key in keys(world)]
    assert len(set(selectors)) == 4


@pytest.fixture
def operators_key(tmp_path: Path, settings: Any) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (tmp_path / "dkim.pem").write_bytes(rsa.generate_private_key(65537, 2048).private_bytes(*form))
    settings.AGENTPOST_DKIM_KEY = str(tmp_path / "dkim.pem")


def signers(environment: Environment, name: str) -> list[tuple[str, str]]:
    with inside(environment):
        return [(key.domain, key.selector) for key in keys_for(environment, name)]


def test_mail_of_the_shared_domain_is_signed_by_the_operators_key(
    acme: World, api: Api, dns: Names, operators_key: None
) -> None:
    acme.inbox(email=f"help@dev.{SHARED}")
    ours = [(SHARED, "agentpost")]
    assert [signers(acme.development, name) for name in (SHARED, f"dev.{SHARED}", "acme.example")] == [ours, ours, []]
    [claim] = api.items("/domains", **DEV)
    publish(dns, claim)
    verified(api, claim)
    own = signers(acme.development, f"dev.{SHARED}")
    assert {name for name, _ in own} == {f"dev.{SHARED}"}
    assert signers(acme.production, f"dev.{SHARED}") == ours


def test_without_an_operators_key_the_shared_domain_is_not_signed(acme: World) -> None:
    assert signers(acme.development, SHARED) == []


# --- Zone files, the command, the chore


def test_a_zone_file_is_read_by_a_name_servers_parser(api: Api, domain: dict[str, Any]) -> None:
    answer = api.get(f"/domains/{domain['id']}/zone-file")
    assert answer["Content-Type"].startswith("text/dns")
    zone = dns.zone.from_text(answer.content.decode(), relativize=False, check_origin=False)
    read = {
        (name.to_text(omit_final_dot=True), dns.rdatatype.to_text(data.rdtype)): data
        for name, _, data in zone.iterate_rdatas()
    }
    for record in domain["records"]:
        found = read[record["name"], record["type"]]
        value = b"".join(found.strings).decode() if record["type"] == "TXT" else found.to_text()
        assert value == record["value"]


def test_the_command_prints_what_an_operator_publishes(
    acme: World, domain: dict[str, Any], operators_key: None
) -> None:
    def printed(*arguments: str) -> str:
        out = StringIO()
        call_command("dns_records", *arguments, stdout=out)
        return out.getvalue()

    shared = orjson.loads(printed("--json"))
    assert [one["name"] for one in shared["records"]] == [
        SHARED,
        f"*.{SHARED}",
        SHARED,
        f"*.{SHARED}",
        f"agentpost._domainkey.{SHARED}",
        f"_dmarc.{SHARED}",
    ]
    assert "_agentpost.acme.example." in printed("--environment=acme/development")
    with pytest.raises(CommandError):
        printed("--environment=acme/development", "--domain=nowhere.example")


def test_the_chore_checks_what_is_due(acme: World, api: Api, dns: Names, domain: dict[str, Any]) -> None:
    publish(dns, domain)
    assert (recheck_domains(0), recheck_domains(0)) == (1, 1)  # the second finds it enqueued already
    assert recheck_domain(domain["id"]) == "verified"
    assert recheck_domains(0) == 0
    with time_machine.travel(clock.now() + timedelta(hours=7)):
        assert recheck_domains(0) == 1
    api.delete(f"/domains/{domain['id']}")
    assert recheck_domain(domain["id"]) == ""


def test_a_list_asks_for_the_keys_of_all_domains_at_once(api: Api) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            api.items("/domains", **DEV)
        return len(asked)

    api.post("/domains", {"domain": "one.example"}, **DEV)
    before = queries()
    for name in ("two.example", "three.example"):
        api.post("/domains", {"domain": name}, **DEV)
    assert queries() == before


def test_two_domains_are_checked_at_a_time_by_a_process(api: Api, domain: dict[str, Any]) -> None:
    with verification.place(), verification.place():
        answer = api.post(f"/domains/{domain['id']}/verify")
        assert (answer.status_code, error_of(answer)["code"], answer["Retry-After"]) == (429, "rate_limited", "2")
        assert api.get(f"/domains/{domain['id']}").json()["checked_at"] is None
    with verification.place(), verification.place():
        pass  # both were given back


@pytest.mark.usefixtures("dns")
def test_the_domains_of_an_environment_are_checked_so_often_in_a_minute(
    api: Api, domain: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "PER_MINUTE", 1)
    other = api.post("/domains", {"domain": "other.example"}, **DEV).json()
    with time_machine.travel(clock.now().replace(second=1), tick=False):
        answers = [api.post(f"/domains/{one['id']}/verify") for one in (domain, other)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[1]["Retry-After"] == "59"


def test_an_environment_has_so_many_domains(
    acme: World, api: Api, domain: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(domains, "MOST_DOMAINS", 1)
    answer = api.post("/domains", {"domain": "other.example"}, **DEV)
    assert (answer.status_code, error_of(answer)["code"]) == (409, "too_many_domains")
    assert api.post("/domains", {"domain": "acme.example"}, **DEV).json()["id"] == domain["id"]
    subdomain = api.post("/inboxes", {"email": f"a@new.{SHARED}"}, **DEV)
    assert (subdomain.status_code, error_of(subdomain)["code"]) == (409, "too_many_domains")
    assert len(acme.rows(Domain)) == 1
