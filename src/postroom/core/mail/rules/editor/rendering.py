"""Renders a document: read once, written as a page and as plain text."""

from collections.abc import Mapping

from postroom.core.mail.rules.editor.page import write_page
from postroom.core.mail.rules.editor.plain import write_plain
from postroom.core.mail.rules.editor.reading import read_document
from postroom.core.mail.rules.editor.values import Rendered
from postroom.core.mail.rules.editor.wording import Wording
from postroom.kit.types import JSONValue


def render(document: str | Mapping[str, JSONValue], *, variables: Mapping[str, str]) -> Rendered:
    """Return a document as Liquid templates. ``variables`` maps the names its author may use, in any case, to paths.

    Raises BadDocument, saying what cannot be rendered and where it stands.
    """
    root = read_document(document)
    return Rendered(
        html=write_page(root, Wording(variables, is_html=True)),
        text=write_plain(root, Wording(variables, is_html=False)),
    )
