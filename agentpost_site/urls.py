"""The whole of AgentPost's HTTP at a glance.

What belongs to an environment is there twice, flat and under its environment, from one implementation.
"""

from typing import Any

from django.urls import URLPattern, include, path
from django.views.generic import RedirectView

from agentpost_site.docs import Docs, OpenAPI
from agentpost_site.health.views import healthz, metrics, readyz
from apikeys.api import KeyView, MeView
from environments.api.environments import EnvironmentMemberView, EnvironmentView
from environments.api.organizations import InvitationView, MemberView, OrganizationView
from environments.api.records import AuditView, DeliverabilityView, UsageView
from environments.console.site import site
from inboxes.api import DomainView, FilterRuleView, SuppressionView
from mail.api.drafts import DraftVersionView, DraftView, InboxDraftView
from mail.api.inboxes import InboxView
from mail.api.intake import IntakeView
from mail.api.messages import MessageBatchView, MessageView
from mail.api.provider_webhooks import ProviderWebhookView
from mail.api.search import SearchView
from mail.api.sending import AnswerView, InboxMessageView
from mail.api.simulate import SimulateView
from mail.api.threads import AttachmentView, DownloadView, InboxThreadView, LabelView, ThreadView
from mail.api.timeline import TimelineView
from mail.api.transports import TransportView
from mail.api.unsubscribe import UnsubscribeView
from mail.api.uploads import UploadUrlView, UploadView
from mail.api.waiting import WaitView
from webhooks.api.deliveries import DeliveryView, EndpointActionView, EndpointDeliveryView
from webhooks.api.endpoints import EndpointView
from webhooks.api.events import EventView
from webhooks.realtime.api import EventStreamView, TicketView

READ = {"get": "retrieve"}
LIST = {"get": "list"}
LIST_AND_CREATE = {"get": "list", "post": "create"}
READ_AND_DELETE = {"get": "retrieve", "delete": "destroy"}
ALL = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
LABELS = {"post": "add_labels", "delete": "remove_labels"}

OF_THE_ORGANIZATION: list[tuple[str, Any, dict[str, str]]] = [
    ("me", MeView, READ),
    ("org", OrganizationView, {"get": "retrieve", "patch": "partial_update"}),
    ("org/members", MemberView, LIST),
    ("org/members/<str:pk>", MemberView, ALL),
    ("org/invitations", InvitationView, LIST_AND_CREATE),
    ("org/invitations/<str:pk>", InvitationView, READ_AND_DELETE),
    ("environments", EnvironmentView, LIST_AND_CREATE),
    ("environments/<str:pk>", EnvironmentView, ALL),
    ("environments/<str:environment>/members", EnvironmentMemberView, LIST_AND_CREATE),
    (
        "environments/<str:environment>/members/<str:member_id>",
        EnvironmentMemberView,
        {"patch": "partial_update", "delete": "destroy"},
    ),
    ("api-keys", KeyView, LIST_AND_CREATE),
    ("api-keys/<str:pk>", KeyView, READ_AND_DELETE),
    ("api-keys/<str:pk>/rotate", KeyView, {"post": "rotate"}),
    ("audit", AuditView, LIST),
    ("audit/<str:pk>", AuditView, READ),
]

