"""Writing drafts in the console: a new one, and another version of one that is there."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.decorators import action

from environments.binding import finish
from environments.console.reach import ConsoleRequest
from environments.console.site import site
from environments.errors import Refusal, field_error
from environments.ids import is_id
from environments.object_store import removed_on_failure
from inboxes.models import Inbox
from inboxes.services.addresses import normalise
from mail.admin.drafts import reading
from mail.admin.drafts.forms import ComposeForm as NewForm
from mail.admin.drafts.forms import EditForm, WrittenForm
from mail.models import Draft
from mail.services.compose import Outgoing
from mail.services.drafts import approval, content, writing
from mail.services.drafts.refusals import DraftChanged

MOST_OFFERED = 200
SUBMITTED = "“{}” waits for somebody else's yes now: nobody approves what they wrote or edited."


class Writing:
    """What the page of drafts lets people write."""

    admin_site: Any

    @action(description="Edit", url_path="edit", permissions=["review"])
    def edit(self: Any, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Show a draft as a form, and make what comes back another version of it."""
        console, draft = request.console, reading.whole(self.get_queryset(request), request.console, object_id)
        if draft.state in writing.GONE_OUT:
            messages.warning(request, "This draft has gone out; it cannot be edited any more.")
            return HttpResponseRedirect(self.url(draft))
        files = content.files_of(console.here, draft)
        seen = content.fingerprint(draft, draft.inbox, files)
        given = posted(request) if "version" in request.POST else {}
        form = EditForm(draft, files, seen, request.GET.get("queue", "")[:1], **given)
        context: dict[str, Any] = {"title": "Edit draft", "draft": draft, "back": self.url(draft)}
        if form.is_bound and form.is_valid():
            try:
                return self._save(request, draft, form)
            except DraftChanged:
                form.read_anew(draft, content.current_hash(console.here, draft))
                context["overtaken"] = reading.read(console, draft, str(form.cleaned_data["version"]))
            except Refusal as refusal:
                finish(refusal)
                form.refuse(refusal)
        return write_page(request, form, draft.answers, context)

    def _save(self: Any, request: ConsoleRequest, draft: Draft, form: EditForm) -> HttpResponse:
        console, before = request.console, draft.version
        files = None
        with transaction.atomic(), removed_on_failure():
            if form.cleaned_data["attach"] or form.kept != form.attached:
                files = [*content.loaded(form.kept), *form.cleaned_data["attach"]]
            writing.update_draft(
                console.here, draft, form.changes, actor=console.actor, files=files, expected=form.expected
            )
            told = f"Saved as version {draft.version}." if draft.version != before else "Nothing was changed."
            if request.POST.get("then") == "submit":
                approval.submit(console.here, draft, actor=console.actor)
                told = f"{told} {SUBMITTED}"
        messages.success(request, told.format(draft.subject or "(no subject)"))
        return self._onwards(request, draft, form.cleaned_data)

    def compose(self: Any, request: ConsoleRequest) -> HttpResponse:
        """Show an empty mail from an inbox, and make what comes back a draft."""
        if not self.has_review_permission(request):
            raise PermissionDenied
        inboxes = site.rows(request, Inbox).order_by("email")
        offered = list(inboxes[:MOST_OFFERED])
        form = NewForm(initial={"sender": _sender(request, inboxes, offered)}, **posted(request))

        def made() -> tuple[Inbox, Outgoing]:
            inbox = inboxes.filter(email=normalise(form.cleaned_data["sender"])).first()
            if inbox is None:
                raise field_error("sender", "There is no inbox with this address in this environment.")
            return inbox, outgoing_of(form)

        context = {"title": "New draft", "senders": offered, "back": reverse("admin:mail_draft_changelist")}
        return created(request, form, made) or write_page(request, form, None, context)


def _sender(request: ConsoleRequest, inboxes: QuerySet, offered: list[Inbox]) -> str:
    """Return the address of the inbox that the page was opened for, or of the only one."""
    asked = request.GET.get("inbox", "")
    found = inboxes.filter(pk=asked).first() if is_id("inb", asked) else None
    if found:
        return str(found.email)
    return offered[0].email if len(offered) == 1 else ""


def posted(request: ConsoleRequest) -> dict[str, Any]:
    """Return what a form takes of a request that brings one."""
    return {"data": request.POST, "files": request.FILES} if request.method == "POST" else {}


def outgoing_of(form: WrittenForm) -> Outgoing:
    """Return the mail that a valid form describes."""
    return Outgoing(**form.content, files=form.cleaned_data["attach"])


def created(request: ConsoleRequest, form: WrittenForm, made: Any) -> HttpResponse | None:
    """Make a draft of the inbox and mail that ``made`` returns, and go to it; None with what is wrong on the form."""
    if not form.is_bound or not form.is_valid():
        return None
    console = request.console
    try:
        with transaction.atomic(), removed_on_failure():
            inbox, outgoing = made()
            draft, _ = writing.create_draft(console.here, inbox, outgoing, actor=console.actor)
            if request.POST.get("then") == "submit":
                approval.submit(console.here, draft, actor=console.actor)
    except Refusal as refusal:
        finish(refusal)
        form.refuse(refusal)
        return None
    told = SUBMITTED if draft.state == Draft.State.PENDING_APPROVAL else "“{}” is saved. Nothing is sent yet."
    messages.success(request, told.format(draft.subject or "(no subject)"))
    return HttpResponseRedirect(reverse("admin:mail_draft_change", args=[draft.pk]))


def write_page(request: ConsoleRequest, form: WrittenForm, answered: Any, context: dict[str, Any]) -> HttpResponse:
    """Return the page on which a mail is written, beside what it answers."""
    shown = {"form": form, **reading.answered_context(answered), **context}
    return site.page(request, "console/drafts/write.html", opts=Draft._meta, **shown)
