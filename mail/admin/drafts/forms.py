"""What is asked of people who decide about drafts, and of those who write them."""

import mimetypes
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

from environments import clock
from environments.console.forms import ActionForm, Refusable
from environments.text import is_single_line
from mail.admin.drafts.addresses import AddressesField, written
from mail.models import Draft, DraftFile
from mail.services.compose import File
from mail.services.drafts.rows import Expected
from mail.services.replies import LONGEST_SUBJECT, Originals

LATE, FARTHEST = timedelta(minutes=1), timedelta(days=30)
PEOPLE = ("to", "cc", "bcc", "reply_to")
MOST_FILES = 50
TEXT_ALONE = "You changed the text and not the HTML, which most people see. Change both, or send the text alone."
UNDRESSED = (forms.HiddenInput, forms.CheckboxInput, forms.CheckboxSelectMultiple)
MOMENT = "%Y-%m-%dT%H:%M"


def unix(text: str) -> str:
    """Return text with the line ends of the house; browsers send others."""
    return text.replace("\r\n", "\n")


def minute(moment: datetime | None) -> datetime | None:
    """Return a moment as exactly as a browser asks for it."""
    return moment and moment.replace(second=0, microsecond=0)


class SeenForm(ActionForm):
    """A decision about what was on the page when it was opened: its version, and the hash over what would be sent."""

    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    seen = forms.CharField(max_length=64, widget=forms.HiddenInput)
    queue = forms.CharField(max_length=1, required=False, widget=forms.HiddenInput)
    inbox = forms.CharField(max_length=40, required=False, widget=forms.HiddenInput)

    @property
    def expected(self) -> Expected:
        """Return what the person has read."""
        return Expected(version=self.cleaned_data["version"], content_hash=self.cleaned_data["seen"])


class RejectForm(SeenForm):
    """Why not."""

    reason = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}), max_length=2000, help_text="Whoever wrote it is told."
    )


