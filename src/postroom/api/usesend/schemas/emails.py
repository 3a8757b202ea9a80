"""Bodies of the e-mail operations."""

import json
from base64 import b64decode, b64encode
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from postroom.api.shared.values import Camel, Instant
from postroom.api.usesend.issues import custom, too_small, type_word, unfit, wrong_type
from postroom.api.usesend.schemas.values import Moment, OptionalText, StringMap, Text, Texts, not_null


def _as_html(value: Any) -> Any:
    """Some clients send a flag, meaning that there is no HTML, or a value to be printed."""
    if value is None or isinstance(value, bool) or value in ("true", "false"):
        return None
    return value if isinstance(value, str) else json.dumps(value)


def _as_octets(value: Any) -> Any:
    if not isinstance(value, str):
        raise unfit(wrong_type("string", type_word(value)))
    if not value:
        raise unfit(too_small("string", 1))
    try:
        return b64decode("".join(value.split()), validate=True)
    except ValueError as error:
        raise unfit(custom("Invalid base64")) from error


class AttachmentSend(Camel):
    """A file to send along."""

    filename: Text
    content: Annotated[
        bytes, BeforeValidator(_as_octets), PlainSerializer(b64encode), WithJsonSchema({"type": "string"})
    ]


class EmailSend(Camel):
    """An e-mail to send."""

    to: Texts
    from_: Annotated[str, Field(alias="from")]
    subject: Annotated[Text | None, not_null("string")] = None
    template_id: OptionalText = None
    variables: StringMap = Field(default_factory=dict)
    reply_to: Texts = Field(default_factory=list)
    cc: Texts = Field(default_factory=list)
    bcc: Texts = Field(default_factory=list)
    text: Text | None = None
    html: Annotated[Text | None, BeforeValidator(_as_html)] = None
    headers: dict[str, Text] = Field(default_factory=dict)
    scheduled_at: Annotated[Moment | None, not_null("string")] = None
    in_reply_to_id: str | None = None
    attachments: Annotated[list[AttachmentSend], Field(max_length=10, default_factory=list)]

    @model_validator(mode="after")
    def need_words(self) -> "EmailSend":
        """A message has a subject and a body, its own or a template's."""
        if self.subject is None and self.template_id is None:
            raise unfit(custom("Either subject or templateId must be given"))
        if self.text is None and self.html is None and self.template_id is None:
            raise unfit(custom("Either text or html must be given"))
        return self


class EmailIdResult(Camel):
    """The id of an accepted e-mail."""

    email_id: str


class EmailBatchResult(Camel):
    """The ids of accepted e-mails, in the order they were given."""

    data: list[EmailIdResult]


class EmailUpdate(Camel):
    """Another time for a scheduled e-mail."""

    scheduled_at: Moment


class EmailEvent(Camel):
    """One thing that happened to an e-mail."""

    email_id: str
    status: str
    created_at: Instant
    data: Any


class EmailWords(Camel):
    """What an e-mail says, and to whom."""

    id: str
    to: list[str]
    reply_to: list[str]
    cc: list[str]
    bcc: list[str]
    from_: Annotated[str, Field(alias="from")]
    subject: str
    html: str | None
    text: str | None
    created_at: Instant
    updated_at: Instant


class Email(EmailWords):
    """An e-mail with all that happened to it."""

    team_id: int
    email_events: list[EmailEvent]


class EmailListItem(EmailWords):
    """An e-mail and where it stands."""

    latest_status: str
    scheduled_at: Instant | None
    domain_id: int | None


class EmailList(Camel):
    """One page of e-mails, and how many there are over all pages."""

    data: list[EmailListItem]
    count: int
