"""An archive that somebody edited takes neither another organization's environment nor an address that it never had."""

import json
from pathlib import Path
from typing import Any

from environments.binding import inside
from environments.services.organizations import create_organization
from environments.services.usage import bytes_stored
from inboxes.models import Inbox
from mail.models import Draft, Message
from tests.environments.archives import changed, erased, exported, files_of, imported, packed
from tests.environments.commands import machine
from tests.world import World


def shared_address(world: World, environment: Any) -> str:
    return next(row.email for row in world.rows(Inbox, environment) if row.domain_id is None)


def test_what_another_organization_erased_is_not_had(acme: World, tmp_path: Path) -> None:
    create_organization("Evil", "eve@evil.example", slug="evil")
    exported(acme.development, tmp_path / "one.zip")
    held = shared_address(acme, acme.development)
    erased(acme.development)
    told = machine("import_environment", str(tmp_path / "one.zip"), "--organization", "evil")
    assert told["environment_id"] != acme.development.pk
    assert any(remark.startswith(f"{held} is ") for remark in told["remarks"])
    _, back = imported(tmp_path / "one.zip")
    assert (back.pk, shared_address(acme, back)) == (acme.development.pk, held)


def test_a_name_that_was_never_its_own_gets_a_suffix(acme: World, tmp_path: Path) -> None:
    exported(acme.development, tmp_path / "one.zip")
    domain = shared_address(acme, acme.development).partition("@")[2]
    files = files_of(tmp_path / "one.zip")
    name = "rows/inboxes.inbox.jsonl"
    rows = [json.loads(line) for line in files[name].splitlines()]
    for row in rows:
        if row["domain_id"] is None:
            row["email"] = f"ceo@{domain}"
    files[name] = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    packed(files, tmp_path / "edited.zip")
    erased(acme.development)
    _, here = imported(tmp_path / "edited.zip")
    address = shared_address(acme, here)
    assert (here.pk, address.startswith("ceo-"), address == f"ceo@{domain}") == (acme.development.pk, True, False)


def test_allowlist_and_redirect_address_stay_behind(acme: World, tmp_path: Path) -> None:
    exported(acme.development, tmp_path / "one.zip")
    given = {"allowlist": ["a@b.example\r\nX: y"], "redirect_address": "x@y.example\r\nX: y"}
    packed(changed(files_of(tmp_path / "one.zip"), "environments.environment", **given), tmp_path / "edited.zip")
    told, here = imported(tmp_path / "edited.zip", "--slug", "copy")
    assert (here.allowlist, here.redirect_address) == ([], "")
    assert any(remark.startswith("Allowlist and redirect") for remark in told["remarks"])


def test_what_is_kept_is_counted_whatever_the_archive_says_of_it(acme: World, tmp_path: Path) -> None:
    files = exported(acme.development, tmp_path / "one.zip")
    forged = packed(changed(files, "environments.usagehour", bytes_stored=-(10**12)), tmp_path / "forged.zip")
    _, here = imported(forged, "--slug", "forged")
    with inside(here):
        kept = sum(row.size for model in (Message, Draft) for row in model.objects.in_environment(here))
        assert bytes_stored(here) == kept > 0
