"""Addresses of the messages' pages."""

from django.urls import path

from postroom.web.messages import acts, parts, views

urlpatterns = [
    path("messages/", views.show_messages, name="messages"),
    path("messages/export/", views.export, name="messages_export"),
    path("messages/<uuid:uid>/", views.show_message, name="message"),
    path("messages/<uuid:uid>/body/", parts.show_body, name="message_body"),
    path("messages/<uuid:uid>/text/", parts.show_text, name="message_text"),
    path("messages/<uuid:uid>/source/", parts.show_source, name="message_source"),
    path("messages/<uuid:uid>/files/<int:number>/", parts.fetch_file, name="message_file"),
    path("messages/<uuid:uid>/retry/", acts.retry, name="message_retry"),
    path("messages/<uuid:uid>/cancel/", acts.cancel, name="message_cancel"),
    path("messages/<uuid:uid>/reschedule/", acts.reschedule, name="message_reschedule"),
    path("messages/<uuid:uid>/suppress/", acts.suppress, name="message_suppress"),
]
