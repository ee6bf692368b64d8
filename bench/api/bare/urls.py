"""The calls that are measured."""

from django.urls import path

from bench.api.bare import views

urlpatterns = [
    path("environments/<str:environment>/messages", views.Messages.as_view()),
    path("environments/<str:environment>/search", views.Search.as_view()),
    path("messages/<str:pk>", views.OneMessage.as_view()),
    path("messages/<str:pk>/labels", views.Labels.as_view()),
    path("inboxes/<str:inbox>/messages", views.Send.as_view()),
]
