"""Drafts over the API: written, put before a reviewer, approved or rejected, sent."""

from __future__ import annotations  # a view's `list` is not the builtin

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import F, QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apikeys.idempotency import answered_once
from apikeys.scopes import APPROVE, SEND
from environments.errors import field_error
from environments.ids import is_id
from environments.viewsets import EnvironmentViewSet, takes
from inboxes.models import Inbox
from mail.api.draft_forms import (
    DraftBody,
    DraftChanges,
    DraftOutput,
    DraftQuery,
    ExpectedVersion,
    RejectBody,
    SubmitBody,
    VersionOutput,
    VersionQuery,
    draft_json,
    versions_json,
)
from mail.api.sending import IDEMPOTENCY_KEY
from mail.models import Draft, DraftFile, DraftVersion, Message
from mail.services import replies
from mail.services.compose import Outgoing
from mail.services.drafts import approval, dispatch, writing
from mail.services.drafts.rows import Expected, etag

IF_MATCH = OpenApiParameter(
    "If-Match",
    {"type": "string"},
    OpenApiParameter.HEADER,
    description="The ETag of the draft as you have read it: the call is refused with 412 when it has changed since.",
)
ENTITY_TAG = re.compile(r'(?:W/)?"[!#-~\x80-\uffff]*"')
BODIES = ("text_body", "html_body")


def expected(request: Request, given: dict[str, Any]) -> Expected:
    """Return what the caller has read, and take ``version`` out of the body. A weak tag never matches (RFC 9110)."""
    header = request.headers.get("If-Match")
    anything = header is None or header.strip() == "*"
    return Expected(None if anything else frozenset(ENTITY_TAG.findall(header or "")), given.pop("version", None))


class DraftsBase(EnvironmentViewSet):
    """What the views on drafts share."""

    resource = "drafts"
    model = Draft

    def files(self, rows: QuerySet) -> Mapping[str, Sequence[DraftFile]]:
        """Return these rows of files by version."""
        found = defaultdict(list)
        for file in rows.select_related("blob").order_by("pk"):
            found[file.version_id].append(file)
        return found

    def answer(self, draft: Draft, status: int = 200) -> Response:
        """Return one draft, with its ETag."""
        rows = self.rows(DraftFile).filter(version__draft=draft, version__number=draft.version)
        files = rows.select_related("blob").order_by("pk")
        return Response(draft_json(draft, list(files)), status, headers={"ETag": etag(draft)})

    def listing(self, rows: QuerySet, *, within: str = "") -> Response:
        """Return one page of these drafts, narrowed by the query."""
        asked = self.query()
        if "state" in asked:
            rows = rows.filter(state=asked["state"])
        if "inbox_id" in asked:
            rows = rows.filter(inbox=self.found(asked["inbox_id"], Inbox))
        with_bodies = asked.get("include") == "body"

        def present(found: Sequence[Draft]) -> list[dict[str, Any]]:
            files = self._files_by_draft(found)
            return [draft_json(row, files[row.pk], with_bodies=with_bodies) for row in found]

        return self.listed(rows if with_bodies else rows.defer(*BODIES), present, within=within)

    def _files_by_draft(self, drafts: Sequence[Draft]) -> Mapping[str, Sequence[DraftFile]]:
        rows = self.rows(DraftFile).filter(version__draft__in=drafts, version__number=F("version__draft__version"))
        found = defaultdict(list)
        for file in rows.select_related("blob", "version").defer(*(f"version__{n}" for n in BODIES)).order_by("pk"):
            found[file.version.draft_id].append(file)
        return found


class InboxDraftView(DraftsBase):
    """The drafts of one inbox."""

    item_model = Inbox
    lookup_url_kwarg = "inbox_id"

    @takes(DraftQuery)
    @extend_schema(responses=DraftOutput(many=True))
    def list(self, request: Request, inbox_id: str) -> Response:
        """List the drafts of an inbox."""
        inbox = self.found(inbox_id, Inbox)
        return self.listing(self.get_queryset().filter(inbox=inbox), within=f" {inbox_id}")

    @extend_schema(request=DraftBody, responses={201: DraftOutput})
    def create(self, request: Request, inbox_id: str) -> Response:
        """Create a draft. The same ``client_id`` returns the one that is there, with 200.

        With ``in_reply_to_message_id`` it answers that message: recipients and subject follow from it where none are
        given, with ``reply_all`` everybody who got it among them, and are what a reviewer sees.
        """
        inbox, given = self.found(inbox_id, Inbox), self.body(DraftBody)
        client_id, outgoing = given.pop("client_id", None), self._outgoing(given)
        draft, is_new = writing.create_draft(
            self.environment, inbox, outgoing, actor=self.caller.actor, client_id=client_id
        )
        return self.answer(draft, 201 if is_new else 200)

    def _outgoing(self, given: dict[str, Any]) -> Outgoing:
        """Return the mail in a body; as an answer, when it names what it answers."""
        answered, to_all = given.pop("in_reply_to_message_id", None), given.pop("reply_all")
        content = Outgoing(files=given.pop("attachments"), **given)
        if answered is None:
            return content
        message, manner = self._answered(answered), replies.Manner(to_all=to_all, quotes=False)
        return replies.reply(self.environment, message.inbox, message, content, manner)

    def _answered(self, identifier: str) -> Message:
        rows = self.rows(Message).exclude(status=Message.Status.QUARANTINED).select_related("inbox")
        found = rows.filter(pk=identifier).first() if is_id("msg", identifier) else None
        if found is None:
            raise field_error("in_reply_to_message_id", f"There is no message {identifier}.")
        return found


