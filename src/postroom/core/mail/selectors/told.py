"""What is added to the facts of mail when webhooks are called."""

from collections.abc import Mapping

from postroom.core.mail.models import Message
from postroom.core.mail.selectors.contents import show_message
from postroom.kit.types import JSONValue


def fill_subject(facts: Mapping[str, JSONValue]) -> Mapping[str, JSONValue]:
    """Return the facts of a message with its subject as its reader has it: a subject that has places to fill is filled
    now, for a campaign's many messages that would be dear while they go out.
    """
    if "{" not in str(facts.get("subject", "")):
        return facts
    message = Message.objects.filter(uid=str(facts["message"])).first()
    return facts if message is None else {**facts, "subject": show_message(message=message).subject}
