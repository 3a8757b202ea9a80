"""Freezes what an author wrote: MJML and styles compiled, links numbered, text made, the way out added."""

import re
from collections.abc import Mapping
from html import escape
from typing import Final

from postroom.core.mail.errors import BadComposition
from postroom.core.mail.rules.compose.compiling import compile_content
from postroom.core.mail.rules.compose.masking import Vault
from postroom.core.mail.rules.compose.values import BULK_CLASSES, LINK, PIXEL, UNSUBSCRIBE, FrozenContent, Link, Preview
from postroom.core.mail.rules.liquid import check_template, parse_template
from postroom.core.mail.types import BodyFormat, Composition, MessageClass
from postroom.kit.html import (
    TOKENS,
    BadMarkup,
    attributes_of,
    compile_mjml,
    html_to_text,
    inline_styles,
    tag_name,
)
from postroom.kit.mime import clean_line, clean_text
from postroom.kit.types import JSONValue

MAX_LINKS: Final = 1_000
MAX_URL: Final = 2_000
MAX_SUBJECT: Final = 998

_REFUSED: Final = frozenset(("javascript", "vbscript", "data", "file"))
_SCHEME: Final = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*):")
_IGNORED_IN_URLS: Final = re.compile(r"[\x00-\x20\x7f-\xa0]")
_BODY: Final = re.compile(r"<body(?:[^>\"]|\"[^\"]*\")*>")
_DOCUMENT: Final = re.compile(r"<(?:html|body|!doctype)[\s>]", re.IGNORECASE)
_PAGE: Final = '<!DOCTYPE html><html><head><meta charset="utf-8"></head><body>{}</body></html>'
_LINK_END: Final = re.compile(r"</a\s*>")
_FOOTER: Final = (
    '<p style="margin:24px 0 0;font-size:12px;line-height:18px;color:#666666;text-align:center">'
    '<a href="{{ unsubscribe_url }}" style="color:#666666">Unsubscribe</a></p>'
)
_TEXT_FOOTER: Final = "\n-- \nUnsubscribe: {{ unsubscribe_url }}\n"
_PIXEL: Final = '<img src="{{ open_pixel_url }}" width="1" height="1" alt="" style="border:0;width:1px;height:1px">'
_PREHEADER: Final = '<div style="display:none;max-height:0;overflow:hidden;mso-hide:all">{}</div>'


def freeze(
    composition: Composition, *, message_class: MessageClass, tracks_opens: bool, tracks_clicks: bool
) -> FrozenContent:
    """Return the composition as it will be sent. Bulk mail without an unsubscribe link gets one at its foot.

    Raises TemplateRefused for bad Liquid; BadComposition for bad MJML, HTML or links, or when there is nothing to send.
    """
    subject, text = clean_line(composition.subject), clean_text(composition.text)
    body, preheader = clean_text(composition.body), clean_line(composition.preheader)
    if not body.strip() and not text.strip():
        raise BadComposition("The message has neither a body nor a text.")
    if len(subject) > MAX_SUBJECT:
        raise BadComposition(f"The subject is longer than {MAX_SUBJECT} characters.")
    for template in (subject, body, text, preheader):
        check_template(template)
    is_bulk = message_class in BULK_CLASSES
    if is_bulk and text and UNSUBSCRIBE not in text:
        text = text.rstrip("\n") + "\n" + _TEXT_FOOTER
    if not body.strip():
        return _checked(FrozenContent(subject, "", text))
    vault = Vault(body)
    page = _compile(vault, body, composition.body_format, preheader)
    page, links = _number_links(vault, page, is_tracked=tracks_clicks)
    has_way_out = not is_bulk or vault.mentions(UNSUBSCRIBE)
    text = text or _make_text(vault, page, has_way_out)
    html = vault.show(page).replace(_SLOT_OPEN, "{{ ")
    html = _before_end(html, ("" if has_way_out else _FOOTER) + (_PIXEL if tracks_opens else ""))
    return _checked(FrozenContent(subject, html, text, links, tracks_opens, tracks_clicks))


