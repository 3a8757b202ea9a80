"""The failures of the mail app that a caller may expect."""

from postroom.kit.errors import Conflict, Invalid, NotFound, NotPermitted, RateLimited, Unavailable


class TemplateRefused(Invalid):
    """The template breaks a rule of the template language, or costs too much to render."""

    code = "template_refused"

    def __init__(self, message: str = "", /, *, line: int = 0) -> None:
        super().__init__(f"Line {line}: {message}" if line else message, line=line)
        self.line = line


class BadComposition(Invalid):
    """The composition cannot become a message: its MJML, its links or its size."""

    code = "bad_composition"


class BadDocument(Invalid):
    """An editor document cannot become a message; the sentence says what of it, and where."""

    code = "bad_document"


class NotJson(BadDocument):
    """An editor document is JSON."""

    code = "not_json"


class TemplateInUse(Conflict):
    """Messages that wait for their time are written from the template."""

    code = "template_in_use"


class BadHeader(Invalid):
    """A header field has a name or a value that no message may carry."""

    code = "bad_header"


class BadAddress(Invalid):
    """This is not an e-mail address that a message may carry."""

    code = "bad_mail_address"


class BadSender(Invalid):
    """A sender account cannot be set up or used like this."""

    code = "bad_sender"


class BadLimit(Invalid):
    """A limit, a window or a warm-up cannot be set like this."""

    code = "bad_limit"


class BadBrake(Invalid):
    """Brakes cannot be set like this."""

    code = "bad_brake"


class SenderInUse(Conflict):
    """The sender account has sent, or is meant to send: it can be switched off, not deleted."""

    code = "sender_in_use"


class TooManyTests(RateLimited):
    """An address gets no more than a few test mails an hour, whoever asks for them."""

    code = "too_many_tests"


class NoSuchLimit(NotFound):
    """There is no such limit in this workspace."""

    code = "no_such_limit"


class BadDomain(Invalid):
    """This cannot be a sending domain."""

    code = "bad_domain"


class BadMessage(Invalid):
    """A message cannot be accepted like this."""

    code = "bad_message"


class BadFrom(Invalid):
    """The From must be one address."""

    code = "bad_from"


class UnknownFromDomain(Invalid):
    """No sender account and no domain of this workspace stands for the domain of the From; ``domain`` says which."""

    code = "from_domain_unknown"


class UnverifiedDomain(Invalid):
    """The domain of the From is not verified yet; ``domain`` says which."""

    code = "from_domain_unverified"


class UnknownAnswered(Invalid):
    """There is no such message in this workspace to answer."""

    code = "answered_message_unknown"


class ForeignMailDomain(NotPermitted):
    """The key is bound to another sending domain; ``domain`` says which it was used for."""

    code = "mail_domain_foreign"


class BadAttachment(Invalid):
    """A file cannot go with a message like this."""

    code = "bad_attachment"


class MailNameTaken(Conflict):
    """There is already one of this name."""

    code = "mail_name_taken"


class BatchState(Conflict):
    """The batch is in a state that forbids this."""

    code = "batch_state"


class MessageState(Conflict):
    """The message is in a state that forbids this."""

    code = "message_state"


class BadOnceKey(Invalid):
    """An idempotency key has 1 to 256 characters."""

    code = "idempotency_key_invalid"


class OnceKeyReused(Conflict):
    """The idempotency key was used with another request."""

    code = "idempotency_key_reused"


class OnceKeyBusy(Conflict):
    """A request with the same idempotency key is in progress; retry later."""

    code = "idempotency_key_busy"


class NoCarrier(Invalid):
    """No sender account of the workspace carries the mail of its domains."""

    code = "no_carrier"


class DomainInUse(Conflict):
    """Sender accounts still sign for the domain."""

    code = "domain_in_use"


class KeysOnTheirWay(Conflict):
    """The next keys of the domain are already made."""

    code = "keys_on_their_way"


class NoSuchDomain(NotFound):
    """There is no such domain in this workspace."""

    code = "no_such_domain"


class NoSuchSender(NotFound):
    """There is no such sender account in this workspace."""

    code = "no_such_sender"


class NoSuchProviderEvent(NotFound):
    """There is no such event of a provider in this workspace."""

    code = "no_such_provider_event"


class NoSuchTemplate(NotFound):
    """There is no such template in this workspace."""

    code = "no_such_template"


class NoSuchMessage(NotFound):
    """There is no such message in this workspace."""

    code = "no_such_message"


class NoSuchBatch(NotFound):
    """There is no such batch in this workspace."""

    code = "no_such_batch"


class SandboxMailNotFound(NotFound):
    """The sandbox holds no such mail."""

    code = "sandbox_mail_not_found"


class NotStored(Unavailable):
    """The message could not be stored."""

    code = "not_stored"
