"""HTML of mail: MJML and style sheets compiled to plain HTML that loads nothing, and text made of it."""

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from typing import Final

import css_inline
import mjml

from postroom.kit.errors import Invalid

MOST_TAGS: Final = 30_000
"""Tags of a page, both of an element: a table of 1,300 rows with ten cells fits. A parser takes a second when they are
all nested in each other."""
MOST_MJML_TAGS: Final = 20_000

MOST_REOPENED: Final = 6_000_000
"""Elements that a parser may have to open again for a page."""

TOKENS: Final = re.compile(r"<!--.*?-->|<[a-zA-Z/!](?:[^>\"]|\"[^\"]*\")*>", re.DOTALL)
"""Comments and tags of HTML that ``inline_styles`` wrote: comments closed, attributes in double quotes."""

# Each block opens again what is left open of these, up to three of a kind with the same attributes (HTML, "the list of
# active formatting elements"): a small page can stand for gigabytes. A link ends the link before it, and is not one of
# them. A tag is told by all that may be its attributes, whether quotes count or not.
_REOPENED: Final = re.compile(
    r"<(?=((?:b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)(?=[\s/>])[^>]{0,500}))"
    r"(?=((?:[^>\"']|\"[^\"]{0,200}\"|'[^']{0,200}'){0,200}+))",
    re.IGNORECASE,
)
_ATTRIBUTE: Final = re.compile(r"\s([a-zA-Z:-]+)=\"([^\"]*)\"")
_TAG_NAME: Final = re.compile(r"</?([a-zA-Z][a-zA-Z0-9]*)")
_INLINER: Final = css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)
_MJML_ROOT: Final = re.compile(r"\s*(?:<!--.*?-->\s*)*<mjml[\s>]", re.DOTALL)
_BLANKS: Final = re.compile(r"[ \t\n\r\f\xa0]+")
_HIDDEN_STYLE: Final = re.compile(r"display\s*:\s*none", re.IGNORECASE)

# The parsers descend by recursion and would take the process down with the stack. So much one level of nesting takes
# at most (measured: under 1 and under 8 KiB), and so much every thread has.
_HTML_LEVEL: Final = 2 * 1024
_MJML_LEVEL: Final = 12 * 1024
_ORDINARY_STACK: Final = 4 * 1024 * 1024
_SIZING_STACKS: Final = threading.Lock()

