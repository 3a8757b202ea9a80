"""Editor documents: what a visual editor saves as JSON, made into the HTML and the text of an e-mail."""

from postroom.core.mail.rules.editor.rendering import render
from postroom.core.mail.rules.editor.values import Rendered

__all__ = ["Rendered", "render"]
