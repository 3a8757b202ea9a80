"""Hides Liquid from HTML tools: each node becomes a word, or a comment where text stands, and comes back after."""

import hashlib
import re
from typing import Final

from postroom.core.mail.rules.liquid import Kind, scan

_RAW_ELEMENTS: Final = frozenset(("style", "script", "title", "textarea", "mj-style", "mj-title", "mj-preview"))
_MARKS: Final = re.compile(r"<!--|-->|<(/?[a-zA-Z][a-zA-Z0-9-]*)|>|\"|'|<mask>")


class Vault:
    """Keeps the Liquid nodes of one composition. Its words cannot be foretold, yet are the same each time."""

    def __init__(self, seed: str) -> None:
        self._stem = "lq" + hashlib.blake2b(seed.encode(), digest_size=8).hexdigest() + "n"
        self._nodes: list[str] = []
        self._word = re.compile(self._stem + r"(\d+)z")
        # An HTML parser gives a node that stands among the attributes of a tag an empty value.
        self._any = re.compile(rf'<!--{self._stem}(\d+)t-->|{self._stem}(\d+)z(?:="")?')

    def hide(self, source: str) -> str:
        """Return ``source`` with every node as a word."""
        return "".join(piece.source if piece.kind is Kind.TEXT else self._keep(piece.source) for piece in scan(source))

    def hide_in_markup(self, source: str) -> str:
        """Return markup with nodes as comments where text stands, so that a table keeps the loop around its rows, and
        as words inside tags, comments and elements without markup.
        """
        hidden = self.hide(source)
        spans = _text_spans(hidden)
        parts, position = [], 0
        for start, end in spans:
            parts += [hidden[position:start], self._word.sub(rf"<!--{self._stem}\g<1>t-->", hidden[start:end])]
            position = end
        return "".join([*parts, hidden[position:]])

    def show(self, hidden: str) -> str:
        """Return the text with the nodes back in their places; braces that arose on the way are no Liquid."""
        inert = hidden.replace("{{", "&#123;{").replace("{%", "&#123;%")
        return self._any.sub(lambda match: self._nodes[int(match[1] or match[2])], inert)

    def show_in_text(self, hidden: str) -> str:
        """As ``show``, for plain text."""
        inert = hidden.replace("{{", "{ {").replace("{%", "{ %")
        return self._any.sub(lambda match: self._nodes[int(match[1] or match[2])], inert)

    def as_words(self, hidden: str) -> str:
        """Return markup with every node as a word."""
        return self._any.sub(lambda match: f"{self._stem}{match[1] or match[2]}z", hidden)

    def is_hidden_in(self, text: str) -> bool:
        """Whether a node stands in ``text``."""
        return self._word.search(text) is not None

    def mentions(self, name: str) -> bool:
        """Whether a node names the variable ``name``."""
        return any(name in node for node in self._nodes)

    def _keep(self, node: str) -> str:
        self._nodes.append(node)
        return f"{self._stem}{len(self._nodes) - 1}z"


def _text_spans(markup: str) -> list[tuple[int, int]]:
    """Return where text stands outside tags, comments and raw elements, in one pass."""
    spans: list[tuple[int, int]] = []
    state, raw, start = "text", "", 0
    for match in _MARKS.finditer(markup):
        mark, name = match[0], (match[1] or "").lower()
        if state == "text" and (mark == "<!--" or name):
            spans.append((start, match.start()))
            state, raw = ("comment", "") if mark == "<!--" else ("tag", name if name in _RAW_ELEMENTS else "")
        elif state == "comment" and mark == "-->":
            state, start = "text", match.end()
        elif state == "tag" and mark in ("'", '"'):
            state = mark
        elif state == mark:
            state = "tag"
        elif state == "tag" and mark == ">":
            state, start = ("raw", 0) if raw else ("text", match.end())
        elif state == "raw" and name == f"/{raw}":
            state, raw = "tag", ""
    if state == "text":
        spans.append((start, len(markup)))
    return spans
