"""The providers that take JSON, each in its own words."""

import uuid
from collections.abc import Sequence
from typing import Any, Final

from django.core.mail import EmailMultiAlternatives

from postroom.core.mail.ports import Result
from postroom.core.mail.types import Provider
from postroom.kit.http import Question, Reply
from postroom.providers.esp.anymail import AnymailVendor, one_of
from postroom.providers.esp.letters import NUMBER, Letter
from postroom.providers.esp.vendor import accepted, basic, json_of, json_question, refused, text_of, words_of

_KEYS: Final = uuid.UUID("6f1f0c6e-7d0b-5c67-9f0e-0f5f5f0c2b11")


class Resend(AnymailVendor):
    """Resend (resend.com/docs/api-reference): idempotency keys for 24 hours, batches of 100 without attachments."""

    provider = Provider.RESEND
    url = "https://api.resend.com/"
    knows_keys = True
    backend = "anymail.backends.resend.EmailBackend"
    tracks = False  # tracking is a setting of the domain
    keeps_numbers = False  # Anymail's metadata would be a header that everybody sees; Resend has tags

    def finish(self, made: dict[str, Any], letter: Letter) -> None:
        made["tags"] = [{"name": NUMBER, "value": letter.number}]

    def fits_batch(self, prepared: object) -> bool:
        return isinstance(prepared, dict) and "attachments" not in prepared

    def ask(self, prepared: Sequence[object], key: str) -> Question:
        headers = {"Authorization": f"Bearer {text_of(self.credentials, 'api_key')}", "Idempotency-Key": key}
        if len(prepared) == 1:
            return json_question(f"{self.base}emails", headers, prepared[0])
        headers["x-batch-validation"] = "permissive"
        return json_question(f"{self.base}emails/batch", headers, list(prepared))

    def read(self, reply: Reply, count: int) -> list[Result] | None:
        said = json_of(reply)
        if reply.status >= 300 or not isinstance(said, dict):
            return None
        if count == 1 and "id" in said:
            return [accepted(said["id"])]
        bad = {error.get("index"): str(error.get("message", "")) for error in said.get("errors") or ()}
        good = iter(said.get("data") or ())
        return [refused(bad[place]) if place in bad else _first(good) for place in range(count)]

    def is_exhausted(self, reply: Reply) -> bool:
        return _name(reply) in {"daily_quota_exceeded", "monthly_quota_exceeded"}

    def is_duplicate(self, reply: Reply) -> bool:
        # The key was used with another payload: since the key is the Message-ID, that was this very message.
        return reply.status == 409 and _name(reply) == "invalid_idempotent_request"

    def is_in_flight(self, reply: Reply) -> bool:
        return reply.status == 409 and _name(reply) == "concurrent_idempotent_requests"


class Postmark(AnymailVendor):
    """Postmark (postmarkapp.com/developer/api/email-api): batches of up to 500, an error code for each message."""

    provider = Provider.POSTMARK
    url = "https://api.postmarkapp.com/"
    backend = "anymail.backends.postmark.EmailBackend"
    secrets = ("server_token",)
    _trouble = frozenset({10, 400, 401, 402, 405, 412, 413})  # token, unconfirmed sender, no credits, pending approval

    def options(self) -> dict[str, Any]:
        return {"message_stream": text_of(self.config, "message_stream") or None}

    def finish(self, made: dict[str, Any], letter: Letter) -> None:
        fields = [{"Name": "Message-ID", "Value": f"<{letter.key}>"}, {"Name": "X-PM-KeepID", "Value": "true"}]
        made["Headers"] = made.get("Headers", []) + fields

    def ask(self, prepared: Sequence[object], key: str) -> Question:
        headers = {"X-Postmark-Server-Token": text_of(self.credentials, "server_token")}
        if len(prepared) == 1:
            return json_question(f"{self.base}email", headers, prepared[0])
        return json_question(f"{self.base}email/batch", headers, list(prepared))

    def read(self, reply: Reply, count: int) -> list[Result] | None:
        said = json_of(reply)
        answers = said if isinstance(said, list) else [said]
        if len(answers) != count or not all(isinstance(one, dict) and "ErrorCode" in one for one in answers):
            return None
        return None if self.is_account_trouble(reply) else [self._judge(one) for one in answers]

    def is_account_trouble(self, reply: Reply) -> bool:
        said = json_of(reply)
        return reply.status in (401, 403) or (isinstance(said, dict) and said.get("ErrorCode") in self._trouble)

    @staticmethod
    def _judge(one: dict[str, Any]) -> Result:
        said = str(one.get("Message", ""))
        if one["ErrorCode"] == 0:
            return accepted(one.get("MessageID"), said if "inactive" in said else "")
        return refused(f"{one['ErrorCode']}: {said}")


