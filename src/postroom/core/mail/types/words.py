"""The words of the mail app: states, kinds and channels."""

from typing import Final

from django.db.models import TextChoices


class MessageClass(TextChoices):
    """Why a message is sent; the may-we-mail rule and the headers depend on it."""

    TRANSACTIONAL = "transactional"
    MARKETING = "marketing"
    OUTREACH = "outreach"
    REPLY = "reply"
    SYSTEM = "system"


class MessageStatus(TextChoices):
    """Where a message stands. Delivery facts (opened, bounced …) are columns beside it and never move it backwards."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    WIRE = "wire"
    SENT = "sent"
    DEFERRED = "deferred"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    IN_DOUBT = "in_doubt"
    CANCELLED = "cancelled"


class BatchStatus(TextChoices):
    """The life of a bulk hand-over. ``pausing``/``cancelling`` last until every sender has put its chunk back."""

    FREEZING = "freezing"
    SENDING = "sending"
    PAUSING = "pausing"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    DONE = "done"
    FAILED = "failed"


class ChunkStatus(TextChoices):
    """The life of one chunk of a batch's recipients."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    DONE = "done"
    CANCELLED = "cancelled"


class EventType(TextChoices):
    """What may happen to a message after it was queued."""

    SENT = "sent"
    DELIVERED = "delivered"
    DEFERRED = "deferred"
    FAILED = "failed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    OPENED = "opened"
    CLICKED = "clicked"
    UNSUBSCRIBED = "unsubscribed"
    REPLIED = "replied"
    CANCELLED = "cancelled"


class Channel(TextChoices):
    """What a sender account speaks."""

    EMAIL = "email"
    SMS = "sms"
    VOICEMAIL = "voicemail"


class Provider(TextChoices):
    """Who carries the mail of a sender account."""

    SANDBOX = "sandbox"
    ECHO = "echo"
    SMTP = "smtp"
    RESEND = "resend"
    MAILERSEND = "mailersend"
    SES = "ses"
    POSTMARK = "postmark"
    MAILGUN = "mailgun"
    SENDGRID = "sendgrid"
    BREVO = "brevo"
    MAILJET = "mailjet"


class Destination(TextChoices):
    """Who receives: the large mailbox providers, each with limits of its own, and everybody else."""

    GOOGLE = "google"
    MICROSOFT = "microsoft"
    YAHOO = "yahoo"
    APPLE = "apple"
    OTHER = "other"


class RefusalKind(TextChoices):
    """What a server refused a message for; the first eight are for good, the rest for a time."""

    BAD_ADDRESS = "bad_address", "No such address"
    MAILBOX = "mailbox", "The mailbox takes nothing"
    CONTENT = "content", "Refused for what it says"
    POLICY = "policy", "Refused by the receiver's policy"
    CONFIGURATION = "configuration", "Refused for how we are set up"
    REFUSED = "refused", "Refused"
    OWN = "own", "Could not be sent at all"
    EXPIRED = "expired", "Given up after five days"
    GREYLISTED = "greylisted", "Asked to come back (greylisting)"
    RATE_LIMITED = "rate_limited", "Asked to slow down"
    MAILBOX_FULL = "mailbox_full", "The mailbox is full"
    CONNECTION = "connection", "The connection failed"
    TEMPORARY = "temporary", "Refused for now"


class Signing(TextChoices):
    """Which DKIM signatures a domain adds (RFC 6376, RFC 8463)."""

    NONE = "none"
    RSA = "rsa"
    ED25519 = "ed25519"
    BOTH = "both"


class BodyFormat(TextChoices):
    """The language a template's body is written in."""

    HTML = "html"
    MJML = "mjml"


class InboundKind(TextChoices):
    """What an inbound message turned out to be."""

    UNKNOWN = "unknown"
    BOUNCE = "bounce"
    DELAY = "delay"
    COMPLAINT = "complaint"
    AUTO_REPLY = "auto_reply"
    REPLY = "reply"


NOTIFY_QUEUE: Final = "postroom_mail_queue"
"""PostgreSQL channel on which senders hear of new work, pauses and cancellations."""


NOTIFY_HITS: Final = "postroom_mail_hits"
"""PostgreSQL channel on which workers hear of stored events waiting to be applied."""
