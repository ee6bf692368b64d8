"""Console pages of labels, one row for each on each message or thread."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpResponse

from environments.console.admins import EnvironmentModelAdmin
from environments.console.forms import ConfinedModelForm
from environments.console.permissions import Kind
from environments.console.reach import ConsoleRequest
from environments.console.site import site
from mail.admin.shown import LARGE
from mail.models import (
    MessageLabel,
    ThreadLabel,
)
from mail.services import labels

MOST_COUNTED = 100


class LabelForm(ConfinedModelForm):
    """A label for one row of the environment."""

    def clean_label(self) -> str:
        """Return the label as it is stored."""
        return self.cleaned_data["label"].strip().lower()


class LabelAdmin(EnvironmentModelAdmin):
    """Labels, one row for each on each message or thread."""

    section = "Mail"
    icon = "label"
    rights = Kind.LABEL
    offers = frozenset({"view", "add", "delete"})
    shows_mail = True
    form = LabelForm
    of: ClassVar[str]
    list_before_template = "console/mail/label_counts.html"

    def changelist_view(self, request: ConsoleRequest, extra_context: Any = None) -> HttpResponse:
        counted = labels.counts(request.console.here, "", MOST_COUNTED + 1)
        context = {"counted": counted[:MOST_COUNTED], "has_more_labels": len(counted) > MOST_COUNTED}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def save_model(self, request: ConsoleRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        environment = request.console.here
        labels.add(environment, [form.cleaned_data[self.of]], [obj.label])
        rows: Any = self.model.objects.in_environment(environment)
        made = rows.get(label=obj.label, **{self.of: form.cleaned_data[self.of]})
        obj.__dict__.update(made.__dict__)

    def delete_model(self, request: ConsoleRequest, obj: Any) -> None:
        labels.remove(request.console.here, [getattr(obj, self.of)], [obj.label])


@admin.register(MessageLabel, site=site)
class MessageLabelAdmin(LabelAdmin):
    """Labels on messages."""

    of = "message"
    list_display = ("label", "message")
    list_select_related = ("message",)
    list_defer = tuple(f"message__{name}" for name in LARGE)
    search_fields = ("label",)
    autocomplete_fields = ("message",)
    fields = ("label", "message")
    ordering = ("label", "-pk")


@admin.register(ThreadLabel, site=site)
class ThreadLabelAdmin(LabelAdmin):
    """Labels on threads."""

    of = "thread"
    list_display = ("label", "thread")
    list_select_related = ("thread",)
    search_fields = ("label",)
    autocomplete_fields = ("thread",)
    fields = ("label", "thread")
    ordering = ("label", "-pk")
