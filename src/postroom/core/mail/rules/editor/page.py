"""A document as the HTML of an e-mail: 600 pixels, tables where clients need them, all styles in place.

Neither a ground nor a colour of text is set, so that a client in dark mode keeps both readable.
"""

from collections.abc import Callable, Sequence
from typing import Final

from postroom.core.mail.rules.editor.attributes import (
    alignment_of,
    colour_of,
    font_of,
    link_of,
    picture_of,
    size_of,
    text_of,
)
from postroom.core.mail.rules.editor.values import Mark, Node
from postroom.core.mail.rules.editor.wording import Wording

WIDTH: Final = 600
SPACES: Final = {"sm": 8, "md": 16, "lg": 32, "xl": 64}
_LOGO_SIZES: Final = {"sm": 40, "md": 48, "lg": 64}
_RADII: Final = {"sharp": 0, "smooth": 6, "round": 999}
_HEADINGS: Final = {1: (30, 36), 2: (24, 32), 3: (20, 28)}
_LINE: Final = "1px solid #8a8a8a"
_FONT: Final = "-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
_MONO: Final = "ui-monospace,Menlo,Consolas,monospace"

_PAGE: Final = (
    '<!DOCTYPE html><html><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">'
    "</head>"
    f'<body style="margin:0;padding:0;font-family:{_FONT};-webkit-text-size-adjust:100%">'
    '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr>'
    '<td align="center" style="padding:24px 16px">'
    f'<table role="presentation" width="{WIDTH}" cellpadding="0" cellspacing="0" border="0"'
    f' style="width:100%;max-width:{WIDTH}px"><tr>'
    f'<td align="left" style="font-family:{_FONT};font-size:16px;line-height:26px">'
)
_PAGE_END: Final = "</td></tr></table></td></tr></table></body></html>"


def write_page(root: Node, wording: Wording) -> str:
    """Return the whole page. Raises BadDocument for addresses that no message may hold."""
    return f"{_PAGE}{_write_all(root.children, wording)}{_PAGE_END}"


def _write_all(nodes: Sequence[Node], wording: Wording) -> str:
    return "".join(_marked(node, _WRITERS[node.type](node, wording), wording) for node in nodes)


def _marked(node: Node, html: str, wording: Wording) -> str:
    """Return what a node says with its marks around it, a link outermost."""
    for mark in sorted(node.marks, key=lambda mark: mark.type == "link"):
        html = _MARKS[mark.type](mark, html, node.place, wording)
    return html


def _text(node: Node, wording: Wording) -> str:
    return wording.say(node.text).replace("\n", "<br>")


def _variable(node: Node, wording: Wording) -> str:
    return wording.say_variable(node)


def _line_break(node: Node, wording: Wording) -> str:
    return "<br>"


def _paragraph(node: Node, wording: Wording, margin: str = "0 0 16px") -> str:
    inner = _write_all(node.children, wording) or "&nbsp;"
    return f'<p style="margin:{margin}{_leaning(node)}">{inner}</p>'


def _heading(node: Node, wording: Wording) -> str:
    level = size_of(node.attributes, "level", 1, most=3) or 1
    size, height = _HEADINGS[level]
    style = f"margin:24px 0 12px;font-size:{size}px;line-height:{height}px;font-weight:700{_leaning(node)}"
    return f'<h{level} style="{style}">{_write_all(node.children, wording)}</h{level}>'


def _leaning(node: Node) -> str:
    side = alignment_of(node.attributes, "textAlign")
    return f";text-align:{side}" if side else ""


def _bullets(node: Node, wording: Wording) -> str:
    return f'<ul style="margin:0 0 16px;padding:0 0 0 24px">{_write_all(node.children, wording)}</ul>'


def _numbers(node: Node, wording: Wording) -> str:
    start = size_of(node.attributes, "start", 1, most=9999)
    first = f' start="{start}"' if start != 1 else ""
    return f'<ol{first} style="margin:0 0 16px;padding:0 0 0 24px">{_write_all(node.children, wording)}</ol>'


def _item(node: Node, wording: Wording) -> str:
    inner = "".join(
        _paragraph(child, wording, margin="0") if child.type == "paragraph" else _write_all((child,), wording)
        for child in node.children
    )
    return f'<li style="margin:0 0 6px">{inner}</li>'


def _quote(node: Node, wording: Wording) -> str:
    style = f"margin:0 0 16px;padding:0 0 0 16px;border-left:4px solid #8a8a8a{_leaning(node)}"
    return f'<blockquote style="{style}">{_write_all(node.children, wording)}</blockquote>'


def _code(node: Node, wording: Wording) -> str:
    style = f"margin:0 0 16px;padding:12px;border:{_LINE};border-radius:6px;font-family:{_MONO};font-size:14px;"
    inner = _write_all(node.children, wording).replace("<br>", "\n")
    return f'<pre style="{style}line-height:20px;white-space:pre-wrap"><code>{inner}</code></pre>'


def _rule(node: Node, wording: Wording) -> str:
    return f'<hr style="margin:24px 0;border:0;border-top:{_LINE}">'


def _space(node: Node, wording: Wording) -> str:
    height = size_of(node.attributes, "height", SPACES["md"], most=400, words=SPACES)
    style = f"height:{height}px;line-height:{height}px;font-size:1px"
    return f'<div aria-hidden="true" style="{style}">&nbsp;</div>'