class DraftView(DraftsBase):
    """The drafts of an environment."""

    scopes = {"approve": APPROVE, "reject": APPROVE}  # noqa: RUF012 - declared in the base

    @takes(DraftQuery)
    @extend_schema(responses=DraftOutput(many=True))
    def list(self, request: Request) -> Response:
        """List the drafts of the whole environment, for instance those with ``state=pending_approval``."""
        return self.listing(self.get_queryset())

    @extend_schema(responses=DraftOutput)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Return one draft. Its ETag is what ``If-Match`` takes."""
        return self.answer(self.found(pk))

    @extend_schema(request=DraftChanges, parameters=[IF_MATCH], responses=DraftOutput)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a draft. What changes the mail makes a new version, which nobody has approved.

        ``If-Match``, or the ``version`` that you have read, keeps you from overwriting somebody else's edit.
        """
        draft, given = self.found(pk), self._given(self.body(DraftChanges))
        wanted, files = expected(request, given), given.pop("attachments", None)
        actor = self.caller.actor
        return self.answer(
            writing.update_draft(self.environment, draft, given, actor=actor, files=files, expected=wanted)
        )

    def _given(self, whole: dict[str, Any]) -> dict[str, Any]:
        """Return the fields that are in the body: the others stay as they are, whatever stands for them elsewhere."""
        return {name: value for name, value in whole.items() if name in self.request.data}

    @extend_schema(parameters=[IF_MATCH], responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a draft with its versions. One that was sent stays: it tells who approved it."""
        writing.delete_draft(self.environment, self.found(pk), expected=expected(request, {}))
        return Response(status=204)

    @extend_schema(request=SubmitBody, parameters=[IF_MATCH], responses=DraftOutput)
    def submit(self, request: Request, pk: str) -> Response:
        """Ask for approval, until ``expires_at``. One that waits for it already is returned as it is."""
        draft, given = self.found(pk), self.body(SubmitBody)
        wanted = expected(request, given)
        return self.answer(approval.submit(self.environment, draft, actor=self.caller.actor, expected=wanted, **given))

    @extend_schema(request=ExpectedVersion, parameters=[IF_MATCH], responses=DraftOutput)
    def approve(self, request: Request, pk: str) -> Response:
        """Approve exactly what the draft holds now. A key that wrote any version of it may not."""
        draft, wanted = self.found(pk), expected(request, self.body(ExpectedVersion))
        return self.answer(approval.approve(self.environment, draft, actor=self.caller.actor, expected=wanted))

    @extend_schema(request=RejectBody, parameters=[IF_MATCH], responses=DraftOutput)
    def reject(self, request: Request, pk: str) -> Response:
        """Reject a draft, with a reason for its author; also one that was approved or is scheduled."""
        draft, given = self.found(pk), self.body(RejectBody)
        wanted = expected(request, given)
        return self.answer(
            approval.reject(self.environment, draft, given["reason"], actor=self.caller.actor, expected=wanted)
        )

    @extend_schema(request=ExpectedVersion, parameters=[IF_MATCH, IDEMPOTENCY_KEY], responses=DraftOutput)
    def send(self, request: Request, pk: str) -> Response:
        """Send a draft, or schedule it when ``send_at`` is still to come.

        An approved draft is sent by whoever asks. One that never asked for approval needs ``messages:send``; one that
        did, and does not have it, is sent by no key.
        """
        draft, wanted = self.found(pk), expected(request, self.body(ExpectedVersion))

        def work() -> Response:
            may_send = SEND in self.caller.scopes
            return self.answer(
                dispatch.send_draft(
                    self.environment, draft, actor=self.caller.actor, may_send=may_send, expected=wanted
                )
            )

        return answered_once(self.environment, request, f"send draft {pk}", work)


class DraftVersionView(DraftsBase):
    """The versions of one draft."""

    model = DraftVersion
    item_model = Draft

    @takes(VersionQuery)
    @extend_schema(responses=VersionOutput(many=True))
    def list(self, request: Request, pk: str) -> Response:
        """List the versions of a draft, each with what differs from the one before, or from ``against``."""
        versions = self.get_queryset().filter(draft=self.found(pk, Draft))
        against = self.query().get("against")

        def present(found: Sequence[DraftVersion]) -> list[dict[str, Any]]:
            numbers = {against} if against else {row.number - 1 for row in found}
            others = {row.number: row for row in versions.filter(number__in=numbers)}
            shown = [*found, *others.values()]
            return versions_json(found, others, self.files(self.rows(DraftFile).filter(version__in=shown)), against)

        return self.listed(versions, present, within=f" {pk}")
