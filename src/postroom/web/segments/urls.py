"""Addresses of the segment pages."""

from django.urls import path

from postroom.web.segments import views

urlpatterns = [
    path("segments/", views.show_segments, name="segments"),
    path("segments/new/", views.add_segment, name="segment_new"),
    path("segments/condition/", views.show_condition, name="segment_condition"),
    path("segments/preview/", views.preview, name="segment_preview"),
    path("segments/<uuid:uid>/", views.edit_segment, name="segment"),
    path("segments/<uuid:uid>/delete/", views.delete_segment, name="segment_delete"),
]
