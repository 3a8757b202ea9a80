"""Which files may go with a message, and what they are called on the way."""

import re
from collections.abc import Sequence
from typing import Final

from postroom.core.mail.errors import BadAttachment
from postroom.core.mail.types import Attachment

MAX_ATTACHMENTS: Final = 20
MAX_TOTAL: Final = 25 * 1024 * 1024
"""Octets of all files of a message: a third more on the wire, which most servers still take."""
MAX_NAME: Final = 200

_TYPE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,63}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}")
_STRUCTURED: Final = ("message/", "multipart/")
_CONTENT_ID: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,100}(?:@[A-Za-z0-9.-]{1,100})?")
_BAD_IN_NAME: Final = re.compile(r"[\x00-\x1f\x7f-\x9f/\\\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

ANY_TYPE: Final = "application/octet-stream"


def check_attachments(attachments: Sequence[Attachment]) -> None:
    """Refuse files that are too many or too large, or whose names or types could say more than they should.

    Raises BadAttachment, saying which file and why.
    """
    if len(attachments) > MAX_ATTACHMENTS:
        raise BadAttachment(f"A message takes {MAX_ATTACHMENTS} attachments at most, not {len(attachments)}.")
    total = sum(len(one.content) for one in attachments)
    if total > MAX_TOTAL:
        raise BadAttachment(f"The attachments have {total:,} octets together; {MAX_TOTAL:,} is the most.")
    for one in attachments:
        _check_name(one.name)
        if not _TYPE.fullmatch(one.content_type):
            raise BadAttachment(f"The attachment {one.name!r} has no proper type: {one.content_type[:100]!r}.")
        if one.content_id and not _CONTENT_ID.fullmatch(one.content_id):
            raise BadAttachment(f"The attachment {one.name!r} has no proper content id: {one.content_id[:100]!r}.")
    ids = [one.content_id for one in attachments if one.content_id]
    if len(set(ids)) < len(ids):
        raise BadAttachment("Two attachments have the same content id.")


def type_on_the_wire(attachment: Attachment) -> str:
    """Return the type to declare: what has parts of its own must not be encoded (RFC 2045, section 6.4), so it goes as
    plain octets.
    """
    kind = attachment.content_type.lower()
    return ANY_TYPE if kind.startswith(_STRUCTURED) else kind


def proper_type(kind: str) -> str:
    """Return ``kind`` where an attachment may have it, else the type of plain octets."""
    return kind if _TYPE.fullmatch(kind) else ANY_TYPE


def proper_name(name: str, otherwise: str) -> str:
    """Return a name that somebody else gave a file as one that an attachment may have, its ending kept."""
    cleaned = _BAD_IN_NAME.sub("", re.split(r"[/\\]", name)[-1]).strip()
    if len(cleaned) > MAX_NAME:
        stem, dot, ending = cleaned.rpartition(".")
        cleaned = stem[: MAX_NAME - 20] + f".{ending}"[:20] if dot else cleaned[:MAX_NAME]
    return cleaned if cleaned.strip(". ") else otherwise


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > MAX_NAME or name.strip(". ") == "":
        raise BadAttachment(f"An attachment needs a name of 1 to {MAX_NAME} characters, not {name[:80]!r}.")
    if _BAD_IN_NAME.search(name):
        raise BadAttachment(f"The name {name[:80]!r} has a character in it that no file name needs.")
