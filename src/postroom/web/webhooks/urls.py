"""Addresses of the webhooks' pages."""

from django.urls import path

from postroom.web.webhooks import views

urlpatterns = [
    path("webhooks/", views.show_webhooks, name="webhooks"),
    path("webhooks/new/", views.add_webhook, name="webhook_new"),
    path("webhooks/calls/<uuid:uid>/", views.show_call, name="webhook_call"),
    path("webhooks/calls/<uuid:uid>/replay/", views.replay_call, name="webhook_call_replay"),
    path("webhooks/<uuid:uid>/", views.show_webhook, name="webhook"),
    path("webhooks/<uuid:uid>/edit/", views.edit_webhook, name="webhook_edit"),
    path("webhooks/<uuid:uid>/test/", views.test_webhook, name="webhook_test"),
    path("webhooks/<uuid:uid>/pause/", views.pause_webhook, name="webhook_pause"),
    path("webhooks/<uuid:uid>/resume/", views.resume_webhook, name="webhook_resume"),
    path("webhooks/<uuid:uid>/secret/", views.rotate_secret, name="webhook_secret"),
    path("webhooks/<uuid:uid>/replay/", views.replay_failed, name="webhook_replay"),
    path("webhooks/<uuid:uid>/delete/", views.delete_webhook, name="webhook_delete"),
]
