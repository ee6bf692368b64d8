"""Console pages of an environment's exports: asked for, fetched while they are kept, and forgotten."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.http import FileResponse, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import filesizeformat
from unfold.decorators import action, display

from environments.console.admins import EnvironmentModelAdmin
from environments.console.forms import ConfinedModelForm
from environments.console.permissions import Kind
from environments.console.reach import ConsoleRequest
from environments.console.site import site
from environments.console.tones import TONES
from environments.errors import NotFound
from environments.models import Export
from environments.services import exports

SHARED = ("mail/", "quarantine/", "files/", "rows/")  # folders, whose files are told of as one


class ExportForm(ConfinedModelForm):
    """Why an export is needed."""

    reason = forms.CharField(max_length=1000, help_text="Kept in the audit log.")

    class Meta:
        model = Export
        fields: ClassVar[list[str]] = []


@admin.register(Export, site=site)
class ExportAdmin(EnvironmentModelAdmin):
    """Archives of everything in the environment."""

    section = "Environment"
    icon = "archive"
    rights = Kind.EXPORT
    offers = frozenset({"view", "add", "delete"})
    add_form = ExportForm
    add_fields = ("reason",)
    list_display = ("id", "status", "archive_size", "requested_by", "created_at", "expires_at")
    list_defer = ("manifest",)
    when_empty = "Ask for one to take everything of this environment along. It is kept for seven days."
    list_before_template = "console/environment/exports_explained.html"
    change_form_before_template = "console/environment/export_before.html"
    row_template = "console/environment/export.html"
    ordering = ("-pk",)
    actions_detail: ClassVar = ["download"]

    @display(description="state", label=TONES, ordering="state")
    def status(self, export: Export) -> str:
        """Return the state, coloured."""
        return export.state

    @display(description="size", ordering="size")
    def archive_size(self, export: Export) -> str:
        """Return the size as it is read."""
        return filesizeformat(export.size) if export.size is not None else "-"

    def row_context(self, request: ConsoleRequest, row: Export) -> dict[str, Any]:
        files = row.manifest.get("files", {})
        single = {name: one for name, one in files.items() if not name.startswith(SHARED)}
        folders = {folder: [one for name, one in files.items() if name.startswith(folder)] for folder in SHARED}
        summed = {
            folder: {key: sum(one[key] for one in ones) for key in ("count", "size")}
            for folder, ones in folders.items()
            if ones
        }
        return {
            "title": "Export",
            "row": row,
            "files": sorted([*single.items(), *summed.items()]),
            "may_download": self.has_download_permission(request) and row.state == Export.State.READY,
            "may_forget": self.has_delete_permission(request, row),
        }

    def has_download_permission(self, request: ConsoleRequest, object_id: Any = None) -> bool:
        """Return whether this person may fetch archives: whoever may ask for them."""
        return self.has_add_permission(request)

    @action(description="Download", url_path="download", permissions=["download"])
    def download(self, request: ConsoleRequest, object_id: str) -> HttpResponse | FileResponse:
        """Send the archive; the session and the environment that it stands in are the right to it."""
        console, export = request.console, self.found(request, object_id)
        try:
            opened = exports.open_archive(export, console.here, actor=console.actor)
        except NotFound as refusal:
            messages.error(request, f"{refusal.message} {refusal.fix}")
            return HttpResponseRedirect(self.url(export))
        name = f"{console.here.slug}-{export.created_at:%Y-%m-%d}.zip"
        return FileResponse(opened, as_attachment=True, filename=name, content_type="application/zip")

    def save_model(self, request: ConsoleRequest, obj: Export, form: Any, change: bool) -> None:  # noqa: FBT001
        console = request.console
        made = exports.request_export(console.here, actor=console.actor, reason=form.cleaned_data["reason"])
        obj.__dict__.update(made.__dict__)

    def add_view(self, request: ConsoleRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        return super().add_view(request, form_url, {"title": "New export", **(extra_context or {})})

    def response_add(self, request: ConsoleRequest, obj: Export, *_: Any) -> HttpResponse:
        messages.success(request, "The export is being made in the background.")
        return HttpResponseRedirect(self.url(obj))

    def delete_model(self, request: ConsoleRequest, obj: Export) -> None:
        exports.delete_export(obj, request.console.here, actor=request.console.actor)
