"""What a server refuses a message for: the address, the mailbox, the words, our reputation, our set-up, or the hour.

Enhanced status codes decide where they say something (RFC 3463, RFC 7372, RFC 7505); the large providers have codes of
their own (5.7.5xx Microsoft, 5.7.26 and its neighbours Google), and many servers say it in words only. In doubt a
refusal is not about the address, for an address that is suppressed gets nothing ever again.
"""

import re
from dataclasses import dataclass
from typing import Final

from postroom.core.mail.ports import Outcome, Result
from postroom.core.mail.rules import refusal_words as words
from postroom.core.mail.types import RefusalKind

_STATUS: Final = re.compile(r"(?:^|[\s(#\[])([245]\.\d{1,3}\.\d{1,3})(?=[\s)\]:;,]|$)")
_ADDRESS_OF_A_PAGE: Final = re.compile(r"https?://\S+")
_ADDRESS: Final = re.compile(r"<?[^\s<>()\[\]:;,]{1,128}@[^\s<>()\[\];,]{1,253}>?")
_LONGEST: Final = 500

# Our records, our TLS, our relay: nothing about the reader or the words.
_CONFIGURATION_CODES: Final = frozenset(
    {
        *("5.1.7", "5.1.8", "5.7.3", "5.7.8", "5.7.9", "5.7.10", "5.7.11", "5.7.20", "5.7.21", "5.7.22", "5.7.23"),
        *("5.7.24", "5.7.25", "5.7.26", "5.7.27", "5.7.29", "5.7.30", "5.7.32", "5.7.54", "5.7.57", "5.7.60"),
        *("5.7.64", "5.7.367", "5.7.509", "5.7.515", "5.7.516"),
    }
)
_CONFIGURATION_REPLIES: Final = frozenset({530, 535, 538})
_RATE_CODES: Final = frozenset({"4.7.28", "4.7.500", "4.7.650", "4.7.651", "4.7.652", "4.5.3", "4.7.26", "4.7.27"})
_NONDESCRIPT: Final = frozenset({"", "5.0.0", "5.4.1", "5.5.0", "5.2.0", "5.3.0"})
"""Codes that say no more than that it was refused: the words decide."""


@dataclass(frozen=True, slots=True)
class _Reply:
    code: int
    enhanced: str
    text: str

    @property
    def subject(self) -> str:
        """The class and subject of the enhanced code: ``5.1.``."""
        return self.enhanced[: self.enhanced.rfind(".") + 1]


def classify(result: Result) -> RefusalKind | None:
    """Return what a server refused a message for; None when it took it, or did not say."""
    if result.outcome is Outcome.FAILED:
        return classify_reply(result.code, result.enhanced, result.text)
    if result.outcome is Outcome.DEFERRED:
        return _classify_temporary(_read(result.code, result.enhanced, result.text))
    return None


def classify_reply(code: int, enhanced: str, text: str) -> RefusalKind:
    """Return what one 4xx or 5xx reply means; ``enhanced`` may be empty, it is then looked for in ``text``."""
    reply = _read(code, enhanced, text)
    if 400 <= code < 500 or reply.enhanced.startswith("4."):
        return _classify_temporary(reply)
    return _classify_permanent(reply)


def is_about_us(kind: RefusalKind | None) -> bool:
    """Whether a refusal blames the sender, so that the next message would be refused as well."""
    return kind in (RefusalKind.CONFIGURATION, RefusalKind.POLICY, RefusalKind.CONTENT)


def is_bad_address(status: str, reason: str, *, is_permanent: bool) -> bool:
    """Whether what a provider reports (its ``status`` may be empty) means that the address is to be suppressed.

    Where neither its code nor its words say why, a provider that calls a bounce permanent is believed.
    """
    if status.startswith("4.") or not is_permanent:
        return False
    kind = classify_reply(550, status, reason)
    says_nothing = kind is RefusalKind.REFUSED and _read(550, status, reason).enhanced in _NONDESCRIPT
    return kind is RefusalKind.BAD_ADDRESS or says_nothing


def _read(code: int, enhanced: str, text: str) -> _Reply:
    said = _ADDRESS_OF_A_PAGE.sub("", text[:_LONGEST])
    found = _STATUS.search(said) if not enhanced else None
    is_believed = found is not None and found[1][0] == str(code or found[1])[0]
    return _Reply(code, found[1] if found and is_believed else enhanced, said)


