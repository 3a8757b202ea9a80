"""Addresses of the campaign pages."""

from django.urls import path

from postroom.web.campaigns import acts, views

urlpatterns = [
    path("campaigns/", views.show_campaigns, name="campaigns"),
    path("campaigns/<uuid:uid>/", views.compose, name="campaign"),
    path("campaigns/preview/", views.preview, name="campaign_preview"),
    path("campaigns/audience/", views.count_audience, name="campaign_audience"),
    path("campaigns/<uuid:uid>/test/", acts.send_test, name="campaign_test"),
    path("campaigns/<uuid:uid>/send/", acts.send, name="campaign_send"),
    path("campaigns/<uuid:uid>/schedule/", acts.schedule, name="campaign_schedule"),
    path("campaigns/<uuid:uid>/waves/", acts.show_waves, name="campaign_waves"),
    path("campaigns/<uuid:uid>/repeat/", acts.repeat, name="campaign_repeat"),
    path("campaigns/<uuid:uid>/again/", acts.resend, name="campaign_resend"),
    path("campaigns/<uuid:uid>/decide/", acts.decide, name="campaign_decide"),
    path("campaigns/<uuid:uid>/pause/", acts.pause, name="campaign_pause"),
    path("campaigns/<uuid:uid>/resume/", acts.resume, name="campaign_resume"),
    path("campaigns/<uuid:uid>/cancel/", acts.cancel, name="campaign_cancel"),
    path("campaigns/<uuid:uid>/delete/", acts.delete, name="campaign_delete"),
]
