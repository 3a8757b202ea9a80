"""Reads of people's requests about their own data."""

import hashlib
from datetime import datetime

from postroom.core.contacts.errors import NoSuchPrivacyLink, PrivacyLinkGone
from postroom.core.contacts.models import PrivacyRequest
from postroom.kit.tokens import read_token

PURPOSE = "privacy"


def find_privacy_request(*, token: str, now: datetime) -> PrivacyRequest:
    """Return the request behind a link, its person and workspace loaded.

    Raises NoSuchPrivacyLink for a link we never sent, PrivacyLinkGone for one that was used or has expired.
    """
    uid = read_token(PURPOSE, token)
    rows = PrivacyRequest.objects.select_related("workspace__organization", "contact")
    request = rows.filter(token_hash=hash_token(token)).first() if uid else None
    if request is None or request.uid.bytes != uid:
        raise NoSuchPrivacyLink
    check_usable(request, now=now)
    return request


def check_usable(request: PrivacyRequest, *, now: datetime) -> None:
    """Raise PrivacyLinkGone unless the link can be used."""
    is_known = request.contact is not None and request.contact.erased_at is None
    if request.used_at is not None or now >= request.expires_at or not is_known:
        raise PrivacyLinkGone


def hash_token(token: str) -> bytes:
    """Return what is stored of a link's secret."""
    return hashlib.sha256(token.encode()).digest()
