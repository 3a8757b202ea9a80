"""Addresses of the overview."""

from django.urls import path

from postroom.web.overview import views

urlpatterns = [path("", views.show_overview, name="overview")]