def preview(
    composition: Composition, slots: Mapping[str, JSONValue], message_class: MessageClass = MessageClass.MARKETING
) -> Preview:
    """Return what a reader with these values sees, with nothing tracked. Raises as ``freeze`` does."""
    frozen = freeze(composition, message_class=message_class, tracks_opens=False, tracks_clicks=False)
    values = {**slots, UNSUBSCRIBE: "#", PIXEL: ""}
    return Preview(
        clean_line(parse_template(frozen.subject, escapes=False).render(values)),
        parse_template(frozen.html, escapes=True).render(values),
        parse_template(frozen.text, escapes=False).render(values),
    )


def _checked(frozen: FrozenContent) -> FrozenContent:
    """Compile once to see that it can be: what MJML, styles and links made of the body may be too much after all."""
    compile_content(frozen)
    return frozen


_SLOT_OPEN: Final = "{\x1a{ "  # cleaned text holds no such control, and it keeps our slots apart from stray braces


def _compile(vault: Vault, body: str, body_format: BodyFormat, preheader: str) -> str:
    try:
        page = vault.hide_in_markup(body)
        page = inline_styles(compile_mjml(page) if body_format is BodyFormat.MJML else _whole(page))
    except BadMarkup as error:
        raise BadComposition(error.message) from error
    opening = _BODY.search(page)
    if not preheader or opening is None:
        return page
    hidden = _PREHEADER.format(escape(vault.hide(preheader), quote=False))
    return page[: opening.end()] + hidden + page[opening.end() :]


def _whole(page: str) -> str:
    """A comment before the first element would be moved out of the body, so a fragment gets its page first."""
    return page if _DOCUMENT.search(page) else _PAGE.format(page)


def _number_links(vault: Vault, page: str, *, is_tracked: bool) -> tuple[str, tuple[Link, ...]]:
    """Check every address of the page and put slots where tracked links stood."""
    parts: list[str] = []
    links: list[Link] = []
    position = 0
    for match in TOKENS.finditer(page):
        if match[0].startswith(("<!", "</")):
            continue
        attributes = attributes_of(match[0])
        for name in ("href", "action", "formaction", "src", "background"):
            _check_address(name, attributes.get(name, ""))
        url = attributes.get("href", "").strip()
        if is_tracked and tag_name(match[0]) in ("a", "area") and _is_trackable(vault, url):
            links.append(Link(len(links), url, _label(vault, page, match.end())))
            before, after = _HREF.split(match[0], maxsplit=1)
            parts += [page[position : match.start()], before, f'href="{_SLOT_OPEN}{LINK}{links[-1].index} }}}}"', after]
            position = match.end()
    if len(links) > MAX_LINKS:
        raise BadComposition(f"The message has more than {MAX_LINKS} links.")
    return "".join([*parts, page[position:]]), tuple(links)


_HREF: Final = re.compile(r"(?<=\s)href=\"[^\"]*\"")


def _check_address(attribute: str, url: str) -> None:
    scheme = _SCHEME.match(_IGNORED_IN_URLS.sub("", url))
    if scheme and scheme[1].lower() in _REFUSED and (attribute, scheme[1].lower()) != ("src", "data"):
        raise BadComposition(f"A {scheme[1].lower()}: address is not allowed in a message: {url[:80]!r}.")
    if len(url) > MAX_URL and attribute == "href":
        raise BadComposition(f"A link is longer than {MAX_URL} characters: {url[:80]!r}….")


def _is_trackable(vault: Vault, url: str) -> bool:
    return url.lower().startswith(("http://", "https://")) and not vault.is_hidden_in(url)


def _label(vault: Vault, page: str, start: int) -> str:
    end = _LINK_END.search(page, start, start + 5_000)
    words = html_to_text(vault.as_words(page[start : end.start()])) if end else ""
    return clean_line(vault.show_in_text(words))[:200]


def _make_text(vault: Vault, page: str, has_way_out: bool) -> str:
    words = html_to_text(vault.as_words(page))
    text = vault.show_in_text(words).replace(_SLOT_OPEN, "{{ ")
    return text if has_way_out else text + _TEXT_FOOTER


def _before_end(html: str, addition: str) -> str:
    end = html.rfind("</body>")
    return html[:end] + addition + html[end:] if end >= 0 else html + addition
