"""Addresses of the segment pages."""

from django.urls import path

from postroom.web.segments import views, why

urlpatterns = [
    path("segments/", views.show_segments, name="segments"),
    path("segments/new/", views.add_segment, name="segment_new"),
    path("segments/tree/", views.show_tree, name="segment_tree"),
    path("segments/preview/", views.preview, name="segment_preview"),
    path("segments/<uuid:uid>/", views.edit_segment, name="segment"),
    path("segments/<uuid:uid>/why/", why.show_why, name="segment_why"),
    path("segments/<uuid:uid>/delete/", views.delete_segment, name="segment_delete"),
]
