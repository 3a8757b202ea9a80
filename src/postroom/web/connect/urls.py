"""Addresses of the SMTP page."""

from django.urls import path

from postroom.web.connect import views

urlpatterns = [path("connect/", views.show_smtp, name="connect")]
