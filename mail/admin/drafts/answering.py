"""Answering a message with a draft: a reply, a reply to all, or a forward."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse

from environments.console.permissions import Kind
from environments.console.reach import ConsoleRequest
from environments.console.site import site
from environments.errors import Refusal
from environments.models import Environment
from inboxes.models import Inbox
from mail.admin.drafts.addresses import written
from mail.admin.drafts.forms import ForwardForm, ReplyForm, WrittenForm
from mail.admin.drafts.writing import created, outgoing_of, posted, write_page
from mail.extraction.languages import FORWARD_PREFIXES, REPLY_PREFIXES
from mail.models import NEVER_LEFT, Attachment, Draft, Message
from mail.services import replies
from mail.services.compose import Outgoing
from mail.services.drafts.writing import GONE_OUT
from mail.services.replies import Manner, Originals
from mail.services.rows import people

KINDS = {"reply": "Reply", "reply_all": "Reply to all", "forward": "Forward"}
MOST_SHOWN = 5


def answer(request: ConsoleRequest, object_id: str) -> HttpResponse:
    """Show an answer to a message, as far as it follows from it, and make what comes back a draft."""
    if not request.console.may(Kind.DRAFT, "change"):
        raise PermissionDenied
    message = site.get_model_admin(Message).found(request, object_id)
    back = reverse("admin:mail_message_change", args=[message.pk])
    if message.status == Message.Status.QUARANTINED:
        messages.warning(request, "This message is in quarantine: release it before it is answered or sent on.")
        return HttpResponseRedirect(back)
    kind = (request.POST if request.method == "POST" else request.GET).get("kind", "reply")
    kind = kind if kind in KINDS else "reply"
    form = _form(request, message, kind)

    def made() -> tuple[Inbox, Outgoing]:
        return message.inbox, _answer(request.console.here, message, form, kind)

    return created(request, form, made) or _page(request, form, message, kind, back)


def _form(request: ConsoleRequest, message: Message, kind: str) -> WrittenForm:
    shape = ForwardForm if kind == "forward" else ReplyForm
    return shape(initial={"kind": kind, **_prefilled(request.console.here, message, kind)}, **posted(request))


def _prefilled(environment: Environment, message: Message, kind: str) -> dict[str, Any]:
    """Return recipients and subject as they follow from the message, by the rules of the API."""
    if kind == "forward":
        return {"subject": replies.prefixed("Fwd: ", message.subject, FORWARD_PREFIXES)}
    manner = Manner(to_all=kind == "reply_all", quotes=False)
    try:
        answered = replies.reply(environment, message.inbox, message, Outgoing(to=()), manner)
    except Refusal:  # it names nobody, or too many; whoever writes names those who are meant
        return {"subject": replies.prefixed("Re: ", message.subject, REPLY_PREFIXES)}
    return {"to": written(people(answered.to)), "cc": written(people(answered.cc)), "subject": answered.subject}


def _answer(environment: Environment, message: Message, form: WrittenForm, kind: str) -> Outgoing:
    if kind == "forward":
        return replies.forward(environment, message, outgoing_of(form), Originals(form.cleaned_data["originals"]))
    manner = Manner(to_all=False, quotes=form.cleaned_data["quote"])
    return replies.reply(environment, message.inbox, message, outgoing_of(form), manner)


def _page(request: ConsoleRequest, form: WrittenForm, message: Message, kind: str, back: str) -> HttpResponse:
    here = request.console.here
    rows = Message.objects.in_environment(here).filter(answers=message, direction=Message.Direction.OUTBOUND)
    drafts = Draft.objects.in_environment(here).filter(answers=message).exclude(state__in=GONE_OUT)
    files = Attachment.objects.in_environment(here).filter(message=message).order_by("pk")
    context = {
        "title": KINDS[kind],
        "kind": kind,
        "kinds": KINDS,
        "inbox": message.inbox,
        "back": back,
        "answers": rows.exclude(status__in=NEVER_LEFT).only("subject", "created_at", "sent_by")[:MOST_SHOWN],
        "drafts": drafts.only("subject", "state", "author", "created_at").order_by("-pk")[:MOST_SHOWN],
        "files": files if message.has_attachments else [],
    }
    return write_page(request, form, message, context)


site.add_page("mail/message/<path:object_id>/reply/", "mail_message_reply", answer)
