"""Addresses of the list pages."""

from django.urls import path

from postroom.web.lists import views

urlpatterns = [
    path("lists/", views.show_lists, name="lists"),
    path("lists/categories/", views.add_category, name="category_new"),
]
