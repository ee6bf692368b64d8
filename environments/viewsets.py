"""The base of every API view: who asks, where they stand, what they may, then the work, in one transaction.

A view declares a ``resource``; ``apikeys.permissions.HasScope`` asks for ``<resource>:read`` or ``:write``. A view on
an environment's rows declares its ``model`` and inherits ``EnvironmentViewSet``, which alone decides the queryset.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db import DatabaseError, models, transaction
from django.http.response import HttpResponseBase
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from environments.binding import finish, inside
from environments.callers import Caller
from environments.errors import NotFound, Refusal, field_error
from environments.forms import Query
from environments.ids import prefix_of
from environments.models import Environment, EnvironmentOwned, OrganizationOwned
from environments.pages import page
from environments.remembered import Remembered
from environments.resolution import resolve

READING = {"GET", "HEAD", "OPTIONS"}
PAGING = frozenset({"limit", "cursor"})
Action = TypeVar("Action", bound=Callable[..., Any])


def takes(query: type[Query]) -> Callable[[Action], Action]:
    """Declare which query parameters an action takes, beside those that name the environment or the page."""

    def marked(action: Action) -> Action:
        action.query = query  # type: ignore[attr-defined]
        return action

    return marked


def query_of(view: Any, action: str | None) -> type[Query] | None:
    """Return the query parameters that an action of the view was declared to take."""
    return getattr(getattr(view, action or "", None), "query", None)


@cache
def _names_in(query: type[Query]) -> frozenset[str]:
    return frozenset(query().fields)


@cache
def _unasked(query: type[Query]) -> Mapping[str, Any]:
    """Return what a query comes to in which nothing is given; raise ValidationFailed where something must be."""
    reader = query(data={})
    reader.is_valid(raise_exception=True)
    return MappingProxyType(reader.validated_data)


class _Kept(threading.local):
    """The fields of serializers that this thread has used."""

    def __init__(self) -> None:
        self.fields: dict[type[serializers.Serializer], Any] = {}


_KEPT = _Kept()


@contextmanager
def _with_kept_fields(reader: serializers.Serializer) -> Iterator[None]:
    """Lend a serializer the fields that one of its class had before: to copy them all takes longer than to use them."""
    fields = _KEPT.fields.pop(type(reader), None) or type(reader)().fields
    for field in fields.values():
        field.parent = reader
    reader.fields = fields
    try:
        yield
    finally:
        for field in fields.values():
            field.parent = None  # it would keep the body
        _KEPT.fields[type(reader)] = fields


class BaseViewSet(GenericViewSet):
    """One call: authenticated, permitted, and carried out in one transaction."""

    resource: ClassVar[str] = ""
    scopes: ClassVar[dict[str, str]] = {}  # the scope of an action that is neither its resource's read nor write
    serializer_class: Any = serializers.Serializer
    understood: ClassVar[frozenset[str]] = frozenset()  # what a body or a query may hold beside its fields
    paged: ClassVar[frozenset[str]] = frozenset({"list"})  # the actions that answer in pages
    is_in_transaction = False
    refused: Refusal | None = None
    lookup_value_regex = "[^/]+"

    @property
    def caller(self) -> Caller:
        """Return who asks."""
        return self.request.auth  # type: ignore[return-value]

    def needed_scope(self) -> str:
        """Return the scope that this call needs, or an empty string for none."""
        if self.action in self.scopes:
            return self.scopes[self.action]
        verb = "read" if self.request.method in READING else "write"
        return f"{self.resource}:{verb}" if self.resource else ""

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            with ExitStack() as self.open_transaction:
                response = super().dispatch(request, *args, **kwargs)
        except DatabaseError as problem:  # at commit, when the answer had been made
            self.is_in_transaction = False
            return self.finalize_response(self.request, self.handle_exception(problem), *args, **kwargs)
        if self.refused:
            finish(self.refused)
        return response

    def handle_exception(self, exc: Exception) -> Response:
        self.refused = exc if isinstance(exc, Refusal) else None
        return super().handle_exception(exc)

    def options(self, request: Any, *_: Any, **__: Any) -> Response:
        """Answer with the methods of this path, in ``Allow``."""
        return Response(status=204)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        try:
            super().initial(request, *args, **kwargs)  # authenticates, permits, finds the environment, counts the call
        except Refusal:
            self._count_refused(request)
            raise
        self._refuse_unknown_parameters(request)
        self.open_transaction.enter_context(self.transaction())
        self.is_in_transaction = True

    def _count_refused(self, request: Request) -> None:
        """Count a call that a key may not make as well: who probes for ids runs out of calls too."""
        is_counted = hasattr(request, "rate_headers")
        if isinstance(getattr(request, "_auth", None), Caller) and not is_counted:
            self.check_throttles(request)

    def _refuse_unknown_parameters(self, request: Request) -> None:
        """Raise ValidationFailed for a parameter that would be ignored: a filter with a slip in its name finds all."""
        is_by_link = request.auth is None  # whoever passes a link on may have added to it
        if is_by_link or not hasattr(self, self.action or ""):
            return
        query = query_of(self, self.action)
        known = self.understood | (_names_in(query) if query else set())
        unknown = request.query_params.keys() - known - (PAGING if self.action in self.paged else set())
        if unknown:
            raise field_error(min(unknown), "This call has no such parameter.")

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        for name, value in getattr(request, "rate_headers", {}).items():
            response.headers.setdefault(name, value)
        return response

    def transaction(self) -> Any:
        """Return the transaction in which the call is carried out."""
        return transaction.atomic()

    @contextmanager
    def between_transactions(self) -> Iterator[None]:
        """Commit what was done so far, run the block outside of every transaction, as for the network; open another."""
        self.open_transaction.close()
        self.is_in_transaction = False
        yield
        self.open_transaction.enter_context(self.transaction())
        self.is_in_transaction = True

    def body(self, serializer: type[serializers.Serializer], **options: Any) -> dict[str, Any]:
        """Return the validated body; raise ValidationFailed, also for fields that the call does not know."""
        given = self.request.data
        if not isinstance(given, dict):
            raise field_error("", "The body must be a JSON object.")
        reader = serializer(data=given, context=self.get_serializer_context(), **options)
        with _with_kept_fields(reader):
            unknown = given.keys() - reader.fields.keys() - self.understood
            if unknown:
                raise field_error(min(unknown), "This call has no such field.")
            reader.is_valid(raise_exception=True)
            return reader.validated_data

    def query(self) -> dict[str, Any]:
        """Return the validated query parameters that the action takes; raise ValidationFailed."""
        query = query_of(self, self.action)
        if query is None:
            raise ImproperlyConfigured(f"{type(self).__name__}.{self.action} takes no query: see takes().")
        if not self.request.query_params.keys() & _names_in(query):
            return dict(_unasked(query))
        reader = query(data=self.request.query_params, context=self.get_serializer_context())
        reader.is_valid(raise_exception=True)
        return reader.validated_data

    def listed(
        self, rows: models.QuerySet, present: Any, *, order: Sequence[str] = ("pk",), within: str = ""
    ) -> Response:
        """Return one page of rows, newest first; ``within`` names what else the cursor is bound to."""
        return Response(page(self.request, rows, present, order=order, name=f"{type(self).__name__}{within}"))


class OrganizationViewSet(BaseViewSet):
    """A view on rows of the caller's organization."""

    organization_model: ClassVar[type[OrganizationOwned]]

    def get_queryset(self) -> models.QuerySet:
        return self.organization_model.objects.in_organization(self.caller.organization_id)

    def found(self, identifier: str) -> Any:
        """Return the row with this id; raise NotFound."""
        return row_with_id(self.get_queryset(), identifier)


