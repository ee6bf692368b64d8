"""What MkDocs is told beyond mkdocs.yml: pages of the repository outside docs/, and pages that are made here.

MkDocs calls each function by its name: https://www.mkdocs.org/dev-guide/plugins/#events
"""

import json
import posixpath
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from agentpost_site.documentation.api_pages import api_pages

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted(str(page.relative_to(ROOT)) for page in (ROOT / "examples").glob("[!.]*/README.md"))
OUTSIDE = {
    name: f"project/{name}"
    for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "examples/README.md", *EXAMPLES)
}
OF_THE_REPOSITORY = {**OUTSIDE, "README.md": "README.md"}
ASKED_OF_THE_RUNNER = re.compile(r'^( *```\w+)(?: (?:no-run|until)="[^"]*")+', re.MULTILINE)
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s#]+)(#[^)\s]*)?\)")
DOCUMENT = "sdk/openapi.json"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put every page of a folder where the navigation names the folder."""
    made = api_pages(json.loads((ROOT / DOCUMENT).read_text("utf-8")))
    config.extra["made"] = {f"api/{name}": text for name, text in made.items()}
    there = {*config.extra["made"], *OUTSIDE.values(), *_pages_in(Path(config.docs_dir))}
    config.nav = [entry for entry in (_unfolded(entry, there) for entry in config.nav or []) if entry]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made here, and those that lie at the top of the repository."""
    outside = {target: (ROOT / name).read_text("utf-8") for name, target in OUTSIDE.items()}
    for name, text in {**config.extra["made"], **outside}.items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Leave out what is said to the tests only, and lead links out of docs/ to where their pages are in the site."""
    place = posixpath.dirname(page.file.src_uri)

    def led(link: re.Match[str]) -> str:
        picture, text, target, anchor = link[1], link[2], link[3], link[4] or ""
        if "://" in target or target.startswith("mailto:"):
            return link[0]
        in_repository = _in_repository(page.file.src_uri, target)
        if in_repository.startswith("docs/"):
            in_site = in_repository.removeprefix("docs/")
        elif in_repository in OF_THE_REPOSITORY:
            in_site = OF_THE_REPOSITORY[in_repository]
        elif in_repository == "docs":
            in_site = "README.md"
        else:
            return text  # in the repository only
        return f"{picture}[{text}]({posixpath.relpath(in_site, place or '.')}{anchor})"

    return LINK.sub(led, ASKED_OF_THE_RUNNER.sub(r"\1", markdown))


def on_post_build(config: MkDocsConfig) -> None:
    """Put beside every page its source, for readers who are no people, and all of them in one file."""
    texts = dict(_sources(config))
    for name, text in texts.items():
        (Path(config.site_dir) / name).parent.mkdir(parents=True, exist_ok=True)
        (Path(config.site_dir) / name).write_text(text, "utf-8")
    (Path(config.site_dir) / "llms-full.txt").write_text("\n\n".join(texts.values()), "utf-8")
    shutil.copy(Path(config.docs_dir) / "llms.txt", config.site_dir)


def _sources(config: MkDocsConfig) -> Iterator[tuple[str, str]]:
    for name in _pages_in(Path(config.docs_dir)):
        yield name, (Path(config.docs_dir) / name).read_text("utf-8")
    yield from config.extra["made"].items()


def _pages_in(folder: Path) -> list[str]:
    return sorted(str(page.relative_to(folder)) for page in folder.rglob("*.md"))


def _unfolded(entry: Any, there: set[str]) -> Any:
    """Return an entry of the navigation with folders as their pages, or None where no page is there."""
    if isinstance(entry, dict):
        [(title, below)] = entry.items()
        unfolded = _unfolded(below, there)
        return {title: unfolded} if unfolded else None
    if isinstance(entry, list):
        return [one for found in (_unfolded(one, there) for one in entry) for one in _spread(found)]
    if entry.endswith("/"):
        return sorted(name for name in there if name.startswith(entry))
    return entry if entry in there else None


def _spread(found: Any) -> list[Any]:
    if isinstance(found, list):
        return found
    return [found] if found else []


def _in_repository(page: str, target: str) -> str:
    """Return the path in the repository of what a page's link names."""
    source = {site: name for name, site in OUTSIDE.items()}.get(page, f"docs/{page}")
    return posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