def _button(node: Node, wording: Wording) -> str:
    """A table cell has the ground, since some clients give links none."""
    attributes = node.attributes
    is_outlined = text_of(attributes, "variant") == "outline"
    ground = colour_of(attributes, "buttonColor", "#1f2937")
    colour = colour_of(attributes, "textColor", ground if is_outlined else "#ffffff")
    edge = colour_of(attributes, "borderColor", ground)
    width = size_of(attributes, "borderWidth", 2 if is_outlined else 0, most=10)
    radius = size_of(attributes, "borderRadius", _RADII["smooth"], most=999, words=_RADII)
    fill = "" if is_outlined else f' bgcolor="{ground}"'
    cell = ("" if is_outlined else f"background-color:{ground};") + f"border-radius:{radius}px"
    cell += f";border:{width}px solid {edge}" if width else ""
    link = (
        f"display:inline-block;padding:12px 24px;color:{colour};font-size:16px;line-height:20px;font-weight:600;"
        f"text-decoration:none;border-radius:{radius}px"
    )
    side = alignment_of(attributes, "alignment", "textAlign", default="left")
    words = wording.say(text_of(attributes, "text") or "Button")
    address = wording.say_address(link_of(attributes, node.place, "url", "href") or "#")
    return (
        f'<table role="presentation" align="{side}" cellpadding="0" cellspacing="0" border="0" '
        f'style="margin:{_margin(side)}"><tr><td align="center"{fill} style="{cell}">'
        f'<a href="{address}" target="_blank" style="{link}">{words}</a></td></tr></table>'
        '<div style="clear:both;height:16px;line-height:16px;font-size:1px">&nbsp;</div>'
    )


def _margin(side: str) -> str:
    return {"center": "0 auto", "right": "0 0 0 auto"}.get(side, "0")


def _image(node: Node, wording: Wording) -> str:
    width = size_of(node.attributes, "width", 0, most=WIDTH)
    return _picture(node, wording, f' width="{width}"' if width else "", f"width:{width}px;" if width else "")


def _logo(node: Node, wording: Wording) -> str:
    height = size_of(node.attributes, "size", _LOGO_SIZES["md"], most=WIDTH, words=_LOGO_SIZES)
    return _picture(node, wording, f' height="{height}"', f"height:{height}px;")


def _picture(node: Node, wording: Wording, size: str, style: str) -> str:
    source = picture_of(node.attributes, node.place)
    if not source:
        return ""
    said = wording.say(text_of(node.attributes, "alt", "title"))
    html = (
        f'<img src="{wording.say_address(source)}" alt="{said}"{size} '
        f'style="{style}max-width:100%;border:0;display:inline-block">'
    )
    link = link_of(node.attributes, node.place, "externalLink", "href", "link")
    if link:
        html = f'<a href="{wording.say_address(link)}" target="_blank">{html}</a>'
    side = alignment_of(node.attributes, "alignment", "textAlign", default="center" if node.type == "image" else "left")
    return f'<div style="margin:0 0 16px;text-align:{side}">{html}</div>'


def _footer(node: Node, wording: Wording) -> str:
    style = f"margin:32px 0 0;padding:16px 0 0;border-top:{_LINE};font-size:13px;line-height:20px{_leaning(node)}"
    inner = _write_all(node.children, wording) or '<a href="{{ unsubscribe_url }}">Unsubscribe</a>'
    return f'<div style="{style}">{inner}</div>'


def _tag(name: str) -> Callable[[Mark, str, str, Wording], str]:
    return lambda mark, html, place, wording: f"<{name}>{html}</{name}>"


def _link(mark: Mark, html: str, place: str, wording: Wording) -> str:
    url = link_of(mark.attributes, place, "href", "url")
    return f'<a href="{wording.say_address(url)}" target="_blank">{html}</a>' if url else html


def _styled(mark: Mark, html: str, place: str, wording: Wording) -> str:
    size = size_of(mark.attributes, "fontSize", 0, most=96)
    styles = {
        "color": colour_of(mark.attributes, "color"),
        "background-color": colour_of(mark.attributes, "backgroundColor"),
        "font-family": font_of(mark.attributes, "fontFamily"),
        "font-size": f"{size}px" if size else "",
    }
    style = ";".join(f"{name}:{value}" for name, value in styles.items() if value)
    return f'<span style="{style}">{html}</span>' if style else html


def _code_words(mark: Mark, html: str, place: str, wording: Wording) -> str:
    return f'<code style="font-family:{_MONO};font-size:90%">{html}</code>'


_MARKS: Final[dict[str, Callable[[Mark, str, str, Wording], str]]] = {
    "bold": _tag("strong"),
    "italic": _tag("em"),
    "underline": _tag("u"),
    "strike": _tag("s"),
    "code": _code_words,
    "textStyle": _styled,
    "link": _link,
}
_WRITERS: Final[dict[str, Callable[[Node, Wording], str]]] = {
    "text": _text,
    "variable": _variable,
    "hardBreak": _line_break,
    "paragraph": _paragraph,
    "heading": _heading,
    "bulletList": _bullets,
    "orderedList": _numbers,
    "listItem": _item,
    "blockquote": _quote,
    "codeBlock": _code,
    "horizontalRule": _rule,
    "spacer": _space,
    "button": _button,
    "image": _image,
    "logo": _logo,
    "unsubscribeFooter": _footer,
}
