"""Addresses of signing in; sign-up and password reset have none, because they are closed."""

from allauth.account.views import AccountInactiveView, LoginView, LogoutView
from django.urls import path

from postroom.web.accounts import views

urlpatterns = [
    path("", views.home, name="home"),
    path("accounts/login/", LoginView.as_view(template_name="web/accounts/sign_in.html"), name="account_login"),
    path("accounts/logout/", LogoutView.as_view(template_name="web/accounts/sign_out.html"), name="account_logout"),
    path(
        "accounts/inactive/",
        AccountInactiveView.as_view(template_name="web/accounts/inactive.html"),
        name="account_inactive",
    ),
]
