"""Pure decisions of mail, no database: templates, composing, tokens, headers, signatures, bots, reports."""
