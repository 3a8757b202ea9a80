"""Every URL Django answers: each door brings its own list."""

from django.urls import URLPattern, URLResolver, include, path, re_path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("postroom.edge.urls")),
    # Clients whose base address ends in a slash ask with two.
    re_path("^crm/+", include("postroom.api.crm.api")),
    re_path("^usesend/+", include("postroom.api.usesend.api")),
    path("", include("postroom.web.urls")),
]
