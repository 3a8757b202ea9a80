"""The documentation of a door: one page, read from the door itself, that needs nothing from elsewhere."""

from postroom.api.shared.docs.manuals import Manual, Refusal, Sample
from postroom.api.shared.docs.pages import docs_urls, lead_to, open_document

__all__ = ["Manual", "Refusal", "Sample", "docs_urls", "lead_to", "open_document"]
