"""Addresses of the pages of templates."""

from django.urls import path

from postroom.web.mail_templates import views

urlpatterns = [
    path("templates/", views.show_templates, name="templates"),
    path("templates/preview/", views.preview, name="template_preview"),
    path("templates/<uuid:uid>/", views.edit, name="template"),
    path("templates/<uuid:uid>/test/", views.send_test, name="template_test"),
    path("templates/<uuid:uid>/duplicate/", views.duplicate, name="template_duplicate"),
    path("templates/<uuid:uid>/delete/", views.delete, name="template_delete"),
]