class SendGrid(AnymailVendor):
    """SendGrid (docs.sendgrid.com/api-reference/mail-send): one message a call, since contents differ."""

    provider = Provider.SENDGRID
    url = "https://api.sendgrid.com/v3/"
    backend = "anymail.backends.sendgrid.EmailBackend"

    def options(self) -> dict[str, Any]:
        return {"generate_message_id": False}

    def find_url(self) -> str:
        return "https://api.eu.sendgrid.com/v3/" if text_of(self.config, "region") == "eu" else self.url

    def finish(self, made: dict[str, Any], letter: Letter) -> None:
        made.setdefault("headers", {})["Message-ID"] = f"<{letter.key}>"

    def ask(self, prepared: Sequence[object], key: str) -> Question:
        headers = {"Authorization": f"Bearer {text_of(self.credentials, 'api_key')}"}
        return json_question(f"{self.base}mail/send", headers, one_of(prepared))

    def read(self, reply: Reply, count: int) -> list[Result] | None:
        return [accepted(reply.headers.get("x-message-id"))] if reply.status < 300 else None


class MailerSend(AnymailVendor):
    """MailerSend (developers.mailersend.com/api/v1/email): answers 202 with the id in a header."""

    provider = Provider.MAILERSEND
    url = "https://api.mailersend.com/v1/"
    backend = "anymail.backends.mailersend.EmailBackend"
    secrets = ("api_token",)
    keeps_numbers = False

    def adorn(self, message: EmailMultiAlternatives, letter: Letter) -> None:
        super().adorn(message, letter)
        extra: Any = message
        extra.tags = [f"{NUMBER}-{letter.number}"]  # it keeps no other data with a message

    def finish(self, made: dict[str, Any], letter: Letter) -> None:
        """Extra header fields are for enterprise accounts; an account that has none says so, and loses them."""
        if self.config.get("plain_headers"):
            fields = made.pop("headers", [])
            link = next((one["value"] for one in fields if one["name"].lower() == "list-unsubscribe"), "")
            if link:
                made["list_unsubscribe"] = link

    def ask(self, prepared: Sequence[object], key: str) -> Question:
        headers = {"Authorization": f"Bearer {text_of(self.credentials, 'api_token')}"}
        return json_question(f"{self.base}email", headers, one_of(prepared))

    def read(self, reply: Reply, count: int) -> list[Result] | None:
        if reply.status >= 300:
            return None
        said = json_of(reply)
        warnings = said.get("warnings") if isinstance(said, dict) else None
        if warnings and any(one.get("type") == "ALL_SUPPRESSED" for one in warnings):
            return [refused(words_of(reply))]
        return [accepted(reply.headers.get("x-message-id"))]

    def is_exhausted(self, reply: Reply) -> bool:
        return reply.status == 429 and reply.headers.get("x-apiquota-remaining") == "0"


class Brevo(AnymailVendor):
    """Brevo (developers.brevo.com/reference/sendtransacemail): idempotency keys for 30 minutes."""

    provider = Provider.BREVO
    url = "https://api.brevo.com/v3/"
    knows_keys = True
    backend = "anymail.backends.brevo.EmailBackend"
    tracks = False

    def ask(self, prepared: Sequence[object], key: str) -> Question:
        made: Any = one_of(prepared)
        fields = {**made.get("headers", {}), "idempotencyKey": str(uuid.uuid5(_KEYS, key))}
        headers = {"api-key": text_of(self.credentials, "api_key")}
        return json_question(f"{self.base}smtp/email", headers, {**made, "headers": fields})

    def read(self, reply: Reply, count: int) -> list[Result] | None:
        said = json_of(reply)
        return [accepted(said.get("messageId"))] if reply.status < 300 and isinstance(said, dict) else None

    def is_exhausted(self, reply: Reply) -> bool:
        return reply.status == 402 or _name(reply) == "not_enough_credits"

    def is_duplicate(self, reply: Reply) -> bool:
        return reply.status in (400, 409) and _name(reply) in {"duplicate_request", "duplicate_parameter"}


class Mailjet(AnymailVendor):
    """Mailjet (dev.mailjet.com, Send API v3.1): batches of 50, a status for each message."""

    provider = Provider.MAILJET
    url = "https://api.mailjet.com/v3.1/"
    backend = "anymail.backends.mailjet.EmailBackend"
    secrets = ("api_key", "secret_key")

    def finish(self, made: dict[str, Any], letter: Letter) -> None:
        (only,) = made.pop("Messages")
        made.update({**made.pop("Globals"), **only})

    def ask(self, prepared: Sequence[object], key: str) -> Question:
        credentials = [text_of(self.credentials, name) for name in self.secrets]
        headers = {"Authorization": basic(*credentials)}
        return json_question(f"{self.base}send", headers, {"Messages": list(prepared)})

    def read(self, reply: Reply, count: int) -> list[Result] | None:
        said = json_of(reply)
        answers = said.get("Messages") if isinstance(said, dict) else None
        if not isinstance(answers, list) or len(answers) != count:
            return None
        return [self._judge(one) for one in answers]

    @staticmethod
    def _judge(one: dict[str, Any]) -> Result:
        if one.get("Status") == "success":
            return accepted((one.get("To") or [{}])[0].get("MessageID"))
        errors = one.get("Errors") or [{}]
        return refused("; ".join(str(error.get("ErrorMessage", "refused")) for error in errors))


def _first(answers: Any) -> Result:
    one = next(answers, None)
    return accepted(one.get("id")) if isinstance(one, dict) else accepted("")


def _name(reply: Reply) -> str:
    said = json_of(reply)
    return str(said.get("name") or said.get("code") or "") if isinstance(said, dict) else ""
