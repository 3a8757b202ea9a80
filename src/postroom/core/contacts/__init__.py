"""People: contacts, fields, tags, lists, consent, suppression, segments, import."""
