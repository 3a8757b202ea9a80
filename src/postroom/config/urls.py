"""Every URL Django answers: each door brings its own list."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("postroom.edge.urls")),
    path("", include("postroom.web.urls")),
]
