"""One spelling for one e-mail address, so that no variant slips past a unique rule or a suppression."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

from email_validator import EmailNotValidError, validate_email

from postroom.core.contacts.errors import BadAddress

_PLAIN_LOCAL: Final = re.compile(r"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*\Z")
_ANGLE: Final = re.compile(r"[^<>]*<([^<>]+)>\s*\Z")
_MAX_LOCAL: Final = 64
_MAX_ADDRESS: Final = 254
_MAX_WRITTEN: Final = 1_000
"""Characters of an address as somebody wrote it; longer ones are not worth a look, nor room among the known domains."""


def normalise_email(text: str, *, accepts_angle: bool = False) -> str:
    """Return the one spelling of an address: NFC, lower case, its domain as A-labels (RFC 5890).

    ``accepts_angle`` also reads ``Name <address>``. Raises BadAddress with the reason.
    """
    address = text.strip()
    if accepts_angle and address.endswith(">") and (match := _ANGLE.match(address)):
        address = match.group(1).strip()
    if len(address) > _MAX_WRITTEN:
        raise BadAddress(f"{_shown(address)} is longer than {_MAX_ADDRESS} characters.")
    if not address.isascii():
        address = unicodedata.normalize("NFC", address)
    address = address.lower()
    local, _, domain = address.rpartition("@")
    # Most addresses have a plain local part; for these only the domain is asked of the library, and once.
    if len(local) <= _MAX_LOCAL and _PLAIN_LOCAL.match(local) and (ascii_domain := _known_domain(domain)):
        return _checked_length(f"{local}@{ascii_domain}")
    return _validated(address)


def mask_email(email: str) -> str:
    """Return the address as its owner recognises it and others do not, since links get forwarded."""
    local_part, _, domain = email.rpartition("@")
    return f"{local_part[:1]}…@{domain}"


@lru_cache(maxsize=32_768)
def _known_domain(domain: str) -> str:
    """Return the domain as A-labels, or an empty text when it is none."""
    try:
        return validate_email(f"a@{domain}", strict=True, check_deliverability=False).ascii_domain
    except EmailNotValidError:
        return ""


def _validated(address: str) -> str:
    try:
        found = validate_email(address, strict=True, check_deliverability=False)
    except EmailNotValidError as error:
        raise BadAddress(f"{_shown(address)} is not an e-mail address: {error}") from error
    return _checked_length(f"{found.local_part}@{found.ascii_domain}")


def _checked_length(address: str) -> str:
    if len(address) > _MAX_ADDRESS:
        raise BadAddress(f"{_shown(address)} is longer than {_MAX_ADDRESS} characters.")
    return address


def _shown(address: str) -> str:
    return repr(address if len(address) <= 80 else address[:77] + "…")
