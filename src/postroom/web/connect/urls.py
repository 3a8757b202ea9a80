"""Addresses of the pages for developers: SMTP, and where the documentation is."""

from django.urls import path

from postroom.web.connect import views

urlpatterns = [
    path("connect/", views.show_smtp, name="connect"),
    path("docs/", views.show_docs, name="docs"),
]
