"""Addresses of the import pages."""

from django.urls import path

from postroom.web.imports import views

urlpatterns = [
    path("imports/", views.show_imports, name="imports"),
    path("imports/new/", views.upload_file, name="import_new"),
    path("imports/map/<str:token>/", views.map_columns, name="import_map"),
    path("imports/<uuid:uid>/", views.show_import, name="import"),
]
