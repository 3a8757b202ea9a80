"""Values of sending domains: what their owners publish, what was found, and what is still wrong."""

from dataclasses import dataclass
from enum import Enum

from django.db.models import TextChoices

from postroom.core.mail.types.words import Signing


class KeyAlgorithm(TextChoices):
    """What a DKIM key signs with (RFC 6376, RFC 8463)."""

    RSA = "rsa"
    ED25519 = "ed25519"


class KeyState(TextChoices):
    """The life of a DKIM key: made; signing, once its record was seen; still published for mail on its way."""

    PENDING = "pending"
    ACTIVE = "active"
    RETIRED = "retired"


class RecordPurpose(TextChoices):
    """What a DNS record is for."""

    SPF = "spf", "SPF"
    DKIM = "dkim", "DKIM"
    DMARC = "dmarc", "DMARC"
    RETURN_MX = "return_mx", "Return path"
    RETURN_SPF = "return_spf", "SPF of the return path"
    TRACKING = "tracking", "Tracking"
    MX = "mx", "Receiving"
    OUTLET = "outlet", "SPF of this installation"
    PTR = "ptr", "Name of the server"


class RecordStatus(TextChoices):
    """What was found where a record should be; ``unknown``: nobody answered, so nothing can be said."""

    UNCHECKED = "unchecked"
    OK = "ok"
    MISSING = "missing"
    WRONG = "wrong"
    SEVERAL = "several"
    UNKNOWN = "unknown"


class DomainState(TextChoices):
    """Where a domain stands: not verified yet; verified; no more since lately; not after days, or no more for days."""

    PENDING = "pending"
    VERIFIED = "verified"
    LOST = "lost"
    FAILED = "failed"


class DnsOutcome(Enum):
    """How a look-up ended. ``NO_NAME`` and ``NO_DATA`` are answers; ``FAILED`` is none."""

    FOUND = "found"
    NO_NAME = "no_name"
    NO_DATA = "no_data"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class DnsAnswer:
    """What the name system says: ``values`` as text, TXT strings joined, MX as ``preference host``, no final dots."""

    outcome: DnsOutcome
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DnsRecord:
    """One record that a domain's owner publishes. Mail passes without what is not ``is_required``.

    ``why`` says in a sentence what it does; ``key_state`` is that of the key a DKIM record shows.
    """

    type: str
    name: str
    value: str
    purpose: RecordPurpose
    is_required: bool = True
    why: str = ""
    key_state: KeyState | None = None


@dataclass(frozen=True, slots=True)
class RecordFinding:
    """What stands in the name system for a record; ``note`` says in words what is wrong with it."""

    status: RecordStatus
    found: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that signs now: its DNS name is ``<selector>._domainkey.<domain>``, ``pem`` its private half (PKCS#8)."""

    selector: str
    algorithm: KeyAlgorithm
    pem: str


@dataclass(frozen=True, slots=True)
class Outlet:
    """Where mail of a domain leaves: SPF ``terms`` that allow it, or the ``hosts`` whose addresses stand for it.

    ``is_certain`` is False when a relay may send from other addresses than the one it takes mail at.
    """

    terms: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    is_certain: bool = True


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that keeps bulk mail from passing: ``what`` is wrong, and ``how`` to mend it."""

    code: str
    is_blocking: bool
    what: str
    how: str


@dataclass(frozen=True, slots=True)
class DestinationHealth:
    """How one mailbox provider took the mail of a domain."""

    destination: str
    sent: int
    bounced: int
    complained: int
    deferred: int


@dataclass(frozen=True, slots=True)
class DomainTerms:
    """What a domain's owner decides: which signatures its mail carries, and what is measured."""

    signing: Signing
    tracks_opens: bool
    tracks_clicks: bool
