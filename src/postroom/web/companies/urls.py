"""Addresses of the company pages."""

from django.urls import path

from postroom.web.companies import views

urlpatterns = [
    path("companies/", views.show_companies, name="companies"),
    path("companies/new/", views.add_company, name="company_new"),
    path("companies/<uuid:uid>/", views.show_company, name="company"),
    path("companies/<uuid:uid>/edit/", views.edit_company, name="company_edit"),
    path("companies/<uuid:uid>/delete/", views.delete_company, name="company_delete"),
]
