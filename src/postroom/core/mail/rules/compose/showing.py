"""A frozen message as somebody sees who looks it up: filled in, its links untracked, no pixel."""

import re
from collections.abc import Mapping
from typing import Final

from postroom.core.mail.rules.compose.values import LINK, PIXEL, UNSUBSCRIBE, FrozenContent, Preview
from postroom.core.mail.rules.liquid import parse_template
from postroom.kit.mime import clean_line
from postroom.kit.types import JSONValue

_PIXEL_IMAGE: Final = re.compile(rf'<img src="\{{\{{ {PIXEL} \}}\}}"[^>]*>')


def show(frozen: FrozenContent, slots: Mapping[str, JSONValue]) -> Preview:
    """Return subject, HTML and text for these slots; the html is empty where there is none. Raises TemplateRefused."""
    links: dict[str, JSONValue] = {f"{LINK}{link.index}": link.url for link in frozen.links}
    values = {**slots, **links, UNSUBSCRIBE: "#", PIXEL: ""}
    return Preview(
        clean_line(parse_template(frozen.subject, escapes=False).render(values)),
        parse_template(_PIXEL_IMAGE.sub("", frozen.html), escapes=True).render(values),
        parse_template(frozen.text, escapes=False).render(values),
    )
