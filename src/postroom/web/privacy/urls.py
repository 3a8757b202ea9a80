"""Addresses of the privacy pages of one person."""

from django.urls import path

from postroom.web.privacy import views

urlpatterns = [
    path("contacts/<uuid:uid>/data/", views.export_person, name="privacy_export"),
    path("contacts/<uuid:uid>/erase/", views.erase_person, name="privacy_erase"),
]
