"""The API of organizations: themselves, their people, their environments, usage and audit."""
