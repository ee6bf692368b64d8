"""The same tables behind bare views of Django REST framework: no authentication, no scoping, no rate limit."""