class EnvironmentViewSet(BaseViewSet):
    """A view on one environment's rows. It alone decides which; a subclass may not."""

    model: ClassVar[type[EnvironmentOwned]]
    understood = frozenset({"environment_id"})
    item_model: ClassVar[type[EnvironmentOwned] | None] = None  # what the id in the path names, when not ``model``
    environment: Environment

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if {"get_queryset", "queryset", "transaction", "check_permissions"} & vars(cls).keys():
            message = f"{cls.__name__} may not decide its own rows; use self.rows(model) and narrow what it returns."
            raise ImproperlyConfigured(message)

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.in_path = kwargs.pop("environment", None)  # of the nested form of a path; the flat one has none
        return super().dispatch(request, *args, **kwargs)

    def check_permissions(self, request: Request) -> None:
        super().check_permissions(request)
        self.environment = request.environment = self.resolved_environment()  # type: ignore[attr-defined]

    def transaction(self) -> Any:
        return inside(self.environment)

    def resolved_environment(self) -> Environment:
        """Return the environment of this call. Raises NotFound, EnvironmentConflict or EnvironmentRequired."""
        identifier = self.kwargs.get(self.lookup_url_kwarg or self.lookup_field)
        item = (self.item_model or self.model, identifier) if identifier else None
        return resolve(self.caller, self._named(), item)

    def _named(self) -> list[str]:
        request = self.request
        body = request.data if request.method not in READING else None
        given = [
            self.in_path,
            body.get("environment_id") if isinstance(body, dict) else None,
            *request.query_params.getlist("environment_id"),
            request.headers.get("AgentPost-Environment"),
        ]
        if not all(name is None or isinstance(name, str) for name in given):
            raise field_error("environment_id", "Must be a string: an id or a slug.")
        return [name for name in given if name]

    def get_queryset(self) -> models.QuerySet:
        return self.rows(self.model)

    def rows(self, model: type[EnvironmentOwned]) -> models.QuerySet:
        """Return the rows of a model in this call's environment."""
        return model.objects.in_environment(self.environment)

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "environment": getattr(self, "environment", None)}

    def found(self, identifier: str, model: type[EnvironmentOwned] | None = None) -> Any:
        """Return the row with this id in this call's environment; raise NotFound."""
        of = model or self.model
        try:
            row = _rows_by_id(of).first(self.environment.pk, identifier)
        except ValueError:  # it is no id, or that of another kind
            row = None
        if row is None:
            raise NotFound
        return row


@cache
def _rows_by_id(model: type[EnvironmentOwned]) -> Remembered[Any]:
    def build(environment_id: str, identifier: str) -> models.QuerySet:
        return model.objects.in_environment(Environment(pk=environment_id)).filter(pk=identifier)

    return Remembered(build, "env", prefix_of(model))


def row_with_id(rows: models.QuerySet, identifier: str, named_by: str = "pk") -> Any:
    """Return the row with this public id (or whose field ``named_by`` refers to it) out of ``rows``, in one query.

    Raises NotFound, also for what is no id at all.
    """
    field = rows.model._meta.pk if named_by == "pk" else rows.model._meta.get_field(named_by).target_field
    try:
        wanted = field.to_python(identifier)
    except ValidationError as problem:
        raise NotFound from problem
    row = rows.filter(**{named_by: wanted}).first()
    if row is None:
        raise NotFound
    return row
