"""Addresses of the API keys' pages."""

from django.urls import path

from postroom.web.keys import views

urlpatterns = [
    path("keys/", views.show_keys, name="keys"),
    path("keys/<uuid:uid>/", views.show_key, name="key"),
    path("keys/<uuid:uid>/revoke/", views.revoke, name="key_revoke"),
]
