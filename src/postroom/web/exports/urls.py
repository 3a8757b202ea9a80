"""Addresses of the export pages."""

from django.urls import path

from postroom.web.exports import views

urlpatterns = [
    path("exports/", views.show_exports, name="exports"),
    path("exports/new/", views.start_export, name="export_new"),
    path("exports/size/", views.show_size, name="export_size"),
    path("exports/<uuid:uid>/", views.show_export, name="export"),
    path("exports/<uuid:uid>/file/", views.fetch_file, name="export_file"),
    path("exports/<uuid:uid>/cancel/", views.cancel_export, name="export_cancel"),
]
