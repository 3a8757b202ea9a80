"""A press is set up once for a mailing and prints each of its messages (RFC 5322): what they share is laid out as
finished octets, so that a message costs a few joins, and its signature is made from the same pieces.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from operator import itemgetter
from typing import Final, cast

from postroom.core.mail.errors import BadAddress, BadHeader
from postroom.core.mail.rules.compose.compiling import Address, CompiledContent, Part
from postroom.core.mail.rules.compose.filling import Filler, place_of
from postroom.core.mail.rules.compose.plain import write_body
from postroom.core.mail.rules.compose.values import UNSUBSCRIBE, Filling, Letter, Letterhead
from postroom.core.mail.rules.dkim import OVERSIGNED, Signer, canonical_fields, hash_body
from postroom.core.mail.rules.headers import UNDISCLOSED, check_header, format_address, is_plain_email, parse_addresses
from postroom.core.mail.rules.tokens import track_token
from postroom.kit.mime import clean_line, header_field, qp_piece

_OURS: Final = frozenset(("list-unsubscribe", "list-unsubscribe-post"))
_ONE_CLICK: Final = b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
_MIME_VERSION: Final = b"MIME-Version: 1.0\r\n"
_LINE: Final = 76
_FOLD: Final = "\r\n "
_LONGEST_SUBJECT: Final = _LINE - len("Subject: ")
_VARYING: Final = frozenset((b"to", b"subject", b"date", b"message-id"))
"""Fields that every message has and that differ between the messages of a mailing."""


Order = Callable[[Sequence[bytes]], Sequence[bytes]]
"""Picks pieces in the order in which they are joined."""


class Press:
    """Prints the messages of one mailing; ``signer`` signs them (RFC 6376)."""

    def __init__(self, compiled: CompiledContent, head: Letterhead, signer: Signer | None = None) -> None:
        """Raises BadHeader and BadAddress for what the sender chose badly."""
        self._head = head
        self._signer = signer
        self._compiled = compiled
        self._names_way_out = compiled.names_way_out or head.list_unsubscribe
        self._static, self._order, self._fillers = _lay_out(compiled.parts, head.public_url)
        self._has_own_reply = bool(head.reply_domain) and not head.reply_to
        self._written = _fields_that_vary(head, has_own_reply=self._has_own_reply)
        self._start = _fixed_fields(head)
        self._end = (_ONE_CLICK if head.list_unsubscribe else b"") + _MIME_VERSION + compiled.content_type
        self._body = b"" if self._fillers or _names_addresses(compiled) else b"".join(self._order(self._static))
        self._body_hash = hash_body(self._body) if signer is not None and self._body else b""
        self._prepare_signature()

    def print(self, letter: Letter) -> bytes:
        """Return the whole message: CRLF line ends, no line above 998 octets, no body line above 76, no line that
        begins with a dot, and nothing but ASCII outside of addresses that themselves are not (RFC 6532).

        A recipient's values cannot add a header or a part: they are cleaned and encoded. Raises BadHeader and
        BadAddress for what is no address, TemplateRefused where a template fails on these values.
        """
        seal, head = letter.seal, self._head
        track = track_token(seal.message_id, head.content_id) if self._compiled.is_tracked else ""
        way_out = seal.unsubscribe_token() if self._names_way_out else ""
        filling = Filling(letter.slots, head.public_url, track, way_out)
        if letter.attachments:
            return self._print_with_files(letter, filling)
        body = self._body or b"".join(self._pieces(filling))
        written, signed, names = self._vary(letter, filling)
        if self._signer is None:
            return b"".join((self._start, written, self._end, body))
        signature = self._signer.sign_canonical(names, signed, self._body_hash or hash_body(body))
        return b"".join((signature, self._start, written, self._end, body))

    def _print_with_files(self, letter: Letter, filling: Filling) -> bytes:
        written, _, _ = self._vary(letter, filling)
        one_click = _ONE_CLICK if self._head.list_unsubscribe else b""
        body = write_body(self._compiled.frozen, filling, letter.attachments)
        message = b"".join((self._start, written, one_click, _MIME_VERSION, body))
        return message if self._signer is None else self._signer.sign(message) + message

    def _pieces(self, filling: Filling) -> Sequence[bytes]:
        made = [fill(filling) for fill in self._fillers]
        tokens = filling.track.encode("ascii"), filling.unsubscribe.encode("ascii")
        return self._order((*self._static, *tokens, *made))

    def _vary(self, letter: Letter, filling: Filling) -> tuple[bytes, bytes, tuple[bytes, ...]]:
        """Return the fields that differ from message to message, and all signed fields in relaxed form and by name."""
        to = letter.to[0] if len(letter.to) == 1 and is_plain_email(letter.to[0]) else ""
        subject = "".join([part if isinstance(part, str) else part(filling) for part in self._compiled.subject])
        values = [to, subject, *self._values(letter, filling)]
        if not to or letter.cc or not _is_plain_subject(subject):
            return self._vary_oddly(letter, values)
        written = (self._written % tuple(values)).encode("ascii")
        if self._signer is None:
            return written, b"", ()
        return written, (self._signed % tuple(values)).encode("ascii") + self._fixed_signed, self._names

    def _vary_oddly(self, letter: Letter, values: Sequence[str]) -> tuple[bytes, bytes, tuple[bytes, ...]]:
        """As ``_vary``, for what is long, folded or encoded."""
        cc = _addresses("Cc", letter.cc) if letter.cc else b""
        rest = (self._written.partition("\r\nDate: ")[2] % tuple(values[2:])).encode("ascii")
        subject = header_field("Subject", clean_line(values[1]))
        written = b"".join((_addresses("To", letter.to), cc, subject, b"Date: ", rest))
        if self._signer is None:
            return written, b"", ()
        names, signed = canonical_fields(written, self._oversigned)
        return written, signed + self._fixed_signed, names + self._fixed_names

    def _values(self, letter: Letter, filling: Filling) -> list[str]:
        """Return what stands after To and Subject, in order."""
        values = [_date(int(letter.date.timestamp())), _check_message_id(letter.message_id_header)]
        if self._has_own_reply:
            values.append(letter.seal.reply_local_part())
        if self._head.list_unsubscribe:
            values.append(filling.unsubscribe)
        return values

    def _prepare_signature(self) -> None:
        """Put the fixed fields in relaxed form, and find the names and the form of those that vary."""
        own = frozenset((b"reply-to",)) if self._has_own_reply else frozenset()
        self._oversigned = _VARYING | own
        header = self._start + self._end.partition(b"\r\n\r\n")[0] + b"\r\n"
        self._fixed_names, self._fixed_signed = canonical_fields(header, OVERSIGNED - self._oversigned)
        names, signed = canonical_fields(self._written.encode(), self._oversigned)
        self._signed = signed.decode()
        self._names = names + self._fixed_names


def _fields_that_vary(head: Letterhead, *, has_own_reply: bool) -> str:
    """Return the form of the fields that differ from message to message, in the order in which they are signed."""
    form = "To: %s\r\nSubject: %s\r\nDate: %s\r\nMessage-ID: %s\r\n"
    if has_own_reply:
        form += f"Reply-To: %s@{_literal(head.reply_domain)}\r\n"
    if head.list_unsubscribe:
        form += f"List-Unsubscribe: <{_literal(head.public_url)}/u/%s>\r\n"
    return form


def _literal(text: str) -> str:
    return text.replace("%", "%%")


def _lay_out(parts: Sequence[Part], public_url: str) -> tuple[tuple[bytes, ...], Order, tuple[Filler, ...]]:
    """Return the static octets, what puts them, the two tokens and what the fillers make in order, and the fillers.

    A filler that stands in several places is asked once.
    """
    static: list[bytes] = []
    places: list[tuple[str, int]] = []
    fillers: dict[Filler, int] = {}
    for part in parts:
        if isinstance(part, bytes):
            places.append(("static", len(static)))
            static.append(part)
        elif isinstance(part, Address):
            folder, ending = place_of(part.name)
            places += [("static", len(static)), ("token", int(part.name == UNSUBSCRIBE)), ("static", len(static) + 1)]
            static += [qp_piece(f"{public_url}/{folder}/"), ending.encode("ascii") + b"=\r\n"]
        else:
            places.append(("filler", fillers.setdefault(part, len(fillers))))
    offsets: Mapping[str, int] = {"static": 0, "token": len(static), "filler": len(static) + 2}
    order = [offsets[kind] + number for kind, number in places]
    return tuple(static), cast(Order, itemgetter(*order)), tuple(fillers)


def _names_addresses(compiled: CompiledContent) -> bool:
    return any(isinstance(part, Address) for part in compiled.parts)


def _fixed_fields(head: Letterhead) -> bytes:
    """Return From, the extra fields and a Reply-To that all messages share."""
    senders = parse_addresses(head.from_)
    if len(senders) != 1:
        raise BadAddress(f"From must be one address, not {len(senders)}.")
    fields = [_addresses("From", (head.from_,))]
    seen: set[str] = set()
    for name, value in head.headers.items():
        check_header(name, value)
        if name.lower() in seen:
            raise BadHeader(f"The header {name} is given twice.")
        seen.add(name.lower())
        if not (head.list_unsubscribe and name.lower() in _OURS):
            fields.append(header_field(name, clean_line(value)))
    if head.reply_to:
        fields.append(_addresses("Reply-To", head.reply_to))
    return b"".join(fields)


def _addresses(name: str, addresses: tuple[str, ...]) -> bytes:
    lines = [line for text in addresses for line in _mailboxes(text)]
    if not lines:
        raise BadAddress(f"{name} names nobody.")
    if len(lines) == 1 and len(name) + 2 + len(lines[0]) <= _LINE:
        return f"{name}: {lines[0]}\r\n".encode()
    folded = [line.replace("?= =?", f"?={_FOLD}=?").replace("?= <", f"?={_FOLD}<") for line in lines]
    return f"{name}: {(',' + _FOLD).join(folded)}\r\n".encode()


def _mailboxes(text: str) -> list[str]:
    return (
        [text]
        if is_plain_email(text) or text == UNDISCLOSED
        else [format_address(*pair) for pair in parse_addresses(text)]
    )


def _is_plain_subject(text: str) -> bool:
    """Whether a subject stands in its field as it is, and is in relaxed form too."""
    return (
        len(text) <= _LONGEST_SUBJECT
        and text.isascii()
        and text.isprintable()
        and "  " not in text
        and "=?" not in text
        and text.strip() == text
    )


def _check_message_id(value: str) -> str:
    if not (value.isascii() and value.isprintable() and len(value) <= 255 and " " not in value):
        raise BadHeader("The Message-ID is not a plain word.")
    return value


@lru_cache(maxsize=64)
def _date(second: int) -> str:
    return format_datetime(datetime.fromtimestamp(second, UTC))
