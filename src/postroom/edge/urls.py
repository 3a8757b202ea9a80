"""What the edge answers through Django; readable pixels and clicks never come this far."""

from django.urls import path

from postroom.edge.tracking.views import show_lost_link
from postroom.edge.unsubscribe.views import unsubscribe

app_name = "edge"
urlpatterns = [
    path("u/<str:token>", unsubscribe, name="unsubscribe"),
    path("c/<path:token>", show_lost_link, name="click"),
    path("o/<path:token>", show_lost_link, name="pixel"),
]
