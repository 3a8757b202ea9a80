"""Addresses of the contact pages."""

from django.urls import path

from postroom.web.contacts import directory, merging, notes, views

urlpatterns = [
    path("contacts/", directory.show_contacts, name="contacts"),
    path("contacts/count/", directory.count_contacts, name="contact_count"),
    path("contacts/find/", directory.find_contacts, name="contact_find"),
    path("contacts/new/", views.add_contact, name="contact_new"),
    path("contacts/<uuid:uid>/", views.show_contact, name="contact"),
    path("contacts/<uuid:uid>/edit/", views.edit_contact, name="contact_edit"),
    path("contacts/<uuid:uid>/delete/", views.delete_contact, name="contact_delete"),
    path("contacts/<uuid:uid>/tags/", views.change_tag, name="contact_tag"),
    path("contacts/<uuid:uid>/lists/", views.change_list, name="contact_list"),
    path("contacts/<uuid:uid>/consents/", views.change_consent, name="contact_consent"),
    path("contacts/<uuid:uid>/companies/", views.change_company, name="contact_company"),
    path("contacts/<uuid:uid>/notes/", notes.add_note, name="contact_note"),
    path("contacts/<uuid:uid>/merge/", merging.merge_contact, name="contact_merge"),
    path("contacts/notes/<uuid:uid>/", notes.edit_note, name="note_edit"),
    path("contacts/notes/<uuid:uid>/delete/", notes.delete_note, name="note_delete"),
]
