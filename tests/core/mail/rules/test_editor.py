"""Editor documents become e-mails: every node and mark, in HTML and in text, and nothing dangerous of them."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.core.mail.errors import BadDocument
from postroom.core.mail.rules import compose
from postroom.core.mail.rules.editor import render
from postroom.core.mail.rules.placeholders import name_variables
from postroom.core.mail.types import Composition, MessageClass

NAMES = name_variables(["company"])
ANN: Any = {"email": "ann+1@example.com", "first_name": "<Ann>", "properties": {"company": "Acme & Co"}}


def text(words: str, *marks: Any) -> dict[str, Any]:
    return {
        "type": "text",
        "text": words,
        "marks": [{"type": mark} if isinstance(mark, str) else mark for mark in marks],
    }


def link(href: str) -> dict[str, Any]:
    return {"type": "link", "attrs": {"href": href, "target": "_blank"}}


def node(kind: str, *content: Any, **attributes: Any) -> dict[str, Any]:
    return {"type": kind, "attrs": attributes, "content": list(content)}


def doc(*content: Any) -> dict[str, Any]:
    return {"type": "doc", "content": list(content)}


def seen(*content: Any, reader: Any = ANN) -> compose.Preview:
    """Return what a reader sees of a document, by way of all that a message goes through."""
    rendered = render(json.dumps(doc(*content)), variables=NAMES)
    return compose.preview(
        Composition(subject="x", body=rendered.html, text=rendered.text), reader, MessageClass.TRANSACTIONAL
    )


def body(html: str) -> str:
    return html.partition("line-height:26px")[2].partition(">")[2]


@pytest.mark.parametrize(
    ("content", "html", "plain"),
    [
        (node("paragraph", text("a < b & c")), "<p [^>]*>a &lt; b &amp; c</p>", "a < b & c\n"),
        (node("paragraph", text("x"), textAlign="right"), "<p [^>]*text-align:right[^>]*>x</p>", "x\n"),
        (node("heading", text("Big"), level=1), "<h1 [^>]*font-size:30px[^>]*>Big</h1>", "Big\n"),
        (node("heading", text("Small"), level=3), "<h3 [^>]*font-size:20px[^>]*>Small</h3>", "Small\n"),
        (node("paragraph", text("x", "bold", "italic")), "<em><strong>x</strong></em>", "x\n"),
        (node("paragraph", text("x", "underline", "strike")), "<s><u>x</u></s>", "x\n"),
        (node("paragraph", text("x", "code")), "<code [^>]*>x</code>", "x\n"),
        (
            node("paragraph", text("x", {"type": "textStyle", "attrs": {"color": "#FF0000", "fontSize": "20px"}})),
            '<span style="color:#FF0000;font-size:20px">x</span>',
            "x\n",
        ),
        (
            node("paragraph", text("here", "bold", link("https://a.example/?x=1&y=2"))),
            '<a href="https://a.example/\\?x=1&amp;y=2" [^>]*><strong>here</strong></a>',
            "here (https://a.example/?x=1&y=2)\n",
        ),
        (
            node("paragraph", text("ann@a.example", link("mailto:ann@a.example"))),
            '<a href="mailto:ann@a.example"',
            "ann@a.example\n",
        ),
        (node("paragraph", text("x", link("www.a.example/b"))), '<a href="https://www.a.example/b"', "x \\(https"),
        (node("paragraph", text("a"), {"type": "hardBreak"}, text("b")), ">a<br>b</p>", "a\nb\n"),
        (
            node("bulletList", node("listItem", node("paragraph", text("one"))), node("listItem", text("two"))),
            '<ul [^>]*><li [^>]*><p style="margin:0">one</p></li><li [^>]*>two</li></ul>',
            "- one\n- two\n",
        ),
        (
            node("orderedList", node("listItem", node("paragraph", text("one"))), start=9),
            '<ol start="9" [^>]*><li',
            "9. one\n",
        ),
        (node("blockquote", node("paragraph", text("a")), node("paragraph", text("b"))), "<blockquote", "> a\n> \n> b"),
        (node("codeBlock", text("if x:\n  y")), "<pre [^>]*><code>if x:\n  y</code></pre>", "if x:\n  y\n"),
        (node("horizontalRule"), "<hr [^>]*>", "-" * 40 + "\n"),
        (node("image", src="https://a.example/i.png", alt="A cat", width="900"), 'alt="A cat" width="600"', "A cat\n"),
        (
            node("image", src="https://a.example/i.png", externalLink="https://a.example"),
            '<a href="https://a.example"[^>]*><img src="https://a.example/i.png" alt=""',
            "https://a.example\n",
        ),
        (node("logo", src="https://a.example/l.png", alt="Acme", size="lg"), 'height="64"', "Acme\n"),
        (
            node("button", text="Buy", url="https://a.example/", buttonColor="#0a7", borderRadius="sharp"),
            '<td align="center" bgcolor="#0a7" style="background-color:#0a7;border-radius:0px"><a href="https://a.ex',
            "Buy (https://a.example/)\n",
        ),
        (
            node("button", text="Buy", url="https://a.example/", variant="outline", buttonColor="navy"),
            '<td align="center" style="border-radius:6px;border:2px solid navy"><a [^>]*color:navy',
            "Buy",
        ),
        (
            node("unsubscribeFooter", text("Bye", link("{{ unsend_unsubscribe_url }}"))),
            'font-size:13px[^>]*><a href="#" target="_blank">Bye</a></div>',
            "Bye (#)\n",
        ),
        (node("unsubscribeFooter"), '<a href="#">Unsubscribe</a>', "Unsubscribe: #\n"),
    ],
)
def test_every_node_and_mark_is_written_in_html_and_in_text(content: Any, html: str, plain: str) -> None:
    mail = seen(content)
    assert re.search(html, body(mail.html)), body(mail.html)
    assert re.match(plain, mail.text) if "\\" in plain else mail.text.startswith(plain), mail.text


def test_a_spacer_is_as_high_as_it_says() -> None:
    html = render(doc(node("spacer", height="xl"), node("spacer", height=10)), variables=NAMES).html
    assert re.findall(r"height:(\d+)px;line-height", html) == ["64", "10"]


def test_variables_and_placeholders_are_filled_in_for_each_reader() -> None:
    content = node(
        "paragraph",
        text("Hi {{firstName,fallback=you}} of {{company}}, "),
        node("variable", id="lastName", fallback="friend & foe"),
        node("variable", id="contact.EMAIL"),
        node("variable", id="city", fallback="Rome"),
        node("variable", id="street"),
    )
    mail = seen(content)
    assert "Hi &lt;Ann&gt; of Acme &amp; Co, friend &amp; foe" in mail.html
    assert mail.text == "Hi <Ann> of Acme & Co, friend & foeann+1@example.comRome{{street}}\n"


def test_what_is_filled_into_a_query_is_encoded_and_a_whole_address_is_not() -> None:
    reader = {**ANN, "properties": {"company": "https://acme.example/?a=1&b=2"}}
    mail = seen(
        node("paragraph", text("a", link("https://a.example/?e={{email}}"))),
        node("button", text="b", url="{{company}}"),
        reader=reader,
    )
    assert 'href="https://a.example/?e=ann%2B1%40example.com"' in mail.html
    assert 'href="https://acme.example/?a=1&amp;b=2"' in mail.html


def test_liquid_in_a_document_is_said_as_it_stands() -> None:
    words = "{% if email %}{{ email | upcase }}{{first_name}}{{{"
    assert seen(node("paragraph", text(words))).text == f"{words}\n"


def test_what_is_no_colour_or_size_never_reaches_a_style() -> None:
    bad = 'red;background:url("https://evil.example")'
    mail = seen(
        node("paragraph", text("x", {"type": "textStyle", "attrs": {"color": bad, "fontSize": "9px;x:y"}})),
        node("button", text="x", url="https://a.example", buttonColor=bad, textColor=5, borderRadius=bad),
        node("paragraph", text("y"), textAlign='left"onclick="x'),
        node("image", src="https://a.example/i.png", width="1px;x", alt='"><script>'),
    )
    assert "evil" not in mail.html
    assert "onclick" not in mail.html
    assert 'alt="&quot;><script>"' in mail.html
    assert "background-color:#1f2937" in mail.html


def test_the_page_is_600_wide_and_leaves_ground_and_text_to_the_reader() -> None:
    html = render(doc(node("paragraph", text("x"))), variables=NAMES).html
    assert "max-width:600px" in html
    assert 'name="color-scheme" content="light dark"' in html
    assert not re.search(r"[;\"](?:background(?:-color)?|color):", html)
    assert html.count("<table") == html.count('<table role="presentation"')


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("", "The document is not JSON."),
        ("{", "The document is not JSON."),
        ("[" * 100_000, "The document is not JSON."),
        ("[]", 'An editor document is an object of the type "doc".'),
        ('{"type":"paragraph"}', 'An editor document is an object of the type "doc".'),
        (doc(node("video")), "Unknown node 'video' at content[0]."),
        (doc(node("paragraph"), node("blockquote", node("table"))), "Unknown node 'table' at content[1].content[0]."),
        (doc(node("paragraph", text("x", "blink"))), "Unknown mark 'blink' at content[0].content[0]."),
        (doc(node("doc")), "A doc cannot stand at content[0]."),
        (doc({"type": "text"}), "The text at content[0] is none."),
        (doc({}), "Unknown node 'None' at content[0]."),
        (doc("x"), "There is no node at content[0]."),
        (doc({"type": "paragraph", "content": {"a": 1}}), "The content at content[0] is no list."),
        (doc({"type": "paragraph", "attrs": [1]}), "The attributes at content[0] are no object."),
        (doc({"type": "text", "text": "x", "marks": ["bold"]}), "There is no mark at content[0]."),
        (doc(node("button", url="javascript:alert(1)")), "not to 'javascript:alert(1)' at content[0]."),
        (doc(node("paragraph", text("x", link("data:text/html,x")))), "not to 'data:text/html,x' at content[0].cont"),
        (doc(node("paragraph", text("x", link("java\tscript:x")))), "A link leads to http"),
        (doc(node("image", src="file:///etc/passwd")), "A picture needs an http or https address"),
        (doc(node("button", url="https://a.example/" + "x" * 2000)), "An address is longer than 2,000 characters"),
        (doc(*[text("x")] * 5000), "The document has more than 5,000 nodes."),
        (json.dumps(doc(text("x" * 500_001))), "The document is longer than 500,000 characters."),
    ],
)
def test_what_cannot_be_rendered_is_refused_and_says_where(document: Any, message: str) -> None:
    with pytest.raises(BadDocument) as refused:
        render(document, variables=NAMES)
    assert message in refused.value.message


def test_a_document_too_deep_is_refused() -> None:
    deep = text("x")
    for _ in range(31):
        deep = node("blockquote", deep)
    with pytest.raises(BadDocument, match="more than 30 levels deep"):
        render(doc(deep), variables=NAMES)


def test_an_empty_document_is_an_empty_page() -> None:
    assert render({"type": "doc"}, variables=NAMES).text == "\n"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
KINDS = st.sampled_from(
    ["paragraph", "text", "heading", "variable", "button", "image", "logo", "spacer", "listItem", "unsubscribeFooter"]
)
NODES = st.recursive(
    st.fixed_dictionaries({"type": KINDS}, optional={"text": VALUES, "attrs": VALUES, "marks": VALUES}),
    lambda inner: st.fixed_dictionaries({"type": KINDS, "content": st.lists(inner, max_size=3)}),
    max_leaves=8,
)


@given(st.lists(NODES, max_size=4))
def test_any_document_is_rendered_or_refused(content: list[Any]) -> None:
    try:
        rendered = render(doc(*content), variables=NAMES)
    except BadDocument:
        return
    compose.preview(Composition(subject="x", body=rendered.html, text=rendered.text), ANN)
