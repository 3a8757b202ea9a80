"""The one form in which the system writes to people itself; what it says comes in through slots, escaped."""

from typing import Final

from postroom.core.mail.types import Composition, Notice
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


def notice_slots(notice: Notice) -> JSONObject:
    """Return what fills the gaps of ``NOTICE``."""
    return {
        "subject": notice.subject,
        "paragraphs": [*notice.paragraphs],
        "button": notice.button,
        "url": notice.url,
    }
