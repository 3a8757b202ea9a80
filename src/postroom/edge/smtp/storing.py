"""The one answer of both servers to a whole mail: taken only when it is stored, asked for again whatever went wrong."""

from collections.abc import Awaitable
from typing import Final

import structlog

LATER: Final = "451 4.3.0 Cannot store the message now, try again later"

log = structlog.get_logger(__name__)


async def answer_when_stored(storing: Awaitable[object], taken: str) -> str:
    """Return ``taken`` once ``storing`` has ended well, else a temporary refusal: after a 500, the library's answer to
    any surprise, the client would give the mail up.
    """
    try:
        await storing
    except Exception as error:
        log.error("mail_not_stored", error=type(error).__name__)
        return LATER
    return taken
