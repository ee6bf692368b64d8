"""The list of drafts, the page of each, the queue of those that wait for a yes, and what is decided on all of them."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from unfold.decorators import action, display

from environments.binding import finish
from environments.console.admins import EnvironmentModelAdmin
from environments.console.permissions import Kind
from environments.console.reach import ConsoleRequest
from environments.console.site import site
from environments.console.tones import TONES
from environments.errors import Forbidden, Refusal
from environments.object_store import removed_on_failure
from environments.templatetags.console_words import moment
from mail.admin.drafts import reading, timeline
from mail.admin.drafts.forms import RejectForm, SeenForm
from mail.admin.drafts.html import frame_of
from mail.admin.drafts.moved import moved_on
from mail.admin.drafts.reading import LEAN, MOST_LISTED, Reading, answered_context, fates_of, waiting, whole
from mail.admin.drafts.writing import Writing
from mail.admin.shown import NOTHING
from mail.display.words import people
from mail.models import Attachment, Draft, Message
from mail.services.drafts import approval, content, dispatch, writing
from mail.services.drafts.refusals import DraftChanged, DraftState

MOST_EARLIER = 20
Work = Callable[[Draft, SeenForm], object]
Verb = Callable[..., object]  # of (environment, draft), by an ``actor``, on what is ``expected``


class NotYours(Forbidden):
    """A draft is thrown away by whoever began it."""

    code = "not_your_draft"
    message = "Only whoever began a draft deletes it."
    fix = "Reject it with a reason, so that its author knows."


@admin.register(Draft, site=site)
class DraftAdmin(Writing, EnvironmentModelAdmin):
    """Mail that is not sent yet, or was sent after somebody's yes."""

    section = "Mail"
    icon = "edit_note"
    rights = Kind.DRAFT
    shows_mail = True
    list_display = ("summary", "to", "inbox", "shown_state", "written_by", "begun", "runs_out")
    list_filter = ("state", "inbox")
    list_select_related = ("inbox",)
    list_defer = LEAN
    list_before_template = "console/drafts/above_list.html"
    when_empty = "Write one here, or answer a message. What agents propose stands here too, until somebody lets it out."
    search_fields = ("subject",)
    ordering = ("-pk",)
    actions_detail: ClassVar = ["approve", "reject", "send", "submit", "edit", "call_back", "discard"]

    def get_urls(self) -> list[URLPattern]:
        pages = {"html": self.html, "outlook": self.outlook, "conversation": self.conversation}
        ours = [
            path(f"<path:object_id>/{name}/", self.admin_site.admin_view(view), name=f"mail_draft_{name}")
            for name, view in pages.items()
        ]
        compose = path("compose/", self.admin_site.admin_view(self.compose), name="mail_draft_compose")
        return [compose, *ours, *super().get_urls()]

    def has_review_permission(self, request: ConsoleRequest, object_id: Any = None) -> bool:
        """Return whether this person may write drafts, let them out, or keep them in."""
        return request.console.may(Kind.DRAFT, "change")

    # --- looking ---

    def changelist_view(self, request: ConsoleRequest, extra_context: dict[str, Any] | None = None) -> Any:
        context = {"may_write": self.has_review_permission(request), **(extra_context or {})}
        return super().changelist_view(request, context)

    def approvals(self, request: ConsoleRequest, object_id: str | None = None) -> HttpResponse:
        """Show the drafts that wait for a yes, the oldest first, and one of them beside what it answers."""
        self._check_view(request)
        inbox = request.GET.get("inbox", "")
        rows = reading.mine(waiting(self.get_queryset(request), inbox), request.console)
        listed = list(rows[: MOST_LISTED + 1])
        chosen = object_id or (listed[0].pk if listed else None)
        shown = self._reading(request, chosen) if chosen else None
        context = {
            "title": "Approvals",
            "listed": listed[:MOST_LISTED],
            "has_more": len(listed) > MOST_LISTED,
            "inbox": inbox,
            "inboxes": _inboxes(listed),
            "in_queue": True,
            **_around(listed, chosen),
            **(self._shown(shown) if shown else {}),
        }
        return self.admin_site.page(request, "console/drafts/approvals.html", opts=self.opts, **context)

    def _check_view(self, request: ConsoleRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _reading(self, request: ConsoleRequest, object_id: str) -> Reading:
        draft = whole(self.get_queryset(request), request.console, object_id)
        return reading.read(request.console, draft, request.GET.get("against"))

    def _shown(self, shown: Reading) -> dict[str, Any]:
        return {"reading": shown, "draft": shown.draft, **answered_context(shown.draft.answers)}

    def changeform_view(
        self,
        request: ConsoleRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Show a draft in whatever state; what is done with it has pages of its own."""
        if object_id is None or request.method == "POST":
            return super().changeform_view(request, object_id, form_url, extra_context)
        self._check_view(request)
        shown = self._reading(request, unquote(object_id))
        context = {
            "title": shown.draft.subject or "(no subject)",
            "object": shown.draft,
            "steps": timeline.of(request.console, shown.draft),
            **self._shown(shown),
        }
        return self.admin_site.page(request, "console/drafts/draft.html", opts=self.opts, **context)

    def html(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Show the HTML as its recipients would see it, shut in."""
        self._check_view(request)
        draft = self.found(request, object_id)
        files = content.files_of(request.console.here, draft)
        return frame_of(draft, files, with_remote=request.GET.get("remote") == "1")

    def outlook(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Show what would become of the draft at each recipient if it were sent now, and why."""
        self._check_view(request)
        console, draft = request.console, whole(self.get_queryset(request), request.console, object_id)
        context: dict[str, Any] = {"draft": draft, "title": "What would happen"}
        try:
            files = content.files_of(console.here, draft)
            planned = dispatch.foresee(console.here, draft, files, actor=console.actor)
            context |= {"plan": planned, "fates": fates_of(planned)}
        except Refusal as refusal:
            context["refusal"] = refusal
        return self._part(request, "outlook", context)

    def conversation(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Show what came before in the conversation that the draft answers, and the files of what it answers."""
        self._check_view(request)
        draft = whole(self.get_queryset(request), request.console, object_id)
        context: dict[str, Any] = {"draft": draft, "title": "Earlier in this conversation"}
        if draft.answers:
            environment = request.console.here
            context["files"] = Attachment.objects.in_environment(environment).filter(message=draft.answers)
            rows = Message.objects.in_environment(environment).filter(thread=draft.answers.thread)
            earlier = rows.filter(pk__lt=draft.answers.pk).exclude(status=Message.Status.QUARANTINED)
            lean = earlier.only("direction", "status", "from_email", "from_name", "extracted_text", "created_at")
            context["earlier"] = lean.order_by("-pk")[:MOST_EARLIER]
        return self._part(request, "conversation", context)

    def _part(self, request: ConsoleRequest, name: str, context: dict[str, Any]) -> HttpResponse:
        """Return a part of a draft's page; by itself where a page asks for it, else inside of one."""
        template = f"console/drafts/{name}.html"
        if request.headers.get("HX-Request") == "true":
            answer = self.admin_site.page(request, template, **context)
        else:
            answer = self.admin_site.page(request, "console/drafts/part.html", part=template, opts=self.opts, **context)
        answer["Vary"] = "HX-Request, Cookie"
        return answer

    # --- deciding ---

    @action(description="Approve", url_path="approve", permissions=["review"])
    def approve(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Ask once more, and approve."""
        work = _plainly(approval.approve, request)
        told = "Approved “{}”. Whoever wrote it may send it now."
        return self._decide(request, object_id, SeenForm, work, title="Approve draft", told=lambda _: told)

    @action(description="Reject", url_path="reject", permissions=["review"])
    def reject(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Ask for the reason, and reject."""
        here, actor = request.console.here, request.console.actor

        def work(draft: Draft, form: SeenForm) -> None:
            approval.reject(here, draft, form.cleaned_data["reason"], actor=actor, expected=form.expected)

        told = "Rejected “{}”. Whoever wrote it is told why."
        return self._decide(request, object_id, RejectForm, work, title="Reject draft", told=lambda _: told)

    @action(description="Send", url_path="send", permissions=["review"])
    def send(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Ask once more, and send; sending is approving."""
        here, actor = request.console.here, request.console.actor

        def work(draft: Draft, form: SeenForm) -> None:
            with removed_on_failure():
                dispatch.send_draft(here, draft, actor=actor, may_send=True, expected=form.expected)

        explanation = "Where nobody has approved it yet, you approve it by sending it."
        return self._decide(
            request, object_id, SeenForm, work, title="Send draft", told=_what_sending_did, explanation=explanation
        )

    @action(description="Ask for approval", url_path="submit", permissions=["review"])
    def submit(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Ask once more, and put the draft before somebody else."""
        work = _plainly(approval.submit, request)
        told = "“{}” waits for somebody else's yes now."
        return self._decide(request, object_id, SeenForm, work, title="Ask for approval", told=lambda _: told)

    @action(description="Cancel schedule", url_path="call-back", permissions=["review"])
    def call_back(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Ask once more, and take the draft off its schedule."""
        work = _plainly(dispatch.call_back, request)
        told = "“{}” does not leave by itself any more."
        return self._decide(request, object_id, SeenForm, work, title="Cancel schedule", told=lambda _: told)

    @action(description="Delete", url_path="discard", permissions=["review"])
    def discard(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Ask once more, and delete a draft of one's own."""
        here, actor = request.console.here, request.console.actor

        def work(draft: Draft, form: SeenForm) -> HttpResponse:
            if not reading.is_own(draft, actor):
                raise NotYours
            writing.delete_draft(here, draft, expected=form.expected)
            messages.success(request, f"“{draft.subject or '(no subject)'}” is deleted.")
            return HttpResponseRedirect(reverse("admin:mail_draft_changelist"))

        return self._decide(request, object_id, SeenForm, work, title="Delete draft", told=lambda _: "")

    def _decide(
        self,
        request: ConsoleRequest,
        object_id: str,
        kind: type[SeenForm],
        work: Work,
        *,
        title: str,
        told: Callable[[Draft], str],
        explanation: str = "",
    ) -> HttpResponse:
        """Carry a decision out on exactly what was read, and go on; or tell that somebody was faster, and show it."""
        draft = whole(self.get_queryset(request), request.console, object_id)
        posted = request.POST if "version" in request.POST else None
        seen = content.current_hash(request.console.here, draft) if posted is None else ""
        form = kind(posted, initial={"version": draft.version, "seen": seen})

        def carry_out(given: dict[str, Any]) -> HttpResponse:
            try:
                with transaction.atomic():
                    answer = work(draft, form)
            except Refusal as refusal:
                finish(refusal)
                return self._refused(request, draft, form, refusal)
            if isinstance(answer, HttpResponse):
                return answer
            messages.success(request, told(draft).format(draft.subject or "(no subject)"))
            return self._onwards(request, draft, given)

        return self.act(request, draft, form, carry_out, title=title, explanation=explanation)

    def _refused(self, request: ConsoleRequest, draft: Draft, form: SeenForm, refusal: Refusal) -> HttpResponse:
        """Return to the draft as it is now, with what kept it from being decided; other refusals go to the form."""
        given = form.cleaned_data
        if isinstance(refusal, DraftChanged | DraftState):
            messages.warning(request, moved_on(draft, given["version"], request.console.actor))
        elif given.get("queue"):
            messages.error(request, f"{refusal.message} {refusal.fix}")
        else:
            raise refusal
        back = reverse("admin:approval", args=[draft.pk]) if given.get("queue") else self.url(draft)
        return HttpResponseRedirect(f"{back}?against={given['version']}")

    def _onwards(self, request: ConsoleRequest, draft: Draft, given: dict[str, Any]) -> HttpResponse:
        """Go on to the next draft that waits, or back to this one."""
        if not given.get("queue"):
            return HttpResponseRedirect(self.url(draft))
        rows = waiting(self.get_queryset(request), given.get("inbox", "")).exclude(pk=draft.pk)
        found = rows.filter(pk__gt=draft.pk).first() or rows.first()
        where = reverse("admin:approval", args=[found.pk]) if found else reverse("admin:approvals")
        return HttpResponseRedirect(f"{where}?inbox={given['inbox']}" if given.get("inbox") else where)

    # --- columns of the list ---

    @display(description="subject", ordering="subject")
    def summary(self, draft: Draft) -> str:
        """Return the subject, or a word for none."""
        return draft.subject[:120] or "(no subject)"

    @display(description="state", ordering="state", label=TONES)
    def shown_state(self, draft: Draft) -> tuple[str, str] | str:
        """Return the state, coloured."""
        return (draft.state, draft.get_state_display().lower()) if draft.state in TONES else draft.state

    @display(description="to")
    def to(self, draft: Draft) -> str:
        """Return the recipients."""
        return people(draft.to_addresses)

    @display(description="written by")
    def written_by(self, draft: Draft) -> str:
        """Return the author."""
        return str(draft.author.get("name", ""))

    @display(description="begun", ordering="pk")
    def begun(self, draft: Draft) -> str:
        """Return when it was begun."""
        return moment(draft.created_at, NOTHING)

    @display(description="runs out", ordering="expires_at")
    def runs_out(self, draft: Draft) -> str:
        """Return until when an approval is waited for."""
        return moment(draft.expires_at, NOTHING)


def _what_sending_did(draft: Draft) -> str:
    if draft.state == Draft.State.SCHEDULED:
        return "“{}” is scheduled."
    return "“{}” is sent." if draft.state == Draft.State.SENT else "“{}” is on its way."


def _inboxes(listed: list[Draft]) -> list[tuple[str, str, int]]:
    """Return id and address of the inboxes that these drafts are of, and how many each has."""
    found: dict[tuple[str, str], int] = {}
    for draft in listed:
        key = (draft.inbox_id, draft.inbox.email)
        found[key] = found.get(key, 0) + 1
    return [(*key, count) for key, count in found.items()]


def _around(listed: list[Draft], chosen: str | None) -> dict[str, Draft | None]:
    """Return the drafts before and after the chosen one in the queue."""
    before = [draft for draft in listed if chosen and draft.pk < chosen]
    after = [draft for draft in listed if chosen and draft.pk > chosen]
    return {"before": before[-1] if before else None, "after": after[0] if after else None}


def _plainly(verb: Verb, request: ConsoleRequest) -> Work:
    """Return the carrying out of a service that takes nothing but the draft."""
    here, actor = request.console.here, request.console.actor
    return lambda draft, form: verb(here, draft, actor=actor, expected=form.expected)


site.add_page("approvals/", "approvals", site.get_model_admin(Draft).approvals)
site.add_page("approvals/<path:object_id>/", "approval", site.get_model_admin(Draft).approvals)
