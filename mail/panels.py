"""What mail tells on the overview: what came and went, what waits to leave, what waits for a person, and quotas."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Exists, Subquery
from django.db.models.expressions import Combinable
from django.urls import reverse

from environments import clock
from environments.console.panels import (
    MOST,
    MOST_IN_A_BADGE,
    Capped,
    Figures,
    Note,
    Panel,
    Period,
    Step,
    Tile,
    answers,
    capped,
    listed,
)
from environments.console.permissions import Kind
from environments.console.reach import ConsoleRequest
from environments.console.site import site
from environments.models import Environment
from inboxes.models import Inbox
from mail.admin.shown import trial_mail
from mail.models import NEVER_LEFT, Draft, HandOver, Message, SendingWindow
from mail.services import windows

Status = Message.Status
INCOMING = (Status.RECEIVED, Status.QUARANTINED)
UNFINISHED = (Status.QUEUED, Status.SCHEDULED, Status.SENDING)
LIST = "mail.message"
QUOTAS = (("hourly_sending_quota", "this hour", "hour"), ("daily_sending_quota", "today", "day"))


class MailPanel(Panel):
    """Messages by what became of them, and what waits."""

    template: ClassVar[str] = "console/overview/queue.html"
    order: ClassVar[int] = 30

    def badges(self, environment: Environment) -> Mapping[str, Combinable]:
        drafts = Draft.objects.in_environment(environment).filter(state=Draft.State.PENDING_APPROVAL)
        quarantined = Message.objects.in_environment(environment).filter(status=Status.QUARANTINED)
        return {"approvals": Capped(drafts, MOST_IN_A_BADGE), "quarantine": Capped(quarantined, MOST_IN_A_BADGE)}

    def expressions(self, environment: Environment, period: Period) -> Mapping[str, Combinable]:
        messages, first = Message.objects.in_environment(environment), period.first("msg")
        waiting = HandOver.objects.in_environment(environment).filter(next_attempt_at__isnull=False)
        due = waiting.filter(next_attempt_at__lte=clock.now()).order_by("next_attempt_at")
        inboxes = Inbox.objects.in_environment(environment).order_by("pk")
        return {
            **{f"mail_{status}": Capped(messages.filter(status=status, pk__gte=first)) for status in Status},
            "queue_length": Capped(waiting),
            "queue_since": Subquery(due.values("created_at")[:1]),
            "an_address": Subquery(inboxes.values("email")[:1]),
            "has_mail": Exists(messages),
        }

    def tiles(self, figures: Figures, period: Period) -> Sequence[Tile]:
        return [
            _both_ways("Received", INCOMING, "messages_in", figures, period, direction__exact="inbound"),
            _both_ways("Sent", _leaving(), "messages_out", figures, period, direction__exact="outbound"),
            _of("Delivered", (Status.DELIVERED,), figures, period),
            _of("Captured", (Status.CAPTURED,), figures, period),
            _of("Bounced", (Status.BOUNCED,), figures, period, tone="danger"),
            *(_of(label, these, figures, period, tone) for label, these, tone in RARE if _number(these, figures)),
        ]

    def notes(self, request: ConsoleRequest, figures: Figures) -> Iterable[Note]:
        if number := figures["approvals"]:
            counted, drafts = capped(number, MOST_IN_A_BADGE), "draft waits" if number == 1 else "drafts wait"
            yield Note(f"{counted} {drafts} for approval.", reverse("admin:approvals"), "Review", "info")
        if number := figures["quarantine"]:
            counted, mails = capped(number, MOST_IN_A_BADGE), "mail is" if number == 1 else "mails are"
            link = listed(LIST, status__exact=Status.QUARANTINED)
            yield Note(f"{counted} {mails} in quarantine.", link, "Look", "info")

    def steps(self, request: ConsoleRequest, figures: Figures) -> Iterator[Step]:
        address, may_add = figures["an_address"], request.console.may(Kind.RESOURCE, "add")
        made = reverse("admin:inboxes_inbox_add") if may_add else ""
        who = "" if may_add else " An admin of this environment makes one."
        yield Step(
            "Create an inbox",
            f"An address that mail comes to, and is sent from.{who}",
            bool(address),
            made,
            "New inbox",
            order=1,
        )
        yield Step(
            "Let a mail come in",
            "Any mail program will do; this is swaks. It says 250 when the mail is on disk.",
            figures["has_mail"],
            command=trial_mail(address) if address else "",
            order=3,
        )

    def context(self, request: ConsoleRequest, figures: Figures, period: Period) -> Mapping[str, Any]:
        return {
            "queue_length": capped(figures["queue_length"]),
            "queue_since": figures["queue_since"],
            "queue": listed("mail.handover", next_attempt_at__isnull=0),
        }

    def across(self, person_id: int, environment_ids: Sequence[UUID]) -> Mapping[str, Mapping[str, Any]]:
        names = ("approvals", "quarantine", "queued", "queued_since", "sent_today")
        return answers("mail_waiting_in", names, person_id, environment_ids, MOST)


class QuotaPanel(Panel):
    """How much of what may be sent was sent."""

    template: ClassVar[str] = "console/overview/quotas.html"
    order: ClassVar[int] = 35

    def expressions(self, environment: Environment, period: Period) -> Mapping[str, Combinable]:
        rows = SendingWindow.objects.in_environment(environment).filter(
            kind=SendingWindow.Kind.ENVIRONMENT, subject=environment.pk
        )
        return {
            f"used_{name}": Subquery(
                rows.filter(period=one, start=windows.start_of(one, period.until)).values("count")[:1]
            )
            for name, _, one in QUOTAS
        }

    def context(self, request: ConsoleRequest, figures: Figures, period: Period) -> Mapping[str, Any]:
        here = request.console.here
        limits = ((words, figures[f"used_{name}"] or 0, getattr(here, name)) for name, words, _ in QUOTAS)
        return {
            "quotas": [
                {"words": words, "used": used, "most": most, "tone": _tone(used, most, here.quota_warning_percent)}
                for words, used, most in limits
                if most is not None
            ],
            "windows": listed("mail.sendingwindow"),
        }


def _tone(used: int, most: int, warning: int) -> str:
    if used >= most:
        return "danger"
    return "warning" if used * 100 >= most * warning else ""


RARE = (
    ("Complained", (Status.COMPLAINED,), "danger"),
    ("Failed or rejected", NEVER_LEFT, "danger"),
    ("Waiting to leave", UNFINISHED, ""),
)


def _leaving() -> list[str]:
    return [status for status in Status if status not in INCOMING]


def _number(statuses: Iterable[str], figures: Figures) -> int:
    return sum(figures[f"mail_{status}"] for status in statuses)


def _of(label: str, statuses: Sequence[str], figures: Figures, period: Period, tone: str = "") -> Tile:
    """Return the tile of messages with these statuses, which leads to their list."""
    number = _number(statuses, figures)
    narrowed = {"status__exact": statuses[0]} if len(statuses) == 1 else {"status__in": ",".join(statuses)}
    return Tile(label, capped(number), _messages(period, **narrowed), tone if number else "")


def _both_ways(
    label: str, statuses: Sequence[str], counter: str, figures: Figures, period: Period, **narrowed: str
) -> Tile:
    """Return the tile of one direction: its rows counted, or the counter of usage where they are many."""
    counts = [figures[f"mail_{status}"] for status in statuses]
    is_many = max(counts) > MOST or sum(counts) > MOST
    return Tile(
        label, f"{max(figures['used'][counter], MOST) if is_many else sum(counts):,}", _messages(period, **narrowed)
    )


def _messages(period: Period, **narrowed: str) -> str:
    return listed(LIST, **narrowed, id__gte=period.first("msg"))


site.panels += [MailPanel(), QuotaPanel()]
