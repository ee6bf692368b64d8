"""What a key may do: the scope that a call needs, by the resource that its view declares."""

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from environments.errors import MissingScope

if TYPE_CHECKING:
    from environments.viewsets import BaseViewSet


class HasScope(BasePermission):
    """Refuse a call whose key lacks the scope; a view that declares no resource is open to every valid key."""

    def has_permission(self, request: Request, view: "BaseViewSet") -> bool:  # type: ignore[override]
        if view.action is None:  # a method that the view does not have: 405 follows
            return True
        scope = view.needed_scope()
        if scope and scope not in request.auth.scopes:  # type: ignore[union-attr]
            raise MissingScope(scope)
        return True
