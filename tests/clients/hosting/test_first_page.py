"""The first page, typed from top to bottom on a machine on which nothing is."""

import shutil
import smtplib
import ssl

import pytest
import trustme

from tests.clients.docs.blocks import ROOT
from tests.clients.hosting.machine import HERE, Machine, page
from tests.site.instance import Instance

TYPED = [block.code for block in page("index.md").blocks if block.language == "sh"]
TOLD = ("relay.md", "dns.md", "tls.md", "systemd.md", "upgrading.md")


def as_certbot(machine: Machine) -> ssl.SSLContext:
    """Put a certificate where certbot would; return what trusts it."""
    lineage = machine.path("etc/letsencrypt/live/mail.acme.example")
    lineage.mkdir(parents=True)
    authority = trustme.CA()
    issued = authority.issue_cert("mail.acme.example", "127.0.0.1")
    issued.private_key_pem.write_to_path(str(lineage / "privkey.pem"))
    for number, part in enumerate(issued.cert_chain_pems):
        part.write_to_path(str(lineage / "fullchain.pem"), append=bool(number))
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    return trusting


def started(machine: Machine) -> Instance:
    """Return what the service would start: these settings, on ports that are free."""
    ours = ("AGENTPOST_SMTP_PORT", "AGENTPOST_SMTP_HOST", "AGENTPOST_PUBLIC_URL", "AGENTPOST_SUBMISSION")
    told = {name: value for name, value in machine.settings().items() if not name.startswith(ours)}
    return Instance(machine.path("var/lib/agentpost"), **told)


def test_the_first_page_ends_with_live_mail(machine: Machine) -> None:
    trusting = as_certbot(machine)
    start = next(number for number, code in enumerate(TYPED) if "--now agentpost-serve.service" in code)
    machine.run("\n".join(TYPED[:start]))
    copied = {
        name: machine.path(f"etc/systemd/system/{name}") for name in ("agentpost-serve.service", "agentpost-.service.d")
    }
    machine.run(TYPED[start].partition("curl")[0])
    assert [name for name, path in copied.items() if not path.exists()] == []
    with started(machine) as instance:
        assert instance.told("sign in as") == "admin@agents.acme.example"
        with smtplib.SMTP("127.0.0.1", instance.smtp_port, timeout=30) as client:
            client.starttls(context=trusting)
            client.sendmail(
                "bob@example.com", [instance.told("inbox")], "From: bob@example.com\r\nSubject: Hello\r\n\r\nHello\r\n"
            )
        assert len(instance.get("/api/v1/messages")["data"]) == 1
        said = machine.run("\n".join(TYPED[start + 1 :])).stdout
        assert "agents.acme.example" in said
        assert "ap_sk_live_" in said
        modes = instance.in_database("SELECT slug, delivery_mode FROM environments_environment")
        assert ("production", "live") in modes
        rest_of_the_pages(machine)


def rest_of_the_pages(machine: Machine) -> None:
    """Type what the other pages have an operator of one machine type."""
    machine.run("openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out dkim.pem")
    for name in TOLD:
        for block in page(name).blocks:
            if block.said.get("no-run") == "it needs root":
                machine.run(block.code)
    assert "AGENTPOST_DKIM_KEY" in machine.settings()


@pytest.mark.parametrize("name", ["create-roles.sh", "agentpost-manage", "certificate-renewed"])
def test_a_script_is_one_that_sh_can_read(machine: Machine, name: str) -> None:
    assert shutil.which("sh")
    machine.run(f"sh -n {ROOT / HERE / name}")
    assert (ROOT / HERE / name).stat().st_mode & 0o111
