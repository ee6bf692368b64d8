"""What the pages of messages and of threads share."""

from typing import Any, ClassVar

from django import forms
from django.db.models import QuerySet
from django.http import HttpResponse
from unfold.decorators import action

from environments.console.forms import ActionForm
from environments.console.permissions import Kind
from environments.console.reach import ConsoleRequest
from mail.admin.lists import MailListAdmin
from mail.services import labels


class LabelsForm(ActionForm):
    """All labels, between commas."""

    labels = forms.CharField(
        required=False, max_length=6000, help_text="Between commas. What is left out is taken off."
    )


class LabelledAdmin(MailListAdmin):
    """Mail that can carry labels."""

    section = "Mail"
    rights = Kind.RECORD
    shows_mail = True
    is_labelled = True
    actions_detail: ClassVar = ["change_labels"]

    def label_rows(self, request: ConsoleRequest) -> QuerySet:
        """Return the labels of this kind of mail."""
        raise NotImplementedError

    def has_label_permission(self, request: ConsoleRequest, object_id: Any = None) -> bool:
        """Return whether this person may label mail."""
        return request.console.may(Kind.LABEL, "add")

    @action(description="Labels", url_path="labels", permissions=["label"])
    def change_labels(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Ask for the labels, and make them the row's."""
        row, environment = self.found(request, object_id), request.console.here

        def carry_out(given: dict[str, Any]) -> str:
            labels.replace(environment, row, [label for label in given["labels"].split(",") if label.strip()])
            return "The labels are changed."

        known = ", ".join(labels.of(environment, [row])[row.pk])
        form = LabelsForm(request.POST or None, initial={"labels": known})
        return self.act(request, row, form, carry_out, title="Labels")
