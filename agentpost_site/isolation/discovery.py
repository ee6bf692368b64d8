"""What there is to be tried, found where it is registered, so that nothing new goes unnoticed."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.apps import apps
from django.core.management import get_commands
from django.db import models
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern
from procrastinate.contrib.django import app as procrastinate_app
from procrastinate.tasks import Task

from environments.api.environments import EnvironmentMemberView, EnvironmentView
from environments.checks import PLATFORM
from environments.models import Environment, EnvironmentOwned, Member, OrganizationOwned
from environments.viewsets import EnvironmentViewSet, OrganizationViewSet
from mail.api.threads import DownloadView
from mail.api.unsubscribe import UnsubscribeView
from mail.api.uploads import UploadView
from mail.models import Attachment, Upload

OURS = ("environments", "apikeys", "webhooks", "inboxes", "mail", "agentpost_site")
API = "api/v1/"
CONSOLE = "console/"
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
NAMED: dict[type, type[models.Model]] = {
    EnvironmentView: Environment,
    DownloadView: Attachment,
    UploadView: Upload,
    UnsubscribeView: Environment,  # its token names one, and a recipient; no id opens it
}

SIGNED = {  # routes that ask for no key, and why
    "api/v1/attachments/<str:pk>/download": "the signature in the link is the right",
    "api/v1/uploads/<str:pk>": "the signature in the link is the right",
    "api/v1/provider-webhooks/<str:token>": "the token in the URL is the right, and leads to its own environment",
    "api/v1/unsubscribe/<str:token>": "who holds the link is the recipient, or acts for them",
}


@dataclass(frozen=True)
class Operation:
    """One method of one route of the API."""

    route: str
    method: str
    action: str
    view: Any

    @property
    def name(self) -> str:
        """Return the operation as a reader knows it."""
        return f"{self.method} /{self.route}"

    @cached_property
    def parameters(self) -> dict[str, type[models.Model] | None]:
        """Return what each parameter of the path names; None when that is not known."""
        return {name: self._named(name) for name in PARAMETER.findall(self.route)}

    def _named(self, parameter: str) -> type[models.Model] | None:
        if parameter == "environment":
            return Environment
        if issubclass(self.view, EnvironmentMemberView):
            return Member
        if issubclass(self.view, EnvironmentViewSet):
            return self.view.item_model or self.view.model
        if issubclass(self.view, OrganizationViewSet):
            return self.view.organization_model
        return NAMED.get(self.view)

    @property
    def is_of_an_environment(self) -> bool:
        """Return whether the call is in one environment (PRODUCT: every request but the organization's own)."""
        return issubclass(self.view, EnvironmentViewSet)

    @property
    def is_list(self) -> bool:
        """Return whether the operation answers with a page of rows."""
        return self.action == "list"

    @property
    def takes_a_body(self) -> bool:
        """Return whether the method carries a body."""
        return self.method in {"POST", "PUT", "PATCH", "DELETE"}

    def path(self, values: dict[str, str]) -> str:
        """Return the path with these values in it."""
        return "/" + PARAMETER.sub(lambda match: values[match[1]], self.route)


@dataclass(frozen=True)
class Page:
    """A route that is no operation of the API: of the console, or of the site itself."""

    route: str
    name: str
    callback: Callable[..., Any]

    @property
    def parameters(self) -> list[str]:
        """Return the names of the path's parameters."""
        return [*PARAMETER.findall(self.route), *re.findall(r"\(\?P<(\w+)>", self.route)]


def _patterns(entries: list[Any], prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in entries:
        route = prefix + _written(entry)
        if isinstance(entry, URLResolver):
            yield from _patterns(entry.url_patterns, route)
        else:
            yield route, entry


def _written(entry: URLPattern | URLResolver) -> str:
    text = str(entry.pattern)
    return text.strip("^$") if isinstance(entry.pattern, RegexPattern) else text


def operations() -> list[Operation]:
    """Return every operation of every API view, flat and nested."""
    found = []
    for route, pattern in _patterns(get_resolver().url_patterns):
        view, verbs = getattr(pattern.callback, "cls", None), getattr(pattern.callback, "actions", None)
        if view is not None and verbs:
            found += [Operation(route, verb.upper(), action, view) for verb, action in verbs.items() if verb != "head"]
    return found


def pages(*, of_the_console: bool) -> list[Page]:
    """Return every route that is no API operation, of the console or of the rest of the site."""
    found = []
    for route, pattern in _patterns(get_resolver().url_patterns):
        is_operation = getattr(pattern.callback, "actions", None) and getattr(pattern.callback, "cls", None)
        if not is_operation and route.startswith(CONSOLE) == of_the_console:
            found.append(Page(route, pattern.name or "", pattern.callback))
    return found


def environment_owned() -> list[type[EnvironmentOwned]]:
    """Return every model behind the walls."""
    return [model for model in our_models() if issubclass(model, EnvironmentOwned)]


def our_models() -> list[type[models.Model]]:
    """Return every model of our apps."""
    return [model for model in apps.get_models(include_auto_created=True) if model._meta.app_label in OURS]


def unwalled_models() -> list[str]:
    """Return the models that belong to no environment and to no organization, without a reason being known."""
    return [
        model._meta.label
        for model in our_models()
        if not issubclass(model, EnvironmentOwned | OrganizationOwned) and _declared(model) not in PLATFORM
    ]


def _declared(model: type[models.Model]) -> str:
    """Return the label of the model whose declaration made this one: itself, or the owner of a many-to-many field."""
    owner = model._meta.auto_created
    return (owner if isinstance(owner, type) else model)._meta.label


def commands() -> dict[str, str]:
    """Return our management commands with the app of each."""
    return {name: app for name, app in sorted(get_commands().items()) if app in OURS}


def tasks() -> dict[str, Task]:
    """Return our jobs by name."""
    found = {task.name: task for task in procrastinate_app.tasks.values()}
    return {name: task for name, task in sorted(found.items()) if task.func.__module__.partition(".")[0] in OURS}
