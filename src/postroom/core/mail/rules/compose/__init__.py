"""Composing: an author's words are frozen once, compiled once, and filled per recipient.

Links: an ``href`` with a fixed http(s) address is numbered and tracked. One that contains Liquid is rendered per
recipient and not tracked; neither are mailto:, tel:, #fragments and the unsubscribe link. In a text part the author
wrote, addresses stay as they are. ``javascript:``, ``data:``, ``vbscript:`` and ``file:`` are refused.
"""

from postroom.core.mail.rules.compose.compiling import CompiledContent, compile_content
from postroom.core.mail.rules.compose.freezing import freeze, preview
from postroom.core.mail.rules.compose.literal import quote_liquid
from postroom.core.mail.rules.compose.rendering import Press
from postroom.core.mail.rules.compose.showing import show
from postroom.core.mail.rules.compose.values import (
    BULK_CLASSES,
    PIXEL,
    UNSUBSCRIBE,
    FrozenContent,
    Letter,
    Letterhead,
    Link,
    Preview,
)

__all__ = [
    "BULK_CLASSES",
    "PIXEL",
    "UNSUBSCRIBE",
    "CompiledContent",
    "FrozenContent",
    "Letter",
    "Letterhead",
    "Link",
    "Press",
    "Preview",
    "compile_content",
    "freeze",
    "preview",
    "quote_liquid",
    "show",
]
