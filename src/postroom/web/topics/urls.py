"""Addresses of the topic pages."""

from django.urls import path

from postroom.web.topics import views

urlpatterns = [
    path("topics/", views.show_topics, name="topics"),
    path("topics/<uuid:uid>/", views.show_topic, name="topic"),
    path("topics/<uuid:uid>/counts/", views.count_topic, name="topic_counts"),
    path("topics/<uuid:uid>/move/", views.move_topic, name="topic_move"),
    path("topics/<uuid:uid>/delete/", views.delete_topic, name="topic_delete"),
]
