"""Two imports of one archive at once: one of them makes the environment, the other leaves it whole."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from django.db import connections

from environments.binding import inside
from environments.errors import Conflict
from environments.provisioning import MACHINE
from environments.services.environments import delete_environment
from environments.services.importing import Import, import_archive
from environments.services.unpacking import ArchiveRefused, opened
from mail.models import Blob
from mail.services import blobs
from tests.environments.archives import build_furnished, exported
from tests.world import PERSON


@pytest.mark.usefixtures("object_store", "transactional_db")
@pytest.mark.parametrize("slugs", [("one", "two"), ("one", "one")])
def test_who_comes_second_takes_nothing_from_who_came_first(slugs: tuple[str, str], tmp_path: Path) -> None:
    acme = build_furnished()
    path = tmp_path / "archive.zip"
    exported(acme.development, path)
    delete_environment(acme.development, actor=PERSON, force=True, reason="The test says so.")
    start = Barrier(2)

    def attempt(slug: str) -> Import | None:
        try:
            with opened(path) as archive:
                start.wait(30)
                return import_archive(acme.organization, archive, actor=MACHINE, slug=slug)
        except (ArchiveRefused, Conflict):
            return None
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as both:
        done = [one for one in both.map(attempt, slugs) if one]
    assert done
    for one in done:
        with inside(one.environment):
            stored = list(Blob.objects.in_environment(one.environment))
            assert stored
            assert [len(blobs.read(blob)) for blob in stored] == [blob.size for blob in stored]
    assert acme.development.pk in {one.environment.pk for one in done}
