"""The template language: Liquid, with an allow-list of tags and filters and a ceiling on everything that costs."""

from postroom.core.mail.rules.liquid.engine import Template, check_template, find_variables, parse_template
from postroom.core.mail.rules.liquid.scan import MAX_SOURCE, Kind, Piece, scan

__all__ = ["MAX_SOURCE", "Kind", "Piece", "Template", "check_template", "find_variables", "parse_template", "scan"]
