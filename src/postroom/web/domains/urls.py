"""Addresses of the domain pages."""

from django.urls import path

from postroom.web.domains import views

urlpatterns = [
    path("domains/", views.show_domains, name="domains"),
    path("domains/<uuid:uid>/", views.show_domain, name="domain"),
    path("domains/<uuid:uid>/check/", views.check_domain, name="domain_check"),
    path("domains/<uuid:uid>/keys/", views.rotate_keys, name="domain_keys"),
    path("domains/<uuid:uid>/keys/drop/", views.drop_keys, name="domain_keys_drop"),
    path("domains/<uuid:uid>/test/", views.send_test, name="domain_test"),
    path("domains/<uuid:uid>/delete/", views.delete_domain, name="domain_delete"),
]
