"""A caller's own words are no template, whatever braces they hold."""

from hypothesis import given
from hypothesis import strategies as st

from postroom.core.mail.rules.compose import FrozenContent, Link, quote_liquid, show
from postroom.core.mail.rules.liquid import parse_template

BRACES = st.text(alphabet="{}%-ab \n'\"|", max_size=40)
WORDS = st.lists(
    st.one_of(BRACES, st.sampled_from(["{{", "}}", "{%", "%}", "{% raw %}", "{% endraw %}", "{%- endraw -%}"])),
    max_size=8,
).map("".join)


@given(WORDS)
def test_quoted_words_are_rendered_as_they_are(words: str) -> None:
    assert parse_template(quote_liquid(words), escapes=True).render({"a": "x", "b": "y"}) == words


def test_a_message_is_shown_with_its_slots_its_true_links_and_no_pixel() -> None:
    frozen = FrozenContent(
        subject="Hi {{ name }}",
        html='<a href="{{ link_0 }}">{{ name }}</a><img src="{{ open_pixel_url }}" width="1">',
        text="{{ name }}",
        links=(Link(0, "https://x.example/?a=1&b=2", ""),),
        tracks_opens=True,
        tracks_clicks=True,
    )
    shown = show(frozen, {"name": "Ann & Co"})
    assert (shown.subject, shown.text) == ("Hi Ann & Co", "Ann & Co")
    assert shown.html == '<a href="https://x.example/?a=1&amp;b=2">Ann &amp; Co</a>'
