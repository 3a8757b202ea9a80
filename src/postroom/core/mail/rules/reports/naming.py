"""Finds our message in a mail that came back: by the address it came to, or by any of our signed words inside."""

import re
from collections.abc import Iterator
from typing import Final

from postroom.core.mail.rules.tokens import read_bounce, read_message_id, read_reply, read_unsubscribe

_MAX_WORDS: Final = 200
_WORD: Final = re.compile(
    r"(?P<bounce>bounce-[0-9a-f]{48})(?![0-9a-f])|(?P<reply>reply-[0-9a-f]{48})(?![0-9a-f])"
    r"|(?<![0-9a-f-])(?P<message>[0-9a-f]{48}@[a-z0-9.-]{1,253})|/u/(?P<unsubscribe>[\w-]{32})(?![\w-])",
    re.IGNORECASE | re.ASCII,
)
_READERS: Final = {
    "bounce": read_bounce,
    "reply": read_reply,
    "message": read_message_id,
    "unsubscribe": read_unsubscribe,
}


def find_message(texts: Iterator[str]) -> int | None:
    """Return the message that the first truly signed word of ``texts`` names: return path, reply address, Message-ID or
    unsubscribe link. Words without a true signature are passed over.
    """
    seen = 0
    for text in texts:
        for match in _WORD.finditer(text):
            kind = match.lastgroup or ""
            token = _READERS[kind](match[kind])
            seen += 1
            if token is not None:
                return token.message_id
            if seen >= _MAX_WORDS:
                return None
    return None
