"""Console pages of threads: the list, and one as a conversation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.functions import Left, Length
from django.http import HttpResponse

from environments.console.admins import refusable
from environments.console.reach import ConsoleRequest
from environments.console.site import site
from environments.ids import is_id
from environments.models import Environment
from inboxes.models import Inbox
from mail.admin.fates import in_lines
from mail.admin.labelled import LabelledAdmin
from mail.admin.lists import MailList
from mail.admin.messages import INBOXES_OFFERED, MessageAdmin
from mail.admin.shown import LARGE, page_of
from mail.models import Attachment, Message, Thread, ThreadLabel
from mail.services import labels

ON_A_PAGE = 20
NEW_TEXT, WHOLE_TEXT = 20_000, 60_000  # characters of each message that a conversation shows
NAMED = 3


@dataclass(frozen=True)
class Line:
    """What a list shows of a thread."""

    thread: Thread
    url: str
    who: str
    labels: Sequence[str]


@dataclass(frozen=True)
class Turn:
    """A message of a conversation."""

    message: Any
    url: str
    labels: Sequence[str]
    attachments: Sequence[Attachment]
    fate: str
    reply_url: str


class ThreadList(MailList):
    """The conversations of an environment; what is in quarantine is in none."""

    def get_queryset(self, request: ConsoleRequest, exclude_parameters: Any = None) -> QuerySet:
        return super().get_queryset(request, exclude_parameters).filter(message_count__gt=0)


@admin.register(Thread, site=site)
class ThreadAdmin(LabelledAdmin):
    """Conversations of an inbox."""

    icon = "forum"
    change_list_template = "console/mail/threads.html"
    row_template = "console/mail/thread.html"
    list_select_related = ("inbox",)
    search_fields = ("subject",)
    narrowing = ("inbox",)
    ordering = ("-last_message_at", "-pk")
    fields = ("subject",)

    def get_changelist(self, request: ConsoleRequest, **_: Any) -> type[MailList]:
        return ThreadList

    def label_rows(self, request: ConsoleRequest) -> QuerySet:
        return ThreadLabel.objects.in_environment(request.console.here)

    def lines(self, request: ConsoleRequest, shown: MailList) -> Sequence[Line]:
        labelled = labels.of(request.console.here, shown.result_list)
        return [
            Line(thread, page_of(thread), who_takes_part(thread), labelled[thread.pk]) for thread in shown.result_list
        ]

    @refusable
    def changelist_view(self, request: ConsoleRequest, extra_context: Any = None) -> HttpResponse:
        inboxes = self.admin_site.rows(request, Inbox).order_by("email")[:INBOXES_OFFERED]
        return super().changelist_view(request, {"inboxes": inboxes, **(extra_context or {})})

    def row_context(self, request: ConsoleRequest, row: Thread) -> dict[str, Any]:
        here = request.console.here
        return {
            "title": row.subject or "(no subject)",
            "labels": labels.of(here, [row])[row.pk],
            "may_label": self.has_label_permission(request),
            **self._conversation(request, here, row),
        }

    def _conversation(self, request: ConsoleRequest, here: Environment, thread: Thread) -> dict[str, Any]:
        """Return one page of the messages, oldest first, and where the pages before and after it begin."""
        rows = Message.objects.in_environment(here).filter(thread=thread)
        if thread.message_count:  # else it holds what is in quarantine, alone
            rows = rows.exclude(status=Message.Status.QUARANTINED)
        found, has_earlier, has_later = page_of_messages(rows, request.GET)
        return {
            "turns": self._turns(request, here, found),
            "earlier": found[0].pk if has_earlier and found else "",
            "later": found[-1].pk if has_later and found else "",
        }

    def _turns(self, request: ConsoleRequest, here: Environment, found: Sequence[Message]) -> list[Turn]:
        labelled, fate = labels.of(here, found), in_lines(here, found)
        files: dict[str, list[Attachment]] = {message.pk: [] for message in found}
        holders = [message for message in found if message.has_attachments]
        for file in Attachment.objects.in_environment(here).filter(message__in=holders).order_by("pk"):
            files[file.message_id].append(file)
        pages = self.admin_site.get_model_admin(Message)
        assert isinstance(pages, MessageAdmin)  # noqa: S101 - for the types alone
        return [
            Turn(
                message,
                page_of(message),
                labelled[message.pk],
                files[message.pk],
                fate.get(message.pk, ""),
                pages.reply_url(request, message),
            )
            for message in found
        ]


def page_of_messages(rows: QuerySet[Message], asked: Any) -> tuple[list[Any], bool, bool]:
    """Return a page of messages, oldest first, and whether there are earlier and later ones.

    ``before`` and ``after`` in the query are ids; without them it is the latest page.
    """
    before, after = (asked.get(name) if is_id("msg", asked.get(name, "")) else None for name in ("before", "after"))
    lean = rows.defer(*LARGE).annotate(
        new_text=Left("extracted_text", NEW_TEXT),
        whole_text=Left("text_body", WHOLE_TEXT),
        new_length=Length("extracted_text"),
        whole_length=Length("text_body"),
    )
    if after:
        found = list(lean.filter(pk__gt=after).order_by("pk")[: ON_A_PAGE + 1])
        return found[:ON_A_PAGE], True, len(found) > ON_A_PAGE
    if before:
        lean = lean.filter(pk__lt=before)
    found = list(lean.order_by("-pk")[: ON_A_PAGE + 1])
    return found[:ON_A_PAGE][::-1], len(found) > ON_A_PAGE, bool(before)


def who_takes_part(thread: Thread) -> str:
    """Return the first participants of a thread by name."""
    names = [one.get("name") or one.get("email", "") for one in thread.participants]
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
