"""Addresses of the list pages."""

from django.urls import path

from postroom.web.lists import views

urlpatterns = [
    path("lists/", views.show_lists, name="lists"),
    path("lists/<uuid:uid>/", views.show_list, name="list"),
    path("lists/<uuid:uid>/confirmation/", views.show_asking, name="list_asking"),
    path("lists/<uuid:uid>/people/", views.show_members, name="list_people"),
    path("lists/<uuid:uid>/counts/", views.count_list, name="list_counts"),
    path("lists/<uuid:uid>/mail/", views.show_confirmation, name="list_mail"),
    path("lists/<uuid:uid>/ask/", views.ask_again, name="list_ask"),
    path("lists/<uuid:uid>/delete/", views.delete_list, name="list_delete"),
]
