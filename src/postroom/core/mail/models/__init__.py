"""Tables of mail: who sends, what is sent, the ledger of every message, and what became of it."""

from postroom.core.mail.models.accounts import Domain, SenderAccount, SenderDay
from postroom.core.mail.models.arrivals import InboundMessage, SandboxMail
from postroom.core.mail.models.batches import Batch, Chunk, Recipient
from postroom.core.mail.models.contents import AttachedFile, Content, Template, TrackedLink
from postroom.core.mail.models.events import DeliveryEvent, StoredHit
from postroom.core.mail.models.ledger import Acceptance, Message
from postroom.core.mail.models.notices import NoticeSent

__all__ = [
    "Acceptance",
    "AttachedFile",
    "Batch",
    "Chunk",
    "Content",
    "DeliveryEvent",
    "Domain",
    "InboundMessage",
    "Message",
    "NoticeSent",
    "Recipient",
    "SandboxMail",
    "SenderAccount",
    "SenderDay",
    "StoredHit",
    "Template",
    "TrackedLink",
]
