"""Addresses of the messages' pages."""

from django.urls import path

from postroom.web.messages import views

urlpatterns = [
    path("messages/", views.show_messages, name="messages"),
    path("messages/<uuid:uid>/", views.show_message, name="message"),
    path("messages/<uuid:uid>/body/", views.show_body, name="message_body"),
    path("messages/<uuid:uid>/retry/", views.retry, name="message_retry"),
    path("messages/<uuid:uid>/cancel/", views.cancel, name="message_cancel"),
    path("messages/<uuid:uid>/suppress/", views.suppress, name="message_suppress"),
]
