"""Reads and writes rows of suppression files: an address, or the hash of a forgotten one, with why, how far, when."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from postroom.core.contacts.errors import BadAddress, BadImport, BadRow
from postroom.core.contacts.rules.addresses import normalise_email
from postroom.core.contacts.rules.formulas import neutralise, restore
from postroom.core.contacts.types import NewSuppression, SuppressionReason, SuppressionScope

HEADERS: Final = ("address", "hash", "scope", "reason", "detail", "suppressed_at", "opted_out")
"""The columns of our own files."""

_ALIASES: Final = {
    "address": "address",
    "email": "address",
    "e-mail": "address",
    "email address": "address",
    "email_address": "address",
    "mail": "address",
    "recipient": "address",
    "hash": "hash",
    "address_hash": "hash",
    "scope": "scope",
    "opted_out": "opted_out",
    "reason": "reason",
    "type": "reason",
    "detail": "detail",
    "details": "detail",
    "message": "detail",
    "note": "detail",
    "suppressed_at": "suppressed_at",
    "created_at": "suppressed_at",
    "created at": "suppressed_at",
    "date": "suppressed_at",
}
_REASONS: Final = {
    **{reason.value: reason for reason in SuppressionReason},
    "bounce": SuppressionReason.HARD_BOUNCE,
    "bounced": SuppressionReason.HARD_BOUNCE,
    "hard bounce": SuppressionReason.HARD_BOUNCE,
    "hardbounce": SuppressionReason.HARD_BOUNCE,
    "spam": SuppressionReason.COMPLAINT,
    "spamcomplaint": SuppressionReason.COMPLAINT,
    "spam complaint": SuppressionReason.COMPLAINT,
    "complained": SuppressionReason.COMPLAINT,
    "blocked": SuppressionReason.BANNED,
    "unsubscribe": SuppressionReason.UNSUBSCRIBED,
    "opt-out": SuppressionReason.UNSUBSCRIBED,
    "opted out": SuppressionReason.UNSUBSCRIBED,
    "manualsuppression": SuppressionReason.MANUAL,
}
_HASH_SIZE: Final = 16
_YES: Final = frozenset({"true", "yes", "1"})


class SuppressionReader:
    """Reads rows under a header; what a row does not say is as ``scope`` and ``reason`` say.

    A first row that is an address already is no header: then every row is an address. Raises BadImport when no column
    holds addresses.
    """

    def __init__(
        self, first: Sequence[str], *, scope: SuppressionScope, reason: SuppressionReason, widest: SuppressionScope
    ) -> None:
        self._scope, self._reason, self._widest = scope, reason, widest
        names = [_ALIASES.get(cell.strip().lower(), "") for cell in first]
        self.has_header = not any("@" in cell for cell in first)
        if not self.has_header:
            names = ["address" if "@" in cell else "" for cell in first]
        self._columns = {name: at for at, name in reversed(list(enumerate(names))) if name}
        if not {"address", "hash"} & self._columns.keys():
            raise BadImport("No column holds addresses: one must be called “address” or “email”.")

    def read(self, cells: Sequence[str]) -> tuple[SuppressionScope, NewSuppression]:
        """Return how far a row reaches and what it says. Raises BadRow, naming the column."""
        address, address_hash = self._cell(cells, "address"), b""
        if not address:
            address_hash = _read_hash(self._cell(cells, "hash"))
        reason = self._read_reason(self._cell(cells, "reason"), has_address=bool(address))
        entry = NewSuppression(
            address=_read_address(address) if address else "",
            reason=reason,
            detail=self._cell(cells, "detail")[:1000],
            at=_read_instant(self._cell(cells, "suppressed_at")),
            address_hash=address_hash,
            is_opted_out=self._cell(cells, "opted_out").lower() in _YES,
        )
        return self._read_scope(self._cell(cells, "scope")), entry

    def _cell(self, cells: Sequence[str], name: str) -> str:
        at = self._columns.get(name)
        cell = cells[at].strip() if at is not None and at < len(cells) else ""
        return restore(cell) if cell else ""

    def _read_scope(self, text: str) -> SuppressionScope:
        if not text:
            return self._scope
        try:
            scope = SuppressionScope(text.lower())
        except ValueError:
            raise BadRow(f"{text[:40]!r} is no scope; there are workspace and organization.", column="scope") from None
        if scope is SuppressionScope.PLATFORM or (
            scope is SuppressionScope.ORGANIZATION and self._widest is SuppressionScope.WORKSPACE
        ):
            raise BadRow(f"You may not suppress for the whole {scope.value}.", column="scope")
        return scope

    def _read_reason(self, text: str, *, has_address: bool) -> SuppressionReason:
        reason = _REASONS.get(text.lower()) if text else self._reason
        if reason is None:
            raise BadRow(f"{text[:40]!r} is no reason; there are {', '.join(SuppressionReason)}.", column="reason")
        if reason is SuppressionReason.ERASED and has_address:
            raise BadRow("An erased address is known by its hash alone.", column="reason")
        return reason


def file_row(entry: NewSuppression, scope: SuppressionScope, key: bytes) -> tuple[str, ...]:
    """Return a suppression as a row under ``HEADERS``; the hash stands only where there is no address."""
    return (
        neutralise(entry.address),
        "" if entry.address else key.hex(),
        scope.value,
        entry.reason.value,
        neutralise(entry.detail),
        entry.at.isoformat() if entry.at else "",
        "true" if entry.is_opted_out else "",
    )


def _read_address(text: str) -> str:
    try:
        return normalise_email(text, accepts_angle=True)
    except BadAddress as error:
        raise BadRow(error.message, column="address") from error


def _read_hash(text: str) -> bytes:
    try:
        octets = bytes.fromhex(text)
    except ValueError:
        octets = b""
    if len(octets) != _HASH_SIZE:
        raise BadRow("There is no address in this row.", column="address")
    return octets


def _read_instant(text: str) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        message = f"{text[:40]!r} is no date like 2026-11-20 or 2026-11-20T09:00:00Z."
        raise BadRow(message, column="suppressed_at") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
