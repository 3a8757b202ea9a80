"""Addresses of the sender pages."""

from django.urls import path

from postroom.web.senders import views

urlpatterns = [
    path("senders/", views.show_senders, name="senders"),
    path("senders/new/", views.add_sender, name="sender_new"),
    path("senders/sandbox/", views.add_sandbox, name="sandbox_new"),
]
