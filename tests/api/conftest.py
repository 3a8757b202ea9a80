"""Passwords play no part here, so they cost nothing."""

import pytest
from pytest_django import Settings


@pytest.fixture(autouse=True)
def cheap_passwords(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