_SILENT: Final = frozenset(("head", "style", "script", "title", "template", "noscript"))
_VOID: Final = frozenset(("br", "hr", "img", "input", "meta", "link", "area", "base", "col", "wbr", "source"))
_PARAGRAPHS: Final = frozenset(
    ("p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "blockquote", "pre", "hr", "table")
)
_LINES: Final = frozenset(("div", "tr", "li", "section", "article", "header", "footer", "center", "address"))


class BadMarkup(Invalid):
    """The markup cannot be compiled."""

    code = "bad_markup"


def compile_mjml(source: str) -> str:
    """Return the HTML of an MJML document. Includes are refused, no font is fetched by readers. Raises BadMarkup."""
    if not _MJML_ROOT.match(source):
        raise BadMarkup("An MJML document begins with <mjml>.")
    try:
        return _descend(_compile_mjml, source, most=MOST_MJML_TAGS, level=_MJML_LEVEL)
    except ValueError as error:
        raise BadMarkup(f"The MJML is not valid: {error}.") from error


def inline_styles(html: str) -> str:
    """Return a whole document with its style sheets moved into ``style`` attributes; media queries stay where they are.

    Style sheets of other addresses or files are never loaded. Raises BadMarkup.
    """
    _check_formatting(html)
    try:
        return _descend(_INLINER.inline, html, most=MOST_TAGS, level=_HTML_LEVEL)
    except (ValueError, css_inline.InlineError) as error:
        raise BadMarkup(f"The HTML cannot be read: {error}.") from error


def _compile_mjml(source: str) -> str:
    html: str = mjml.mjml2html(source, fonts={})
    return html


def _check_formatting(html: str) -> None:
    tags = html.count("<")
    if not 1_000 < tags <= MOST_TAGS:
        return
    kinds = len({found.groups() for found in _REOPENED.finditer(html)})
    if 3 * kinds * tags > MOST_REOPENED:
        raise BadMarkup(f"The HTML has {kinds:,} kinds of bold, font and other inline tags: use fewer styles.")


def _descend(parse: Callable[[str], str], source: str, *, most: int, level: int) -> str:
    """Return what ``parse`` makes of markup, on a stack that is deep enough if all of its tags are nested."""
    tags = source.count("<")
    if tags > most:
        raise BadMarkup(f"The markup has {tags:,} tags; {most:,} is the most.")
    octets = tags * level
    if octets <= _ORDINARY_STACK:
        return parse(source)
    with ThreadPoolExecutor(max_workers=1) as deep:
        with _SIZING_STACKS:
            usual = threading.stack_size(octets)
            try:
                made = deep.submit(parse, source)
            finally:
                threading.stack_size(usual)
        return made.result()


def attributes_of(tag: str) -> dict[str, str]:
    """Return the attributes of a start tag that ``inline_styles`` wrote, decoded."""
    return {name.lower(): unescape(value) for name, value in _ATTRIBUTE.findall(tag)}


def tag_name(tag: str) -> str:
    """Return the lower-case name of a start or end tag, or nothing."""
    match = _TAG_NAME.match(tag)
    return match[1].lower() if match else ""


def html_to_text(html: str) -> str:
    """Return what a person reads in HTML that ``inline_styles`` wrote: paragraphs apart, links as "text (url)", images
    by their description, hidden elements left out.
    """
    writer = _TextWriter()
    position = 0
    for match in TOKENS.finditer(html):
        writer.text(html[position : match.start()])
        writer.token(match[0])
        position = match.end()
    writer.text(html[position:])
    return writer.result()


class _TextWriter:
    """Collects text; ``_silence`` counts how many elements deep the reader is inside one that nobody sees."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._breaks = 0
        self._silence = 0
        self._silencer = ""
        self._links: list[tuple[str, int]] = []

    def text(self, text: str) -> None:
        words = "" if self._silence else _BLANKS.sub(" ", unescape(text))
        if words.strip(" ") or (words and not self._breaks):
            self._parts.append("\n" * self._breaks if self._parts else "")
            self._parts.append(words)
            self._breaks = 0

    def token(self, token: str) -> None:
        name = tag_name(token)
        if not name:
            return
        if self._silence:
            self._count(name, token)
        elif token.startswith("</"):
            self._end(name)
        else:
            self._start(name, token)

    def _count(self, name: str, token: str) -> None:
        if name == self._silencer:
            self._silence += -1 if token.startswith("</") else 1

    def _start(self, name: str, token: str) -> None:
        attributes = attributes_of(token)
        if name not in _VOID and (name in _SILENT or _HIDDEN_STYLE.search(attributes.get("style", ""))):
            self._silence, self._silencer = 1, name
        elif name == "a":
            self._links.append((attributes.get("href", ""), len(self._parts)))
        elif name == "img":
            self.text(attributes.get("alt", ""))
        elif name in ("td", "th"):
            self.text(" ")
        else:
            self._break(name)
            self.text("- " if name == "li" else "")

    def _end(self, name: str) -> None:
        if name != "a":
            self._break(name)
        elif self._links:
            url, start = self._links.pop()
            label = "".join(self._parts[start:]).strip()
            url = url.removeprefix("mailto:").removeprefix("tel:")
            if url and not url.startswith("#") and url != label:
                self.text(f" ({url})" if label else url)

    def _break(self, name: str) -> None:
        if name == "br":
            self._breaks = min(self._breaks + 1, 2)
        else:
            self._breaks = max(self._breaks, 2 if name in _PARAGRAPHS else name in _LINES)

    def result(self) -> str:
        lines = (_BLANKS.sub(" ", line).strip() for line in "".join(self._parts).split("\n"))
        text = "\n".join(lines).strip()
        return f"{text}\n" if text else ""
