"""Makes the key of a custom field from what people call it."""

import re
import unicodedata

from postroom.core.contacts.rules.filter_language import RESERVED_KEYS


def field_key(label: str) -> str:
    """Return a field's key made from its label: ``Lifetime value`` becomes ``lifetime_value``."""
    key = slug_of(label)[:70] or "field"
    return key if key[0].isalpha() and key not in RESERVED_KEYS else f"field_{key}"


def slug_of(text: str) -> str:
    """Return a text as lower-case ASCII words joined by underscores."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