def _classify_permanent(reply: _Reply) -> RefusalKind:
    if not reply.code and not reply.enhanced:
        return RefusalKind.OWN
    if reply.enhanced in _CONFIGURATION_CODES or reply.code in _CONFIGURATION_REPLIES:
        return RefusalKind.CONFIGURATION
    if reply.subject == "5.7.":
        return _classify_blame(reply.text) or RefusalKind.POLICY
    return _classify_reader(reply) or _classify_blame(reply.text) or RefusalKind.REFUSED


def _classify_reader(reply: _Reply) -> RefusalKind | None:
    """Whether it is the address or its mailbox, or the message as a thing, that is refused."""
    says_little = reply.enhanced in _NONDESCRIPT
    if reply.subject == "5.1." or reply.code == 556 or (says_little and words.BAD_ADDRESS.search(reply.text)):
        return RefusalKind.BAD_ADDRESS
    if reply.enhanced in ("5.3.4", "5.2.3") or reply.subject == "5.6.":
        return RefusalKind.CONTENT
    is_full = reply.code == 552 and not words.CONTENT.search(reply.text)
    if reply.subject == "5.2." or is_full or (says_little and words.MAILBOX.search(reply.text)):
        return RefusalKind.MAILBOX
    return None


def _classify_blame(text: str) -> RefusalKind | None:
    """What a refusal that is about us blames; a block list is named before the spam that it is against."""
    for pattern, kind in (
        (words.CONFIGURATION, RefusalKind.CONFIGURATION),
        (words.BLOCKED, RefusalKind.POLICY),
        (words.CONTENT, RefusalKind.CONTENT),
    ):
        if pattern.search(text):
            return kind
    return None


def _classify_temporary(reply: _Reply) -> RefusalKind:
    if not reply.code:
        return RefusalKind.CONNECTION
    if reply.enhanced == "4.2.2" or (reply.code == 452 and not reply.enhanced and words.FULL.search(reply.text)):
        return RefusalKind.MAILBOX_FULL
    if words.GREYLISTED.search(reply.text):
        return RefusalKind.GREYLISTED
    if reply.enhanced in _RATE_CODES or words.RATE.search(reply.text):
        return RefusalKind.RATE_LIMITED
    if reply.code == 421 or reply.subject == "4.4.":
        return RefusalKind.CONNECTION
    return RefusalKind.TEMPORARY


_ADVICE: Final[dict[str, str]] = {
    "5.7.515": "Microsoft takes bulk mail only from domains that pass SPF, DKIM and DMARC: check the domain's records.",
    "5.7.509": "The domain's own DMARC policy tells receivers to refuse this mail: SPF or DKIM must pass and align.",
    "5.7.26": "The receiver found neither SPF nor DKIM in order: check the domain's records.",
    "5.7.27": "SPF does not pass: the domain's SPF record must name the server that sends.",
    "5.7.23": "SPF does not pass: the domain's SPF record must name the server that sends.",
    "5.7.30": "DKIM does not pass: check the domain's DKIM records.",
    "5.7.20": "DKIM does not pass: check the domain's DKIM records.",
    "5.7.25": "The sending server's address has no reverse DNS name, or one that does not lead back to it.",
    "5.7.29": "The receiver takes mail over TLS only: switch on TLS at the sending server.",
    "5.7.10": "The server wants TLS: set the account's security to STARTTLS or TLS.",
    "5.7.8": "The server does not accept the user name or password of this account.",
    "5.1.8": "The receiver finds no such sender domain: check that the From address's domain exists.",
    "5.1.7": "The receiver does not accept the account's From address.",
}
_KIND_ADVICE: Final[dict[RefusalKind, str]] = {
    RefusalKind.CONFIGURATION: "Mail is refused for how the account is set up: check its domain's records and server.",
    RefusalKind.POLICY: "A receiver refuses the mail by its policy: look for the server's address on block lists.",
    RefusalKind.CONTENT: "A receiver refuses the mail for what it says: look at its words, links and files.",
}


def explain(result: Result, kind: RefusalKind) -> str:
    """Return a sentence on what to mend about a refusal that blames us, and the server's own words behind it."""
    advice = _ADVICE.get(_read(result.code, result.enhanced, result.text).enhanced) or _KIND_ADVICE.get(kind, "")
    return f"{advice} It said: {quote(result)}" if advice else quote(result)


def quote(result: Result) -> str:
    """Return a server's answer without the addresses in it: for where nobody is to be remembered."""
    said = f"{result.code} {result.enhanced} {result.text[:_LONGEST]}".replace("  ", " ").strip()
    return _ADDRESS.sub("(address)", said)
