"""Words of a document as Liquid: placeholders filled in, everything else said as it stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from postroom.core.mail.rules.editor.attributes import text_of
from postroom.core.mail.rules.editor.values import Node
from postroom.core.mail.rules.placeholders import print_variable, to_liquid

_IN_QUERY = " | url_encode"


@dataclass(frozen=True, slots=True)
class Wording:
    """Says words in HTML or in plain text; ``variables`` maps names to Liquid paths."""

    variables: Mapping[str, str]
    is_html: bool

    def say(self, words: str) -> str:
        """Return words of a block."""
        return to_liquid(self._escape(words), variables=self.variables)

    def say_address(self, url: str) -> str:
        """Return an address; what is filled in behind a question mark is encoded for there."""
        path, mark, query = self._escape(url).partition("?")
        first = to_liquid(path, variables=self.variables)
        return first + mark + to_liquid(query, variables=self.variables, filters=_IN_QUERY)

    def say_variable(self, node: Node) -> str:
        """Return a variable; one that nobody knows is its fallback, or stays as it was written."""
        name, fallback = text_of(node.attributes, "id", "name"), text_of(node.attributes, "fallback")
        paths = {known.lower(): path for known, path in self.variables.items()}
        path = paths.get(name.lower().removeprefix("contact."))
        if path is None:
            return to_liquid(self._escape(fallback or f"{{{{{name}}}}}"), variables={})
        return print_variable(path, self._escape(fallback))

    def _escape(self, words: str) -> str:
        return escape(words) if self.is_html else words
