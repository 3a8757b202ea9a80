"""Addresses of the reports."""

from django.urls import path

from postroom.web.reports import views

urlpatterns = [path("campaigns/<uuid:uid>/report/", views.show_report, name="report")]
