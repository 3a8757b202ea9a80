"""The providers that take a message as it is: Amazon SES and Mailgun."""

import base64
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

import httpx2

from postroom.core.mail.ports import Result
from postroom.core.mail.types import Provider
from postroom.kit.http import Question, Reply
from postroom.providers.esp.anymail import one_of
from postroom.providers.esp.letters import NUMBER, Letter
from postroom.providers.esp.vendor import Vendor, accepted, basic, json_of, json_question, text_of

_SES_TROUBLE: Final = ("AccountSuspended", "SendingPaused", "MailFromDomainNotVerified", "NotFound")


class Ses(Vendor):
    """Amazon SES, API v2 SendEmail with raw content, signed by AWS's own signer (Signature Version 4)."""

    provider = Provider.SES
    url = ""

    def find_url(self) -> str:
        return f"https://email.{text_of(self.config, 'region')}.amazonaws.com/"

    def prepare(self, letter: Letter) -> object:
        made = {
            "FromEmailAddress": letter.sender,
            "Destination": {"ToAddresses": list(letter.envelope.recipients)},
            "Content": {"Raw": {"Data": base64.b64encode(letter.raw).decode("ascii")}},
            "EmailTags": [{"Name": NUMBER, "Value": letter.number}],
        }
        if name := text_of(self.config, "configuration_set"):
            made["ConfigurationSetName"] = name
        return made

    def ask(self, prepared: Sequence[object], key: str) -> Question:
        question = json_question(f"{self.base}v2/email/outbound-emails", {}, one_of(prepared))
        return self._signed(question)

    def read(self, reply: Reply, count: int) -> list[Result] | None:
        said = json_of(reply)
        return [accepted(said.get("MessageId"))] if reply.status < 300 and isinstance(said, dict) else None

    def is_account_trouble(self, reply: Reply) -> bool:
        return reply.status in (401, 403) or _error_type(reply).startswith(_SES_TROUBLE)

    def is_exhausted(self, reply: Reply) -> bool:
        return _error_type(reply).startswith("LimitExceeded")

    def _signed(self, question: Question) -> Question:
        # Imported here: only accounts of SES pay for its memory.
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        keys = Credentials(text_of(self.config, "access_key_id"), text_of(self.credentials, "secret_access_key"))
        request = AWSRequest("POST", question.url, headers=dict(question.headers), data=question.body)
        SigV4Auth(keys, "ses", text_of(self.config, "region")).add_auth(request)
        return Question("POST", question.url, dict(request.headers), question.body)


class Mailgun(Vendor):
    """Mailgun (documentation.mailgun.com, POST /v3/{domain}/messages.mime)."""

    provider = Provider.MAILGUN
    url = "https://api.mailgun.net/"

    def find_url(self) -> str:
        return "https://api.eu.mailgun.net/" if text_of(self.config, "region") == "eu" else self.url

    def prepare(self, letter: Letter) -> object:
        tracks = "yes" if self.config.get("tracks") else "no"
        data = {"to": ",".join(letter.envelope.recipients), "o:tracking": tracks, f"v:{NUMBER}": letter.number}
        files = {"message": ("message.eml", letter.raw, "application/octet-stream")}
        address = f"{self.base}v3/{quote(text_of(self.config, 'domain'), safe='')}/messages.mime"
        request = httpx2.Request("POST", address, data=data, files=files)
        return Question("POST", address, {"Content-Type": request.headers["Content-Type"]}, request.read())

    def ask(self, prepared: Sequence[object], key: str) -> Question:
        made = one_of(prepared)
        assert isinstance(made, Question)
        headers = {**made.headers, "Authorization": basic("api", text_of(self.credentials, "api_key"))}
        return Question(made.method, made.url, headers, made.body)

    def read(self, reply: Reply, count: int) -> list[Result] | None:
        said = json_of(reply)
        return [accepted(said.get("id"))] if reply.status < 300 and isinstance(said, dict) else None

    def is_account_trouble(self, reply: Reply) -> bool:
        return reply.status in (401, 402, 403, 404)  # 404: no such domain at this account


def _error_type(reply: Reply) -> str:
    said = json_of(reply)
    inside = said.get("__type", "") if isinstance(said, dict) else ""
    return reply.headers.get("x-amzn-errortype", "") or str(inside).rpartition("#")[2]
