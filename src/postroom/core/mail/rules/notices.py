"""The one form in which the system writes to people itself; what it says comes in through slots, escaped."""

from typing import Final

from postroom.core.contacts.rules.links import CONFIRM_FOR
from postroom.core.contacts.types import ListTerms
from postroom.core.mail.types import Composition, Notice, OwnLetter
from postroom.kit.types import JSONObject

_HTML: Final = (
    '<div style="max-width:480px;margin:0 auto;padding:24px;font:16px/1.5 system-ui,sans-serif;color:#182433">'
    '{% for paragraph in paragraphs %}<p style="margin:0 0 16px">{{ paragraph }}</p>{% endfor %}'
    '<p style="margin:24px 0"><a href="{{ url }}" style="display:inline-block;padding:12px 20px;border-radius:8px;'
    'background:#0b5cad;color:#ffffff;text-decoration:none;font-weight:600">{{ button }}</a></p>'
    '<p style="margin:0;font-size:13px;color:#5b6b7f">If the button does nothing, open this address: {{ url }}</p>'
    "</div>"
)
_TEXT: Final = "{% for paragraph in paragraphs %}{{ paragraph }}\n\n{% endfor %}{{ button }}:\n{{ url }}\n"

NOTICE: Final = Composition(subject="{{ subject }}", body=_HTML, text=_TEXT)
"""The same words for every notice, so that all notices of a workspace share one stored content."""


IGNORE: Final = "If you did not ask for this, you need not do anything."


def confirmation_notice(*, workspace_name: str, terms: ListTerms, url: str) -> Notice:
    """Return what asks a person whether they want to be on a list: in the author's words or, without any, in ours."""
    words = [line.strip() for line in terms.confirm_text.split("\n")]
    ours = f"Please confirm that you want to get “{terms.name}” from {workspace_name}."
    return Notice(
        subject=terms.confirm_subject or f"Please confirm: {terms.name}",
        paragraphs=(*([*filter(None, words)] or [ours]), f"The link is good for {CONFIRM_FOR.days} days. {IGNORE}"),
        button="Yes, I want this",
        url=url,
    )


def write_notice(notice: Notice) -> OwnLetter:
    """Return a notice in our one form."""
    return OwnLetter(NOTICE, notice_slots(notice))


def notice_slots(notice: Notice) -> JSONObject:
    """Return what fills the gaps of ``NOTICE``."""
    return {
        "subject": notice.subject,
        "paragraphs": [*notice.paragraphs],
        "button": notice.button,
        "url": notice.url,
    }
