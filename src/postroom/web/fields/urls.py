"""Addresses of the field pages."""

from django.urls import path

from postroom.web.fields import views

urlpatterns = [
    path("fields/", views.show_fields, name="fields"),
    path("fields/new/", views.add_field, name="field_new"),
    path("fields/<uuid:uid>/", views.show_field, name="field"),
    path("fields/<uuid:uid>/type/", views.change_type, name="field_type"),
    path("fields/<uuid:uid>/move/", views.move_field, name="field_move"),
    path("fields/<uuid:uid>/delete/", views.delete_field, name="field_delete"),
]
