"""Header fields and addresses that cannot smuggle in another: everything a caller may name is checked here."""

import re
import unicodedata
from collections.abc import Collection, Iterable
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from typing import Final

from email_validator import EmailNotValidError, validate_email

from postroom.core.mail.errors import BadAddress, BadHeader
from postroom.kit.mime import encoded_words

MAX_NAME: Final = 76
MAX_VALUE: Final = 2_000
MAX_ADDRESSES: Final = 100

UNDISCLOSED: Final = "undisclosed-recipients:;"
"""What stands in a To field that names nobody (RFC 5322, section 3.4: a group without members)."""

FORBIDDEN: Final = frozenset(
    {"from", "sender", "to", "cc", "bcc", "date", "subject", "message-id", "mime-version", "reply-to"}
    | {"return-path", "received", "delivered-to", "authentication-results"}
)
FORBIDDEN_PREFIXES: Final = ("content-", "dkim-", "arc-", "resent-", "x-google-dkim-", "domainkey-")

_NAME: Final = re.compile(r"[!-9;-~]+")  # ftext: printable ASCII but the colon (RFC 5322, section 2.2)
_BAD_IN_VALUE: Final = re.compile("[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]")
_EMAIL: Final = re.compile(
    r"(?=[^@]{1,64}@)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?=.{1,253}\Z)(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)
_ATOMS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_SPECIAL: Final = re.compile(r'[<>",;:()\[\]\\]')
_MAILBOX: Final = re.compile(r'(?:"((?:[^"\\]|\\.)*)"\s*|([^<>",;:()\[\]\\]*))<([^<>\s]+)>\s*|([^<>\s",;()]+)\s*')


def check_header(name: str, value: str) -> None:
    """Refuse an extra header field that is not safe, or that only we may write (RFC 5322, sections 2.2 and 3.6).

    Raises BadHeader, saying which field and why.
    """
    if not 0 < len(name) <= MAX_NAME or not _NAME.fullmatch(name):
        raise BadHeader(f"The header name {name[:80]!r} must be 1 to {MAX_NAME} printable ASCII characters, no colon.")
    lowered = name.lower()
    if lowered in FORBIDDEN or lowered.startswith(FORBIDDEN_PREFIXES):
        raise BadHeader(f"The header {name} is written by the mail system and cannot be set.")
    if _BAD_IN_VALUE.search(value):
        raise BadHeader(f"The header {name} has a line break or another control character in its value.")
    if len(value) > MAX_VALUE:
        raise BadHeader(f"The header {name} is longer than {MAX_VALUE} characters.")


def check_email(email: str) -> str:
    """Return the address as a header and an envelope may carry it, its domain as A-labels (RFC 5890).

    Raises BadAddress.
    """
    if _EMAIL.fullmatch(email):
        return email
    if _BAD_IN_VALUE.search(email):
        raise BadAddress("The address has a line break or another control character in it.")
    try:
        valid = validate_email(email, check_deliverability=False, strict=True, test_environment=True)
    except EmailNotValidError as error:
        raise BadAddress(f"{email[:100]!r} is not an e-mail address: {error}") from error
    return f"{valid.local_part}@{valid.ascii_domain}"


def is_plain_email(text: str) -> bool:
    """Whether ``text`` is a bare ASCII address, which may stand in a header field as it is."""
    return _EMAIL.fullmatch(text) is not None


def format_address(name: str, email: str) -> str:
    """Return ``name <email>`` for a From, To, Cc or Reply-To field: the name plain, quoted or in encoded-words.

    Raises BadAddress when either could break out of its place.
    """
    address = check_email(email)
    if not name:
        return address
    if _BAD_IN_VALUE.search(name):
        raise BadAddress("The display name has a line break or another control character in it.")
    display = " ".join(name.split())
    if not display:
        return address
    return f"{_phrase(display)} <{address}>"


def show_address(name: str, email: str) -> str:
    """Return ``name <email>`` as a person writes and reads it; ``parse_addresses`` makes the same pair of it again."""
    if not name:
        return email
    if "=?" in name:
        return format_address(name, email)
    if _SPECIAL.search(name):
        name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{name} <{email}>"


def check_shown(texts: Iterable[str]) -> None:
    """Raise BadAddress when a text of a To or Cc field is neither exactly one address nor ``UNDISCLOSED``."""
    for text in texts:
        if text != UNDISCLOSED and len(parse_addresses(text)) != 1:
            raise BadAddress(f"{text[:60]!r} must name one address.")


def leave_out(texts: Iterable[str], addresses: Collection[str]) -> tuple[str, ...]:
    """Return the checked texts of a To or Cc field that name none of ``addresses``, which are in their one spelling."""
    if not addresses:
        return tuple(texts)
    return tuple(text for text in texts if text == UNDISCLOSED or _spelling(text) not in addresses)


def parse_addresses(text: str) -> tuple[tuple[str, str], ...]:
    """Return the (name, address) pairs of a comma-separated list, as RFC 5322, section 3.4 writes mailboxes, without
    groups and comments. Raises BadAddress.
    """
    if _BAD_IN_VALUE.search(text):
        raise BadAddress("The list of addresses has a line break or another control character in it.")
    pairs: list[tuple[str, str]] = []
    rest = text.strip()
    while rest:
        match = _MAILBOX.match(rest)
        after = rest[match.end() :] if match else ""
        if match is None or (after and after[0] != ","):
            raise BadAddress(f"Cannot read the addresses from {rest[:60]!r} on.")
        if len(pairs) == MAX_ADDRESSES:
            raise BadAddress(f"More than {MAX_ADDRESSES} addresses.")
        quoted, plain, bracketed, bare = match.groups()
        name = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else (plain or "").strip()
        pairs.append((_words_of(name), check_email(bracketed or bare)))
        rest = after[1:].lstrip()
    return tuple(pairs)


def _spelling(text: str) -> str:
    ((_, email),) = parse_addresses(text)
    return unicodedata.normalize("NFC", email).lower()


def _phrase(display: str) -> str:
    if len(display) <= 60 and "=?" not in display:
        if _ATOMS.fullmatch(display):
            return display
        if display.isascii():
            return '"' + display.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return encoded_words(display, len("Reply-To: ")).replace("\r\n ", " ")


def _words_of(name: str) -> str:
    """Return a name as a person reads it: what ``format_address`` encoded is decoded again."""
    if "=?" not in name:
        return name
    try:
        return str(make_header(decode_header(name)))
    except (HeaderParseError, LookupError, UnicodeError, ValueError) as error:
        raise BadAddress(f"Cannot read the name {name[:60]!r}.") from error
