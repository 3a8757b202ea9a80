"""The mail that asks a person whether they want to be on a list: its author's document, or words in our one form."""

from collections.abc import Mapping
from typing import Final

from postroom.core.contacts.rules.books import CONFIRM_URL
from postroom.core.contacts.types import ListTerms
from postroom.core.mail.errors import BadDocument
from postroom.core.mail.rules import editor
from postroom.core.mail.rules.notices import NOTICE, confirmation_notice, notice_slots
from postroom.core.mail.rules.placeholders import CONTACT, to_liquid
from postroom.core.mail.types import Composition, OwnLetter

VARIABLES: Final = {**CONTACT, CONFIRM_URL: "double_opt_in_url"}
"""What such a document may speak of, and its names in templates."""


def check_document(document: str) -> None:
    """Refuse an editor document that cannot become this mail. Raises BadDocument."""
    editor.render(document, variables=VARIABLES)


def confirmation_letter(*, workspace_name: str, terms: ListTerms, person: Mapping[str, str], url: str) -> OwnLetter:
    """Return the mail for a ``person`` (e-mail, first and last name); ``url`` confirms."""
    if terms.confirm_document:
        try:
            return _written(terms, person, url)
        except BadDocument:
            pass  # It could be rendered when it was stored; the person is asked all the same.
    notice = confirmation_notice(workspace_name=workspace_name, terms=terms, url=url)
    return OwnLetter(NOTICE, notice_slots(notice), terms.confirm_from)


def _written(terms: ListTerms, person: Mapping[str, str], url: str) -> OwnLetter:
    rendered = editor.render(terms.confirm_document, variables=VARIABLES)
    subject = to_liquid(terms.confirm_subject or f"Please confirm: {terms.name}", variables=VARIABLES)
    composition = Composition(subject=subject, body=rendered.html, text=rendered.text)
    return OwnLetter(composition, {**person, VARIABLES[CONFIRM_URL]: url}, terms.confirm_from)
