"""What a reader asked for by a POST to their unsubscribe link, in a form that can wait on a disk."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from django.http import HttpRequest

from postroom.core.mail import services
from postroom.core.mail.rules import tokens
from postroom.core.mail.selectors.mailings import Mailing
from postroom.edge.pages import reader_proof
from postroom.kit.types import JSONObject


@dataclass(frozen=True, slots=True)
class OptOut:
    """That the reader of a message leaves its lists, or everything; when, and what shows it."""

    message_id: int
    is_everything: bool
    source: str
    proof: JSONObject
    at: datetime

    def obey(self) -> Mailing:
        """Opt the reader out; safe to repeat. Raises NotFound."""
        return services.unsubscribe_message(
            message_id=self.message_id,
            source=self.source,
            now=self.at,
            is_everything=self.is_everything,
            proof=self.proof,
        )

    def to_record(self) -> bytes:
        """Return it as one line."""
        return json.dumps([self.message_id, self.is_everything, self.source, self.proof, self.at.isoformat()]).encode()

    @classmethod
    def from_record(cls, record: bytes) -> Self:
        """Return what ``to_record`` wrote. Raises ValueError."""
        message_id, is_everything, source, proof, at = json.loads(record)
        return cls(message_id, is_everything, source, proof, datetime.fromisoformat(at))


def read_opt_out(request: HttpRequest, token: str, now: datetime) -> OptOut | None:
    """Return what a request decides, None when it decides nothing or names no message.

    Mail programs send exactly this pair (RFC 8058, section 3.2), and so do the buttons of the page.
    """
    read = tokens.read_unsubscribe(token)
    if read is None or request.method != "POST" or request.POST.get("List-Unsubscribe") != "One-Click":
        return None
    return OptOut(
        message_id=read.message_id,
        is_everything=request.POST.get("scope") == "everything",
        source="unsubscribe page" if "scope" in request.POST else "one-click",
        proof=reader_proof(request),
        at=now,
    )
