"""Who may do what in the console: one table, role by kind of thing. Django's own permissions play no part."""

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """What a person is, on the page they look at: it follows from memberships, and ends with them."""

    OWNER = "owner"
    ADMIN = "organization admin"
    ENVIRONMENT_ADMIN = "environment admin"
    ENVIRONMENT_MEMBER = "environment member"
    OPERATOR = "operator"
    STRANGER = "stranger"


class Kind(StrEnum):
    """What a model's rows are, as far as rights go; every admin class names one."""

    ORGANIZATION = "organization"
    PEOPLE = "people of the organization"
    ENVIRONMENT = "environments"
    PLACE = "places in an environment"
    KEY = "API keys"
    AUDIT = "audit entries"
    RESOURCE = "resources of an environment"
    LABEL = "labels"
    DRAFT = "drafts"
    EXPORT = "exports of an environment"
    RECORD = "what services write"
    INTERNAL = "internals"
    PLATFORM = "the platform"


VERBS = ("view", "add", "change", "delete")
ORGANIZATION_WIDE = frozenset({Role.OWNER, Role.ADMIN, Role.OPERATOR})
MAY_LET_MAIL_OUT = frozenset({Role.OWNER, Role.ADMIN, Role.ENVIRONMENT_ADMIN})

ALL = "view add change delete"
EVERYBODY = (Role.OWNER, Role.ADMIN, Role.ENVIRONMENT_ADMIN, Role.ENVIRONMENT_MEMBER, Role.OPERATOR)

MAY: Mapping[Kind, Mapping[Role, str]] = {
    Kind.ORGANIZATION: {
        Role.OWNER: "view change",
        Role.ADMIN: "view change",
        Role.ENVIRONMENT_ADMIN: "view",
        Role.ENVIRONMENT_MEMBER: "view",
        Role.OPERATOR: "view change",
    },
    Kind.PEOPLE: {Role.OWNER: ALL, Role.ADMIN: ALL, Role.OPERATOR: "view"},
    Kind.ENVIRONMENT: {
        Role.OWNER: ALL,
        Role.ADMIN: ALL,
        Role.ENVIRONMENT_ADMIN: "view change",
        Role.ENVIRONMENT_MEMBER: "view",
        Role.OPERATOR: "view change",
    },
    Kind.PLACE: {
        Role.OWNER: ALL,
        Role.ADMIN: ALL,
        Role.ENVIRONMENT_ADMIN: ALL,
        Role.ENVIRONMENT_MEMBER: "view",
        Role.OPERATOR: "view",
    },
    Kind.KEY: {Role.OWNER: ALL, Role.ADMIN: ALL, Role.ENVIRONMENT_ADMIN: ALL, Role.OPERATOR: "view delete"},
    Kind.AUDIT: {Role.OWNER: "view", Role.ADMIN: "view", Role.ENVIRONMENT_ADMIN: "view", Role.OPERATOR: "view"},
    Kind.RESOURCE: {
        Role.OWNER: ALL,
        Role.ADMIN: ALL,
        Role.ENVIRONMENT_ADMIN: ALL,
        Role.ENVIRONMENT_MEMBER: "view",
        Role.OPERATOR: "view",
    },
    Kind.LABEL: {
        Role.OWNER: "view add delete",
        Role.ADMIN: "view add delete",
        Role.ENVIRONMENT_ADMIN: "view add delete",
        Role.ENVIRONMENT_MEMBER: "view add delete",
        Role.OPERATOR: "view",
    },
    Kind.DRAFT: {  # to change one is to approve, reject or send it
        Role.OWNER: "view change",
        Role.ADMIN: "view change",
        Role.ENVIRONMENT_ADMIN: "view change",
        Role.ENVIRONMENT_MEMBER: "view change",
        Role.OPERATOR: "view",
    },
    Kind.EXPORT: {  # an operator sees that there are some, and fetches none
        Role.OWNER: "view add delete",
        Role.ADMIN: "view add delete",
        Role.ENVIRONMENT_ADMIN: "view add delete",
        Role.OPERATOR: "view",
    },
    Kind.RECORD: dict.fromkeys(EVERYBODY, "view"),
    Kind.INTERNAL: {Role.OPERATOR: "view"},
    Kind.PLATFORM: {Role.OPERATOR: "view"},
}


def may(role: Role, kind: Kind, verb: str) -> bool:
    """Return whether the table grants this verb, one of ``VERBS``, on this kind of thing to this role."""
    return verb in MAY[kind].get(role, "").split()
