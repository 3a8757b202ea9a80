"""Addresses of the pages of bulk changes."""

from django.urls import path

from postroom.web.bulk import views

urlpatterns = [
    path("bulk/", views.show_runs, name="bulk_runs"),
    path("bulk/new/", views.start_run, name="bulk_new"),
    path("bulk/<uuid:uid>/", views.show_run, name="bulk_run"),
    path("bulk/<uuid:uid>/cancel/", views.cancel_run, name="bulk_cancel"),
    path("bulk/<uuid:uid>/undo/", views.undo_run, name="bulk_undo"),
]
