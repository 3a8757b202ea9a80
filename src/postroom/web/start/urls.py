"""Addresses of the quick start."""

from django.urls import path

from postroom.web.start import views

urlpatterns = [
    path("start/", views.show_start, name="start"),
    path("start/arrival/", views.show_arrival, name="start_arrival"),
]
