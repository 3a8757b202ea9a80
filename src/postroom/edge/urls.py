"""What the edge answers through Django; readable pixels and clicks never come this far."""

from django.urls import path

from postroom.edge.confirm.views import confirm
from postroom.edge.preferences.views import ask_link, find_way, show_preferences
from postroom.edge.privacy import views as privacy
from postroom.edge.tracking.views import show_lost_link
from postroom.edge.unsubscribe.views import unsubscribe

app_name = "edge"
urlpatterns = [
    path("u/<str:token>", unsubscribe, name="unsubscribe"),
    path("p/", find_way, name="preferences_way"),
    path("p/<str:token>", show_preferences, name="preferences"),
    path("preferences/<slug:slug>/", ask_link, name="preferences_ask"),
    path("confirm/<str:token>", confirm, name="confirm"),
    path("privacy/r/<str:token>", privacy.open_link, name="privacy_link"),
    path("privacy/<slug:slug>/", privacy.ask_link, name="privacy_ask"),
    path("c/<path:token>", show_lost_link, name="click"),
    path("o/<path:token>", show_lost_link, name="pixel"),
]
