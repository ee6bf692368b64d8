"""Uploads over the API: a place for a file, and the link under which its bytes come."""

from django.conf import settings
from django.http.request import UnreadablePostError
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from environments.binding import inside
from environments.clock import written
from environments.errors import MalformedRequest, TooLarge
from environments.forms import Query, StrictCharField
from environments.models import Environment
from environments.viewsets import BaseViewSet, EnvironmentViewSet, takes
from mail.api.bodies import UploadBody
from mail.models import Upload
from mail.services import uploads


class UploadUrlOutput(serializers.Serializer):
    """Where to ``PUT`` the bytes, until when, and the key to name in an attachment afterwards."""

    upload_url = serializers.CharField()
    key = serializers.CharField()
    expires_at = serializers.DateTimeField()


class UploadOutput(serializers.Serializer):
    """A file that has come."""

    key = serializers.CharField()
    filename = serializers.CharField()
    mime_type = serializers.CharField()
    size = serializers.IntegerField()
    expires_at = serializers.DateTimeField()


class UploadUrlView(EnvironmentViewSet):
    """Places for files."""

    resource = "messages"
    scopes = {"create": "messages:send"}  # noqa: RUF012 - declared in the base
    model = Upload

    @extend_schema(request=UploadBody, responses={201: UploadUrlOutput})
    def create(self, request: Request) -> Response:
        """Return a link to ``PUT`` a file to, which needs no key, and the ``key`` to attach it by for 24 hours."""
        given = self.body(UploadBody)
        announced = uploads.announce(
            self.environment,
            filename=given["filename"],
            content_type=given["mime_type"],
            size=given["size"],
        )
        url = f"{settings.AGENTPOST_PUBLIC_URL}/api/v1/uploads/{announced.upload.pk}?token={announced.token}"
        return Response({"upload_url": url, "key": announced.upload.pk, "expires_at": written(announced.until)}, 201)


class UploadQuery(Query):
    """The signature of an upload link."""

    token = StrictCharField(max_length=300)


class UploadView(BaseViewSet):
    """What a signed link takes in; the signature is the right, so no key is asked for."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    @takes(UploadQuery)
    @extend_schema(
        request={"application/octet-stream": OpenApiTypes.BINARY},
        responses=UploadOutput,
    )
    def update(self, request: Request, pk: str) -> Response:
        """Take the bytes of an announced file, whatever Content-Type they come with."""
        environment_id, size = uploads.opened_by(self.query()["token"], pk)
        environment = Environment(pk=environment_id)
        content = self._content(size)
        with inside(environment):
            upload = uploads.store(environment, pk, content)
        shown = {"key": upload.pk, "filename": upload.filename, "mime_type": upload.content_type}
        return Response({**shown, "size": upload.size, "expires_at": written(upload.expires_at)})

    def _content(self, size: int) -> bytes:
        """Return the body; raise TooLarge before reading what is announced as larger than the file."""
        announced = self.request.META.get("CONTENT_LENGTH") or "0"
        if announced.isdigit() and int(announced) > size:
            raise TooLarge(f"The file was announced with {size} bytes; there are more.", fix="Ask for a new URL.")
        plain = self.request._request  # noqa: SLF001 - DRF would look for a parser of the Content-Type
        try:
            return bytes(plain.read(size + 1))
        except UnreadablePostError as problem:
            raise MalformedRequest("The body broke off.", fix="Send it again.") from problem
