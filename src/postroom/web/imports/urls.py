"""Addresses of the import pages."""

from django.urls import path

from postroom.web.imports import views

urlpatterns = [
    path("imports/", views.show_imports, name="imports"),
    path("imports/new/", views.upload_file, name="import_new"),
    path("imports/map/<str:token>/", views.map_columns, name="import_map"),
    path("imports/<uuid:uid>/", views.show_import, name="import"),
    path("imports/<uuid:uid>/refused.csv", views.download_errors, name="import_errors"),
    path("imports/<uuid:uid>/cancel/", views.cancel_import, name="import_cancel"),
    path("imports/<uuid:uid>/undo/", views.undo_import, name="import_undo"),
]
