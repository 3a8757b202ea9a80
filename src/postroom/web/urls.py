"""Addresses of the application: accounts, and one workspace's pages under ``/w/<slug>/``."""

from django.urls import include, path

from postroom.web.accounts import urls as accounts
from postroom.web.bulk import urls as bulk
from postroom.web.campaigns import urls as campaigns
from postroom.web.companies import urls as companies
from postroom.web.connect import urls as connect
from postroom.web.contacts import urls as contacts
from postroom.web.domains import urls as domains
from postroom.web.exports import urls as exports
from postroom.web.fields import urls as fields
from postroom.web.imports import urls as imports
from postroom.web.keys import urls as keys
from postroom.web.lists import urls as lists
from postroom.web.mail_templates import urls as mail_templates
from postroom.web.messages import urls as messages
from postroom.web.overview import urls as overview
from postroom.web.privacy import urls as privacy
from postroom.web.reports import urls as reports
from postroom.web.sandbox import urls as sandbox
from postroom.web.segments import urls as segments
from postroom.web.senders import urls as senders
from postroom.web.start import urls as start
from postroom.web.suppressions import urls as suppressions
from postroom.web.topics import urls as topics
from postroom.web.webhooks import urls as webhooks

AREAS = (
    overview,
    contacts,
    companies,
    bulk,
    lists,
    topics,
    suppressions,
    segments,
    imports,
    exports,
    fields,
    privacy,
    campaigns,
    mail_templates,
    reports,
    messages,
    sandbox,
    senders,
    domains,
    start,
    keys,
    connect,
    webhooks,
)

in_workspace = ([pattern for area in AREAS for pattern in area.urlpatterns], "web")

urlpatterns = [
    *accounts.urlpatterns,
    path("w/<slug:slug>/", include(in_workspace)),
]
