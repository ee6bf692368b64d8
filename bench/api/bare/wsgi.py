"""The application for granian."""

import os

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler

os.environ["DJANGO_SETTINGS_MODULE"] = "bench.api.bare.settings"
django.setup()  # which wants the product's own middleware, as its applications do
settings.MIDDLEWARE = settings.PLAIN_MIDDLEWARE
application = WSGIHandler()

import bench.api.bare.urls  # noqa: E402, F401 - so that no request has to wait for all these imports
