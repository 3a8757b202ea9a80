"""Addresses of the sender pages."""

from django.urls import path

from postroom.web.senders import acts, hooks, views

urlpatterns = [
    path("senders/", views.show_senders, name="senders"),
    path("senders/new/", views.add_sender, name="sender_new"),
    path("senders/sandbox/", views.add_sandbox, name="sandbox_new"),
    path("senders/limits/", acts.add_limit, name="limit_new"),
    path("senders/limits/<uuid:uid>/", acts.edit_limit, name="limit"),
    path("senders/limits/<uuid:uid>/remove/", acts.remove_limit, name="limit_remove"),
    path("senders/brakes/", acts.set_brakes, name="brakes"),
    path("senders/stop/", acts.stop, name="stop"),
    path("senders/resume/", acts.resume, name="stop_end"),
    path("senders/stop-everything/", acts.stop_everything, name="stop_everything"),
    path("senders/resume-everything/", acts.resume_everything, name="stop_everything_end"),
    path("senders/<uuid:uid>/", views.show_sender, name="sender"),
    path("senders/<uuid:uid>/edit/", views.edit_sender, name="sender_edit"),
    path("senders/<uuid:uid>/switch/", acts.switch_sender, name="sender_switch"),
    path("senders/<uuid:uid>/relay/", acts.choose_relay, name="sender_relay"),
    path("senders/<uuid:uid>/test/", acts.test_sender, name="sender_test"),
    path("senders/<uuid:uid>/warm-up/", acts.warm_up, name="sender_warm_up"),
    path("senders/<uuid:uid>/warm-up/end/", acts.end_warm_up, name="sender_warm_up_end"),
    path("senders/<uuid:uid>/reports/", hooks.show_reports, name="sender_reports"),
    path("senders/reports/<uuid:uid>/replay/", hooks.replay_report, name="sender_report_replay"),
    path("senders/<uuid:uid>/delete/", acts.delete_sender, name="sender_delete"),
]
