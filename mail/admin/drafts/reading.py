"""What a page shows of a draft, made ready: every query for it is made here, and their number never grows."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.http import Http404

from environments import clock
from environments.callers import Actor
from environments.console.permissions import Kind
from environments.console.reach import Console
from environments.errors import Refusal
from environments.ids import is_id
from inboxes.services.addresses import without_tag
from mail import extraction
from mail.admin.drafts.html import draws_from_afar
from mail.admin.tabs import results_of
from mail.inspection.flags import is_hostile, meaning_of
from mail.models import Draft, DraftFile, DraftVersion, Message
from mail.services.correspondents import first_contacts
from mail.services.drafts import approval, content
from mail.services.drafts.differences import text_of
from mail.services.drafts.policy import Sending, check_sending
from mail.services.drafts.wording import Edit, Wording
from mail.services.drafts.writing import GONE_OUT
from mail.services.muzzle import Decision
from mail.services.outbound import Plan
from mail.services.rows import storable_address

State = Draft.State
KINDS = ("to", "cc", "bcc")
LEAN = ("text_body", "html_body", "headers")
UNREAD = (
    *("answers__html_body", "answers__extracted_html", "answers__headers", "answers__report", "answers__metadata"),
    *(f"message__{name}" for name in (*LEAN, "extracted_text", "extracted_html", "authentication", "flag_evidence")),
)
MOST_LISTED = 200
SOON = 24 * 3600  # seconds before an approval runs out that are worth a warning
ALIKE = 0.8  # of the words of text and HTML


@dataclass(frozen=True)
class Recipient:
    """Whom a draft goes to; ``is_new`` means not in the conversation that it answers."""

    kind: str
    email: str
    name: str
    is_new: bool
    is_first_contact: bool


@dataclass(frozen=True)
class Reading:
    """A draft as a page shows it. ``seen`` is the hash over what would be sent now, which a decision is bound to."""

    draft: Draft
    files: Sequence[DraftFile]
    recipients: Sequence[Recipient]
    seen: str
    is_mine: bool
    acts: frozenset[str]
    edits: Sequence[Edit]
    compared_with: DraftVersion | None

    @property
    def is_approved(self) -> bool:
        """Return whether somebody said yes to exactly what it holds now."""
        return self.draft.is_approved and self.seen == self.draft.approved_hash

    @property
    def is_to_be_decided(self) -> bool:
        """Return whether a yes or no is waited for, and may still be given."""
        return self.draft.state == State.PENDING_APPROVAL and not approval.has_run_out(self.draft)

    @property
    def is_running_out(self) -> bool:
        """Return whether there is less than a day left to decide."""
        until = self.draft.expires_at
        return until is not None and (until - clock.now()).total_seconds() < SOON

    @property
    def leaves_later(self) -> bool:
        """Return whether sending it would be scheduling it."""
        return self.draft.send_at is not None and self.draft.send_at > clock.now()

    @cached_property
    def says_two_things(self) -> bool:
        """Return whether text and HTML differ so much that one should read both."""
        draft = self.draft
        if not draft.html_body or not draft.text_body:
            return False
        text, html = (set(words.lower().split()) for words in (draft.text_body, extraction.to_text(draft.html_body)))
        return len(text & html) < ALIKE * max(1, len(text | html))

    @cached_property
    def draws_from_afar(self) -> bool:
        """Return whether its HTML asks for images from elsewhere."""
        return draws_from_afar(self.draft.html_body)


def waiting(rows: QuerySet, inbox_id: str = "") -> QuerySet:
    """Return those of these drafts that wait for a yes, the oldest first, without their bodies."""
    found = rows.filter(state=State.PENDING_APPROVAL).select_related("inbox").defer(*LEAN).order_by("pk")
    if inbox_id:
        found = found.filter(inbox=inbox_id) if is_id("inb", inbox_id) else found.none()
    return found


def mine(rows: QuerySet, console: Console) -> QuerySet:
    """Return these drafts, each knowing in ``is_mine`` whether this person wrote any version of it."""
    actor = console.actor
    versions = DraftVersion.objects.in_environment(console.here).filter(draft=OuterRef("pk"))
    return rows.annotate(is_mine=Exists(versions.filter(author__kind=actor.kind, author__id=actor.id)))


def whole(rows: QuerySet, console: Console, identifier: str) -> Draft:
    """Return the draft with this id, and what it answers. Raises Http404."""
    rows = mine(rows, console).select_related("inbox", "answers__thread", "message").defer(*UNREAD)
    draft = rows.filter(pk=identifier).first() if is_id("drf", identifier) else None
    if draft is None:
        raise Http404
    return draft


def read(console: Console, draft: Draft, against: str | None = None) -> Reading:
    """Return a draft, out of ``whole``, as a page shows it; compared with the version of this number, if there is one.

    Without, with the last version by somebody else than who wrote the current one, or the one before it.
    """
    other = _other_version(console, draft, against)
    numbers = {draft.version} | ({other.number} if other else set())
    rows = DraftFile.objects.in_environment(console.here).filter(version__draft=draft, version__number__in=numbers)
    rows = rows.annotate(of_version=Subquery(_numbers(console))).select_related("blob").order_by("pk")
    files: dict[int, list[DraftFile]] = {number: [] for number in numbers}
    for row in rows:
        files[row.of_version].append(row)
    now = files[draft.version]
    seen = content.fingerprint(draft, draft.inbox, now)
    edits = Wording().edits(text_of(other, files[other.number]), text_of(draft, now)) if other else []
    acts = acts_on(console, draft, seen)
    return Reading(draft, now, recipients_of(console, draft), seen, draft.is_mine, acts, edits, other)  # type: ignore[attr-defined]


def _numbers(console: Console) -> QuerySet:
    return DraftVersion.objects.in_environment(console.here).filter(pk=OuterRef("version")).values("number")


def _other_version(console: Console, draft: Draft, against: str | None) -> DraftVersion | None:
    if draft.version == 1:
        return None
    versions = DraftVersion.objects.in_environment(console.here).filter(draft=draft)
    others = versions.filter(number__lt=draft.version)
    wanted = int(against) if against and against.isdecimal() and len(against) < 6 else 0  # noqa: PLR2004
    author = versions.filter(number=draft.version).values("author")
    ranked = others.annotate(is_wanted=Q(number=wanted), is_others=~Q(author=Subquery(author)))
    return ranked.order_by("-is_wanted", "-is_others", "-number").first()


def recipients_of(console: Console, draft: Draft) -> list[Recipient]:
    """Return who would get the mail, those marked who are new to the conversation or to the environment."""
    people = [(kind, one) for kind in KINDS for one in getattr(draft, f"{kind}_addresses")]
    is_over = draft.state in GONE_OUT
    unknown = set() if is_over else first_contacts(console.here, [one["email"] for _, one in people])
    there = _in_the_conversation(draft.answers, draft) if draft.answers else None
    return [
        Recipient(
            kind,
            one["email"],
            one["name"],
            is_new=there is not None and without_tag(storable_address(one["email"])) not in there,
            is_first_contact=storable_address(one["email"]) in unknown,
        )
        for kind, one in people
    ]


def _in_the_conversation(answered: Message, draft: Draft) -> set[str]:
    people = [
        *answered.thread.participants,
        *answered.to_addresses,
        *answered.cc_addresses,
        *answered.reply_to_addresses,
        {"email": answered.from_email},
        {"email": draft.inbox.email},
    ]
    return {without_tag(storable_address(one["email"])) for one in people}


def acts_on(console: Console, draft: Draft, seen: str) -> frozenset[str]:
    """Return what this person may do with a draft, as the services will decide again."""
    if not console.may(Kind.DRAFT, "change"):
        return frozenset()
    is_mine, is_open = draft.is_mine, draft.state not in GONE_OUT  # type: ignore[attr-defined]
    is_approved = draft.is_approved and seen == draft.approved_hash
    has_recipients = bool(draft.to_addresses or draft.cc_addresses or draft.bcc_addresses)
    is_pending = draft.state == State.PENDING_APPROVAL and not approval.has_run_out(draft)
    may = {
        "approve": is_pending and not is_mine,
        "reject": draft.state in approval.REJECTABLE and not is_mine,
        "send": has_recipients and _may_send(draft, is_approved=is_approved, is_mine=is_mine),
        "submit": has_recipients and draft.state in approval.SUBMITTABLE and not is_approved,
        "edit": is_open,
        "call-back": draft.state == State.SCHEDULED,
        "discard": is_open and is_own(draft, console.actor),
    }
    return frozenset(name for name, is_allowed in may.items() if is_allowed)


def is_own(draft: Draft, actor: Actor) -> bool:
    """Return whether this person began the draft, and so may throw it away."""
    return (draft.author.get("kind"), draft.author.get("id")) == (actor.kind, actor.id)


def _may_send(draft: Draft, *, is_approved: bool, is_mine: bool) -> bool:
    asked = Sending(
        state=draft.state,
        is_approved=is_approved,
        was_submitted=draft.submitted_at is not None,
        may_send=True,
        is_person=True,
        is_author=is_mine,
    )
    try:
        check_sending(asked)
    except Refusal:
        return False
    return draft.state != State.PENDING_APPROVAL or not approval.has_run_out(draft)


@dataclass(frozen=True)
class Trust:
    """Whether a message is from whom it says; ``level`` is success, warning or danger."""

    level: str
    sentence: str
    checks: Sequence[tuple[str, str]]
    flags: Sequence[tuple[str, str, Sequence[str], bool]]


def answered_context(message: Message | None) -> dict[str, Any]:
    """Return what a page shows of the message that is answered, if there is one."""
    if message is None:
        return {"answered": None}
    whole_text, new_text = (message.text_body or "").strip(), message.extracted_text.strip()
    has_more = bool(whole_text and new_text and whole_text != new_text)
    return {"answered": message, "trust": trust_in(message), "has_more_text": has_more}


@dataclass(frozen=True)
class Fate:
    """What becomes of a mail at those of its recipients who fare alike."""

    status: str
    explanation: str
    recipients: Sequence[Decision]


def fates_of(planned: Plan) -> list[Fate]:
    """Return what becomes of a mail, recipients who fare alike together."""
    found: dict[tuple[str, str], list[Decision]] = {}
    for decision in planned.decisions:
        found.setdefault((decision.status, decision.explanation), []).append(decision)
    return [Fate(status, explanation, alike) for (status, explanation), alike in found.items()]


def trust_in(message: Message) -> Trust:
    """Return what was found out about a message's sender, and the flags with their meaning and evidence."""
    checks = [(name.upper(), result) for name, result in results_of(message.authentication)]
    flags = [
        (flag, meaning_of(flag), message.flag_evidence.get(flag) or (), is_hostile(flag)) for flag in message.flags
    ]
    return Trust(*_verdict(message), checks, flags)


def _verdict(message: Message) -> tuple[str, str]:
    domain = message.from_email.rpartition("@")[2] or "nobody"
    if message.direction == Message.Direction.OUTBOUND:
        return "success", "Sent from here."
    if message.authentication.get("dmarc") == "pass":
        return "success", f"Proven to be from {domain}."
    if message.authentication.get("dmarc") == "fail":
        return "danger", f"Not from {domain}, as far as can be told: DMARC failed."
    return "warning", f"Nothing proves that it is from {domain}."
