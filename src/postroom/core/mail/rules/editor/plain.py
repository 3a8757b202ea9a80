"""A document as plain text: paragraphs apart, links as "words (address)", lists with their marks."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from postroom.core.mail.rules.editor.attributes import link_of, size_of, text_of
from postroom.core.mail.rules.editor.values import Node
from postroom.core.mail.rules.editor.wording import Wording

_INLINE: Final = frozenset(("text", "variable", "hardBreak"))


def write_plain(root: Node, wording: Wording) -> str:
    """Return the text, with a line end at its end."""
    return _blocks(root.children, wording).strip("\n") + "\n"


def _blocks(nodes: Sequence[Node], wording: Wording, between: str = "\n\n") -> str:
    return between.join(block for block in _each(nodes, wording) if block.strip())


def _each(nodes: Sequence[Node], wording: Wording) -> Iterator[str]:
    """Yield each block, and what stands between blocks as one."""
    line = ""
    for node in nodes:
        if node.type in _INLINE:
            line += _inline(node, wording)
            continue
        yield line
        line = ""
        yield _WRITERS[node.type](node, wording)
    yield line


def _inline(node: Node, wording: Wording) -> str:
    if node.type == "hardBreak":
        return "\n"
    words = wording.say_variable(node) if node.type == "variable" else wording.say(node.text)
    link = next((mark for mark in node.marks if mark.type == "link"), None)
    url = link_of(link.attributes, node.place, "href", "url") if link else ""
    return _with_address(words, url, wording)


def _with_address(words: str, url: str, wording: Wording) -> str:
    address = wording.say_address(url.removeprefix("mailto:").removeprefix("tel:"))
    if not url or url.startswith("#") or address == words.strip():
        return words
    return f"{words} ({address})" if words.strip() else address


def _paragraph(node: Node, wording: Wording) -> str:
    return _blocks(node.children, wording)


def _bullets(node: Node, wording: Wording) -> str:
    return _list(node, wording, ["- " for _ in node.children])


def _numbers(node: Node, wording: Wording) -> str:
    start = size_of(node.attributes, "start", 1, most=9999)
    return _list(node, wording, [f"{start + number}. " for number in range(len(node.children))])


def _list(node: Node, wording: Wording, marks: Sequence[str]) -> str:
    items = (_blocks((child,), wording) for child in node.children)
    return "\n".join(mark + item.replace("\n", "\n" + " " * len(mark)) for mark, item in zip(marks, items, strict=True))


def _item(node: Node, wording: Wording) -> str:
    return _blocks(node.children, wording, between="\n")


def _quote(node: Node, wording: Wording) -> str:
    return "> " + _blocks(node.children, wording).replace("\n", "\n> ")


def _rule(node: Node, wording: Wording) -> str:
    return "-" * 40


def _nothing(node: Node, wording: Wording) -> str:
    return ""


def _button(node: Node, wording: Wording) -> str:
    words = wording.say(text_of(node.attributes, "text") or "Button")
    return _with_address(words, link_of(node.attributes, node.place, "url", "href"), wording)


def _picture(node: Node, wording: Wording) -> str:
    words = wording.say(text_of(node.attributes, "alt", "title"))
    return _with_address(words, link_of(node.attributes, node.place, "externalLink", "href", "link"), wording)


def _footer(node: Node, wording: Wording) -> str:
    return _blocks(node.children, wording) or "Unsubscribe: {{ unsubscribe_url }}"


_WRITERS: Final[dict[str, Callable[[Node, Wording], str]]] = {
    "paragraph": _paragraph,
    "heading": _paragraph,
    "bulletList": _bullets,
    "orderedList": _numbers,
    "listItem": _item,
    "blockquote": _quote,
    "codeBlock": _paragraph,
    "horizontalRule": _rule,
    "spacer": _nothing,
    "button": _button,
    "image": _picture,
    "logo": _picture,
    "unsubscribeFooter": _footer,
}