class FilesInput(forms.ClearableFileInput):
    """Chooses several files at once."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """New files to attach; their types follow from their names."""

    widget = FilesInput

    def clean(self, data: Any, initial: Any = None) -> list[File]:
        """Return the files with their bytes."""
        given = [one for one in (data if isinstance(data, list) else [data]) if one]
        if len(given) > MOST_FILES:
            raise ValidationError(f"At most {MOST_FILES} files.")
        return [_file(super(FilesField, self).clean(one, initial)) for one in given]


def _file(upload: UploadedFile) -> File:
    name = " ".join("".join(c if is_single_line(c) else " " for c in upload.name or "").split()) or "attachment"
    return File(name[-255:], mimetypes.guess_type(name)[0] or "application/octet-stream", upload.read())


class WrittenForm(Refusable, forms.Form):
    """A mail that a person writes, or edits."""

    to = AddressesField(label="To", help_text="Between commas, as ann@example.com or Ann <ann@example.com>.")
    cc = AddressesField(label="Cc")
    bcc = AddressesField(label="Bcc")
    reply_to = AddressesField(label="Reply to", help_text="Empty: answers come back to the inbox.")
    subject = forms.CharField(max_length=LONGEST_SUBJECT, required=False)
    text_body = forms.CharField(
        label="Text", required=False, strip=False, widget=forms.Textarea(attrs={"rows": 14}), max_length=2_000_000
    )
    send_at = forms.DateTimeField(
        label="Send at, in UTC",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=MOMENT),
        help_text="Empty: as soon as it is sent.",
    )
    attach = FilesField(label="Attach files", required=False)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for field in self.fields.values():
            if not isinstance(field.widget, UNDRESSED):
                field.widget.attrs.setdefault("class", "console-input drafts-input")

    def clean_subject(self) -> str:
        """Return the subject, which is one line."""
        subject: str = self.cleaned_data["subject"]
        if not is_single_line(subject):
            raise ValidationError("May not contain line breaks or control characters.")
        return subject

    def clean_text_body(self) -> str:
        """Return the text with the line ends that mail has it stored with."""
        return unix(self.cleaned_data["text_body"])

    def clean_send_at(self) -> Any:
        """Return the moment, which lies up to 30 days ahead."""
        moment, now = self.cleaned_data["send_at"], clock.now()
        if moment and moment < now - LATE and "send_at" in self.changed_data:
            raise ValidationError("Lies in the past.")
        if moment and moment > now + FARTHEST:
            raise ValidationError(f"May lie at most {FARTHEST.days} days ahead.")
        return moment

    @property
    def content(self) -> dict[str, Any]:
        """Return the fields of a mail, as services take them."""
        return {name: self.cleaned_data[name] for name in (*PEOPLE, "subject", "text_body", "send_at")}


class EditForm(WrittenForm):
    """A draft as it is, to be made another version of."""

    field_order = (*PEOPLE, "subject", "text_body", "html_body", "text_alone", "send_at", "keep", "attach")
    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    seen = forms.CharField(max_length=64, widget=forms.HiddenInput)
    queue = forms.CharField(max_length=1, required=False, widget=forms.HiddenInput)
    html_body = forms.CharField(
        label="HTML, as source",
        required=False,
        strip=False,
        widget=forms.Textarea(
            attrs={"rows": 10, "class": "console-input drafts-input drafts-source", "spellcheck": "false"}
        ),
        max_length=4_000_000,
    )
    text_alone = forms.BooleanField(label="Send the text alone, without the HTML", required=False)
    keep = forms.MultipleChoiceField(
        label="Attached files", required=False, widget=forms.CheckboxSelectMultiple, help_text="Without a tick it goes."
    )

    def __init__(self, draft: Draft, attached: Sequence[DraftFile], seen: str, queue: str, **posted: Any) -> None:
        self.draft, self.attached = draft, list(attached)
        keep = [file.pk for file in attached]
        before = {**edited(draft), "version": draft.version, "seen": seen, "queue": queue, "keep": keep}
        super().__init__(initial=before, **posted)
        self.fields["keep"].choices = [(file.pk, file.filename) for file in attached]  # type: ignore[attr-defined]
        if not draft.html_body:
            del self.fields["html_body"], self.fields["text_alone"]
        if not attached:
            del self.fields["keep"]

    @property
    def expected(self) -> Expected:
        """Return what the person has read."""
        return Expected(version=self.cleaned_data["version"], content_hash=self.cleaned_data["seen"])

    def clean(self) -> dict[str, Any]:
        """Return the fields; a text that was changed does not go out below HTML that was not."""
        given = super().clean() or {}
        shows_html = "html_body" in self.fields and not given.get("text_alone")
        if shows_html and self._is_new("text_body") and not self._is_new("html_body"):
            self.add_error("text_body", TEXT_ALONE)
        return given

    @property
    def changes(self) -> dict[str, Any]:
        """Return those fields of the mail that are not as they were; what a browser does to text is no change."""
        given = self.cleaned_data
        found = {name: given[name] for name in (*PEOPLE, "subject") if name in self.changed_data}
        found |= {name: unix(given[name]) for name in ("text_body", "html_body") if self._is_new(name)}
        if minute(given["send_at"]) != minute(self.draft.send_at):
            found["send_at"] = given["send_at"]
        return found | ({"html_body": None} if given.get("text_alone") else {})

    def _is_new(self, name: str) -> bool:
        before = getattr(self.draft, name) or ""
        return name in self.fields and unix(self.cleaned_data.get(name, before)) != unix(before)

    @property
    def kept(self) -> list[DraftFile]:
        """Return the files that stay."""
        wanted = set(self.cleaned_data.get("keep", ()))
        return [file for file in self.attached if file.pk in wanted]

    def read_anew(self, draft: Draft, seen: str) -> None:
        """Keep what was typed, to be saved over the draft as it is now."""
        self.data = {**self.data.dict(), "version": str(draft.version), "seen": seen}  # type: ignore[attr-defined]


def edited(draft: Draft) -> dict[str, Any]:
    """Return what a draft holds, as the form shows it."""
    return {
        **{name: written(getattr(draft, f"{name}_addresses")) for name in PEOPLE},
        "subject": draft.subject,
        "text_body": draft.text_body or "",
        "html_body": draft.html_body or "",
        "send_at": draft.send_at,
    }


class ComposeForm(WrittenForm):
    """A new mail, from one of the environment's inboxes."""

    sender = forms.EmailField(
        label="From",
        max_length=320,
        widget=forms.EmailInput(attrs={"list": "drafts-senders"}),
        help_text="An inbox of this environment.",
    )
    field_order = ("sender", *PEOPLE, "subject", "text_body", "send_at", "attach")


class ReplyForm(WrittenForm):
    """An answer to a message."""

    field_order = (*PEOPLE, "subject", "text_body", "quote", "send_at", "attach")
    kind = forms.CharField(widget=forms.HiddenInput, required=False)
    quote = forms.BooleanField(label="Quote the message below", required=False, initial=True)

    def clean_to(self) -> Any:
        """Return who it goes to: somebody, since nobody is added to what was written."""
        if not self.cleaned_data["to"]:
            raise ValidationError("Name at least one recipient.")
        return self.cleaned_data["to"]


class ForwardForm(WrittenForm):
    """A message that is sent on."""

    field_order = (*PEOPLE, "subject", "text_body", "originals", "send_at", "attach")
    kind = forms.CharField(widget=forms.HiddenInput, required=False)
    originals = forms.ChoiceField(
        label="The message goes along",
        choices=[
            (Originals.INLINE.value, "in the text, with its files"),
            (Originals.EML.value, "as one file, byte for byte"),
            (Originals.NONE.value, "in the text, without its files"),
        ],
        initial=Originals.INLINE.value,
    )
