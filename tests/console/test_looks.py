"""What pages are dressed in: each look is made once, and a word for a state has one colour everywhere."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db.models import TextChoices

from environments.console.tones import SAID, TONES, tone_of
from environments.models import Environment, Export, Invitation
from environments.templatetags.console_words import copied, identifier, moment, pill
from inboxes.models import Domain
from mail.models import Draft
from webhooks.models import WebhookDelivery

NEEDS_NO_COLOUR = {"draft"}


def test_no_word_has_two_colours() -> None:
    assert sum(len(words.split()) for words in SAID.values()) == len(TONES)


@pytest.mark.parametrize(
    "states",
    [Environment.DeliveryMode, Export.State, Invitation.Status, Domain.Status, Draft.State, WebhookDelivery.State],
)
def test_a_state_has_a_colour(states: type[TextChoices]) -> None:
    assert [state for state in states.values if state not in TONES and state not in NEEDS_NO_COLOUR] == []


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("not_sent", '<span class="console-pill">not sent</span>'),
        ("sent", '<span class="console-pill console-pill-success">sent</span>'),
        ("<b>", '<span class="console-pill">&lt;b&gt;</span>'),
    ],
)
def test_a_pill_is_a_word_on_a_colour(word: str, shown: str) -> None:
    assert pill(word) == shown


def test_a_pill_may_have_another_colour_and_say_why() -> None:
    shown = pill("first contact", "warning", title='"new"')

    assert shown == '<span class="console-pill console-pill-warning" title="&quot;new&quot;">first contact</span>'
    assert tone_of("first contact") == "plain"


AT = datetime(2026, 3, 8, 14, 30, tzinfo=UTC)
WRITTEN = 'datetime="2026-03-08T14:30:00.000Z"'


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({}, f"<time {WRITTEN}>2026-03-08 14:30:00 UTC</time>"),
        ({"dress": "mail-when"}, f'<time class="mail-when" {WRITTEN}>2026-03-08 14:30:00 UTC</time>'),
        ({"absolute": True, "to": "day"}, f"<time {WRITTEN} data-absolute>2026-03-08</time>"),
    ],
)
def test_a_moment_is_shown_in_utc(options: dict[str, Any], shown: str) -> None:
    assert moment(AT, **options) == shown


def test_a_moment_that_never_came_is_said_in_words() -> None:
    assert (moment(None), moment(None, "not yet")) == ("never", "not yet")


def test_an_id_is_copied_by_a_button_that_says_what_it_copies() -> None:
    code = '<code class="console-id">msg_1</code>'
    button = '<button type="button" data-copy="msg_1" aria-label="Copy msg_1">Copy</button>'

    assert identifier("msg_1") == f'<span class="console-identifier">{code}{button}</span>'
    assert 'aria-label="Copy this"' in copied("x" * 61)
    assert 'aria-label="Copy the codes">Copy all<' in copied("a", "the codes", words="Copy all")


ROOT = Path(__file__).resolve().parents[2]
STYLES = sorted((ROOT / "environments/static/console").glob("*.css"))
AREAS = "mail|drafts|settings|people|dashboard|environment"
MADE_ONCE = "pill|state|button|copy|quiet|note|empty|tabs|fold|table|scroll|unseen|hidden"
CLASS = re.compile(rf"\.((?:console|{AREAS})-[\w-]+)")
MADE_OF_PARTS = re.compile(rf"((?:console|{AREAS})-[\w-]*-)(?:\{{|\$)")


def sources() -> str:
    """Return what pages are made of, beside their styles."""
    apps = ("templates", "environments", "mail", "inboxes", "webhooks", "apikeys", "agentpost_site")
    files = (path for app in apps for path in (ROOT / app).rglob("*") if path.suffix in {".html", ".js", ".py"})
    return "\n".join(path.read_text() for path in files)


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.stem)
def test_an_area_makes_nothing_again_that_the_console_has(path: Path) -> None:
    assert re.findall(rf"\.((?:{AREAS})-(?:{MADE_ONCE}))(?![\w-])", path.read_text()) == []


def test_every_class_that_has_a_look_is_worn() -> None:
    worn = sources()
    made = set(MADE_OF_PARTS.findall(worn))
    dressed = {name for path in STYLES for name in CLASS.findall(path.read_text())}

    assert sorted(name for name in dressed if name not in worn and not any(map(name.startswith, made))) == []
