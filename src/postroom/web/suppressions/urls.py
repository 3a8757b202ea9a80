"""Addresses of the suppression pages."""

from django.urls import path

from postroom.web.suppressions import views

urlpatterns = [
    path("suppressions/", views.show_suppressions, name="suppressions"),
    path("suppressions/add/", views.add_suppressions, name="suppression_new"),
    path("suppressions/file/", views.read_file, name="suppression_file"),
    path("suppressions/take/", views.take_file, name="suppression_take"),
    path("suppressions/files/<uuid:uid>/", views.show_run, name="suppression_run"),
    path("suppressions/<uuid:uid>/", views.show_suppression, name="suppression"),
]
