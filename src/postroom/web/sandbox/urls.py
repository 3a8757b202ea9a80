"""Addresses of the sandbox mailbox."""

from django.urls import path

from postroom.web.sandbox import views

urlpatterns = [
    path("sandbox/", views.show_mailbox, name="sandbox"),
    path("sandbox/<uuid:uid>/", views.show_mail, name="sandbox_mail"),
    path("sandbox/<uuid:uid>/body/", views.show_body, name="sandbox_body"),
    path("sandbox/<uuid:uid>/raw/", views.show_raw, name="sandbox_raw"),
]
