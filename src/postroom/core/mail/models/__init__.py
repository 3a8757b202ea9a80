"""Tables of mail: who sends, what is sent, the ledger of every message, and what became of it."""

from postroom.core.mail.models.accounts import Domain, SenderAccount, SenderDay
from postroom.core.mail.models.arrivals import InboundMessage, SandboxMail
from postroom.core.mail.models.batches import Batch, Chunk, Recipient
from postroom.core.mail.models.brakes import BatchWatch, BrakeTerms, Stop
from postroom.core.mail.models.contents import AttachedFile, Content, Template, TrackedLink
from postroom.core.mail.models.dkim_keys import DkimKey
from postroom.core.mail.models.domain_records import DomainChange, DomainRecord
from postroom.core.mail.models.events import DeliveryEvent, StoredHit
from postroom.core.mail.models.ledger import Acceptance, Letter, Message
from postroom.core.mail.models.limits import Limit, LimitUse, WarmUp, WarmUpDay
from postroom.core.mail.models.notices import NoticeSent
from postroom.core.mail.models.provider_events import ProviderContact, ProviderEvent
from postroom.core.mail.models.tallies import BatchPace, LinkTally, Pace, Tally
from postroom.core.mail.models.transcripts import DestinationRest, Transcript
from postroom.core.mail.models.waits import LimitWait, SenderProcess

__all__ = [
    "Acceptance",
    "AttachedFile",
    "Batch",
    "BatchPace",
    "BatchWatch",
    "BrakeTerms",
    "Chunk",
    "Content",
    "DeliveryEvent",
    "DestinationRest",
    "DkimKey",
    "Domain",
    "DomainChange",
    "DomainRecord",
    "InboundMessage",
    "Letter",
    "Limit",
    "LimitUse",
    "LimitWait",
    "LinkTally",
    "Message",
    "NoticeSent",
    "Pace",
    "ProviderContact",
    "ProviderEvent",
    "Recipient",
    "SandboxMail",
    "SenderAccount",
    "SenderDay",
    "SenderProcess",
    "Stop",
    "StoredHit",
    "Tally",
    "Template",
    "TrackedLink",
    "Transcript",
    "WarmUp",
    "WarmUpDay",
]
