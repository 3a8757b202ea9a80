"""Words that are no template: braces of a caller's own mean nothing."""

import re
from typing import Final

_LIQUID: Final = re.compile(r"\{\{|\{%")


def quote_liquid(words: str) -> str:
    """Return a template that says exactly ``words``."""
    return _LIQUID.sub(lambda found: f"{{% raw %}}{found[0]}{{% endraw %}}", words)