OF_AN_ENVIRONMENT: list[tuple[str, Any, dict[str, str]]] = [
    ("usage", UsageView, READ),
    ("deliverability", DeliverabilityView, READ),
    ("domains", DomainView, LIST_AND_CREATE),
    ("domains/<str:pk>", DomainView, READ_AND_DELETE),
    ("domains/<str:pk>/verify", DomainView, {"post": "verify"}),
    ("domains/<str:pk>/rotate-keys", DomainView, {"post": "rotate_keys"}),
    ("domains/<str:pk>/zone-file", DomainView, {"get": "zone_file"}),
    ("filter-rules", FilterRuleView, LIST_AND_CREATE),
    ("filter-rules/<str:pk>", FilterRuleView, ALL),
    ("suppressions", SuppressionView, LIST_AND_CREATE),
    ("suppressions/<str:pk>", SuppressionView, READ_AND_DELETE),
    ("inboxes", InboxView, LIST_AND_CREATE),
    ("inboxes/<str:pk>", InboxView, ALL),
    ("inboxes/<str:inbox_id>/messages", InboxMessageView, LIST_AND_CREATE),
    ("inboxes/<str:inbox_id>/messages/wait", WaitView, {"get": "wait"}),
    ("inboxes/<str:inbox_id>/simulate", SimulateView, {"post": "create"}),
    ("inboxes/<str:inbox_id>/messages/batch", InboxMessageView, {"post": "batch"}),
    ("inboxes/<str:inbox_id>/drafts", InboxDraftView, LIST_AND_CREATE),
    ("inboxes/<str:inbox_id>/threads", InboxThreadView, LIST),
    ("drafts", DraftView, LIST),
    ("drafts/<str:pk>", DraftView, ALL),
    ("drafts/<str:pk>/submit", DraftView, {"post": "submit"}),
    ("drafts/<str:pk>/approve", DraftView, {"post": "approve"}),
    ("drafts/<str:pk>/reject", DraftView, {"post": "reject"}),
    ("drafts/<str:pk>/send", DraftView, {"post": "send"}),
    ("drafts/<str:pk>/versions", DraftVersionView, LIST),
    ("messages", MessageView, LIST),
    ("messages/batch-get", MessageBatchView, {"post": "batch_get"}),
    ("messages/batch-update", MessageBatchView, {"post": "batch_update"}),
    ("messages/<str:pk>", MessageView, ALL),
    ("messages/<str:pk>/raw", MessageView, {"get": "raw"}),
    ("messages/<str:pk>/timeline", TimelineView, READ),
    ("messages/<str:pk>/cancel", TimelineView, {"post": "cancel"}),
    ("messages/<str:pk>/reply", AnswerView, {"post": "reply"}),
    ("messages/<str:pk>/reply-all", AnswerView, {"post": "reply_all"}),
    ("messages/<str:pk>/forward", AnswerView, {"post": "forward"}),
    ("messages/<str:pk>/labels", MessageView, LABELS),
    ("messages/<str:pk>/release", MessageView, {"post": "release"}),
    ("search", SearchView, {"post": "search"}),
    ("threads", ThreadView, LIST),
    ("threads/<str:pk>", ThreadView, ALL),
    ("threads/<str:pk>/labels", ThreadView, LABELS),
    ("labels", LabelView, LIST),
    ("attachments/upload-url", UploadUrlView, {"post": "create"}),
    ("attachments/<str:pk>", AttachmentView, READ),
    ("transport", TransportView, {"get": "retrieve", "put": "update", "delete": "destroy"}),
    ("intake", IntakeView, LIST),
    ("intake/<str:pk>", IntakeView, READ),
    ("events", EventView, LIST),
    ("events/stream", EventStreamView, READ),
    ("events/tickets", TicketView, {"post": "create"}),
    ("events/<str:pk>", EventView, READ),
    ("webhook-endpoints", EndpointView, LIST_AND_CREATE),
    ("webhook-endpoints/<str:pk>", EndpointView, ALL),
    ("webhook-endpoints/<str:pk>/rotate-secret", EndpointView, {"post": "rotate_secret"}),
    ("webhook-endpoints/<str:pk>/enable", EndpointView, {"post": "enable"}),
    ("webhook-endpoints/<str:pk>/test", EndpointActionView, {"post": "test"}),
    ("webhook-endpoints/<str:pk>/replay", EndpointActionView, {"post": "replay"}),
    ("webhook-endpoints/<str:pk>/deliveries", EndpointDeliveryView, LIST),
    ("webhook-deliveries", DeliveryView, LIST),
    ("webhook-deliveries/<str:pk>", DeliveryView, READ),
    ("webhook-deliveries/<str:pk>/retry", DeliveryView, {"post": "retry"}),
]

WITHOUT_A_KEY: list[tuple[str, Any, dict[str, str]]] = [
    ("attachments/<str:pk>/download", DownloadView, READ),
    ("uploads/<str:pk>", UploadView, {"put": "update"}),
    ("unsubscribe/<str:token>", UnsubscribeView, {"get": "retrieve", "post": "create"}),
    ("provider-webhooks/<str:token>", ProviderWebhookView, {"post": "create"}),
]


def _patterns() -> list[URLPattern]:
    flat = [*OF_THE_ORGANIZATION, *OF_AN_ENVIRONMENT, *WITHOUT_A_KEY]
    nested = [(f"environments/<str:environment>/{route}", view, verbs) for route, view, verbs in OF_AN_ENVIRONMENT]
    return [path(route, view.as_view(verbs)) for route, view, verbs in [*flat, *nested]]


urlpatterns = [
    path("api/v1/openapi.json", OpenAPI.as_view(), name="openapi"),
    path("api/v1/docs", Docs.as_view(url_name="openapi"), name="docs"),
    path("api/v1/", include(_patterns())),
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("console", RedirectView.as_view(pattern_name="admin:index")),
    path("console/", include("environments.console.account.urls")),
    path("console/", site.urls),
    path("healthz", healthz),
    path("readyz", readyz),
    path("metrics", metrics),
]

handler400 = "agentpost_site.errors.bad_request"
handler403 = "agentpost_site.errors.forbidden"
handler404 = "agentpost_site.errors.not_found"
handler500 = "agentpost_site.errors.server_error"
