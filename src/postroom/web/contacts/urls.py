"""Addresses of the contact pages."""

from django.urls import path

from postroom.web.contacts import views

urlpatterns = [
    path("contacts/", views.show_contacts, name="contacts"),
    path("contacts/new/", views.add_contact, name="contact_new"),
    path("contacts/<uuid:uid>/", views.show_contact, name="contact"),
    path("contacts/<uuid:uid>/edit/", views.edit_contact, name="contact_edit"),
    path("contacts/<uuid:uid>/tags/", views.change_tag, name="contact_tag"),
    path("contacts/<uuid:uid>/lists/", views.change_list, name="contact_list"),
    path("contacts/<uuid:uid>/consents/", views.change_consent, name="contact_consent"),
]
